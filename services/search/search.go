// Package search finds products by words, filters and facets in its region's search engine, which it keeps equal to the catalog.
//
// The engine holds one collection for each language of the shop's locales, filled from the catalog's documents. An event only says which
// products to read again: what is written is always what the catalog says now, so that late and repeated events do no harm. Whatever is
// still amiss is found by comparing sums of index and catalog, bucket by bucket, and mended.
//
// Products are found by the stems of their words, so that a plural finds the singular. They stand in the order of how well their text
// matches, then how often they were sold, then how much there is of them; docs/search.md tells it in full.
package search

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/meridian-store/meridian/contract"
)

// The orders in which hits may be asked for.
const (
	SortRelevance   = "relevance"
	SortPriceAsc    = "price_asc"
	SortPriceDesc   = "price_desc"
	SortNewest      = "newest"
	SortBestSelling = "best_selling"
)

// Limits of a query.
const (
	MaxQuery       = 200
	MaxPerPage     = 100
	MaxReach       = 10_000
	maxOptions     = 10
	maxOptionValue = 255
	// maxPrice is the largest price, in minor units, that a filter names.
	maxPrice = 1_000_000_000_000
)

// Query is what a shopper looks for. Empty strings filter nothing.
type Query struct {
	Text             string
	Category, Brand  string
	PriceMin         *int64
	PriceMax         *int64
	InStock          bool
	Options          map[string][]string
	Sort             string
	Page, PerPage    int
	Currency, Region string
}

// Validate refuses what the engine could not be asked, naming the field.
func (q Query) Validate() error {
	for field, text := range map[string]string{"q": q.Text, "category": q.Category, "brand": q.Brand} {
		if err := checkText(field, text, MaxQuery); err != nil {
			return err
		}
	}
	if err := contract.ValidateCurrency("currency", q.Currency); err != nil {
		return err
	}
	for field, price := range map[string]*int64{"price_min": q.PriceMin, "price_max": q.PriceMax} {
		if price != nil && (*price < 0 || *price > maxPrice) {
			return contract.Invalid(field, "is not between 0 and %d", int64(maxPrice))
		}
	}
	switch {
	case q.PriceMin != nil && q.PriceMax != nil && *q.PriceMin > *q.PriceMax:
		return contract.Invalid("price_min", "is more than price_max")
	case q.Page*q.PerPage > MaxReach:
		return contract.Invalid("page", "a search shows its first %d hits; filter, rather than page on", MaxReach)
	}
	return q.checkOptions()
}

func (q Query) checkOptions() error {
	count := 0
	for name, values := range q.Options {
		field := "option." + name
		if name == "" || len(values) == 0 {
			return contract.Invalid(field, "an option needs a name and a value")
		}
		for _, value := range append([]string{name}, values...) {
			if err := checkText(field, value, maxOptionValue); err != nil {
				return err
			}
		}
		if count += len(values); count > maxOptions {
			return contract.Invalid(field, "a query names at most %d values of options", maxOptions)
		}
	}
	return nil
}

// checkText refuses what no product's text holds, and the backtick by which the engine's filters are quoted.
func checkText(field, text string, longest int) error {
	switch {
	case !utf8.ValidString(text):
		return contract.Invalid(field, "is not UTF-8")
	case utf8.RuneCountInString(text) > longest:
		return contract.Invalid(field, "has more than %d characters", longest)
	case strings.ContainsFunc(text, unicode.IsControl):
		return contract.Invalid(field, "contains a control character")
	case field != "q" && strings.Contains(text, "`"):
		return contract.Invalid(field, "contains a backtick")
	}
	return nil
}

// Hit is a product that was found.
type Hit struct {
	contract.Summary
	// Highlights are the parts of the product's text that match, as HTML whose only element is mark.
	Highlights []Highlight `json:"highlights,omitempty"`
}

// Highlight is one part of a product's text.
type Highlight struct {
	Field string `json:"field" enum:"title,brand"`
	HTML  string `json:"html" doc:"Escaped text; matches stand in <mark> elements"`
}

// Count is how many of the hits have a value.
type Count struct {
	Value string `json:"value"`
	Label string `json:"label,omitempty" doc:"For people, where it differs from the value"`
	Count int    `json:"count"`
}

// PriceCount is how many of the hits cost between two amounts, both included, in minor units of the asked currency.
type PriceCount struct {
	Min   int64  `json:"min"`
	Max   *int64 `json:"max,omitempty" doc:"Absent: there is no upper bound"`
	Count int    `json:"count"`
}

// Facets count the hits by what they may be filtered by; each counts within all filters of the query.
type Facets struct {
	Category []Count            `json:"category" doc:"A category counts what is below it too"`
	Brand    []Count            `json:"brand"`
	Price    []PriceCount       `json:"price"`
	Stock    []Count            `json:"stock"`
	Options  map[string][]Count `json:"options"`
}

// Result is one page of what was found.
type Result struct {
	Hits       []Hit  `json:"hits"`
	Found      int    `json:"found"`
	Page       int    `json:"page"`
	PerPage    int    `json:"per_page"`
	Facets     Facets `json:"facets"`
	DidYouMean string `json:"did_you_mean,omitempty" doc:"The query as it may have been meant, when it found little"`
	TookMS     int    `json:"took_ms" doc:"The engine's own time"`
}
