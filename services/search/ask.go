package search

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/typesense/typesense-go/v3/typesense/api"
	"github.com/typesense/typesense-go/v3/typesense/api/pointer"

	"github.com/meridian-store/meridian/contract"
)

// facetValues is how many values of a facet are shown.
const facetValues = 50

const facets = "place_names,brand,stock,options"

// priceSteps part prices in major units; the facet counts what lies between two.
var priceSteps = []int64{0, 25, 50, 100, 250, 500, 1000}

// params writes a query as the engine reads it, with or without all that is about prices.
func (s *Service) params(q Query, priced bool) api.MultiSearchCollectionParameters {
	words := s.language.asked(q.Text)
	text := strings.Join(words, " ")
	if text == "" {
		text = "*"
	}
	price := priceField(q.Currency, s.regions[q.Region])
	p := api.MultiSearchCollectionParameters{
		Q: &text, QueryBy: pointer.String(searchedFields), QueryByWeights: pointer.String(searchedWeights), NumTypos: pointer.String(searchedTypos),
		Page: &q.Page, PerPage: &q.PerPage, MaxFacetValues: pointer.Int(facetValues), SortBy: pointer.String(orderBy(SortRelevance, "")), FacetBy: pointer.String(facets),
	}
	if priced {
		p.SortBy, p.FacetBy = pointer.String(orderBy(q.Sort, price)), pointer.String(facets+","+price+"("+priceRanges(q.Currency)+")")
	}
	if filter := filters(q, price); filter != "" {
		p.FilterBy = &filter
	}
	return p
}

func orderBy(sort, price string) string {
	switch sort {
	case SortPriceAsc:
		return price + "(missing_values: last):asc,_text_match:desc,created:desc"
	case SortPriceDesc:
		return price + "(missing_values: last):desc,_text_match:desc,created:desc"
	case SortNewest:
		return "created:desc,_text_match:desc"
	case SortBestSelling:
		return "popular:desc,_text_match:desc,created:desc"
	default:
		return "_text_match:desc,popular:desc,created:desc"
	}
}

// quoted keeps a value whole, whatever is in it; a backtick can not be, and Validate refuses it.
func quoted(value string) string { return "`" + value + "`" }

func filters(q Query, price string) string {
	var all []string
	if q.Category != "" {
		all = append(all, "places:="+quoted(q.Category))
	}
	if q.Brand != "" {
		all = append(all, "brand:="+quoted(q.Brand))
	}
	if q.InStock {
		all = append(all, "in_stock:=true")
	}
	if q.PriceMin != nil {
		all = append(all, price+":>="+strconv.FormatInt(*q.PriceMin, 10))
	}
	if q.PriceMax != nil {
		all = append(all, price+":<="+strconv.FormatInt(*q.PriceMax, 10))
	}
	for _, name := range slices.Sorted(maps.Keys(q.Options)) {
		var values []string
		for _, value := range q.Options[name] {
			values = append(values, quoted(name+"="+value))
		}
		all = append(all, "options:=["+strings.Join(values, ",")+"]")
	}
	return strings.Join(all, " && ")
}

// unit is how many minor units make a major one.
func unit(currency string) int64 {
	minor := int64(1)
	for range contract.Exponent(currency) {
		minor *= 10
	}
	return minor
}

// priceRanges names the ranges by their places: 0:[0, 2500].
func priceRanges(currency string) string {
	var ranges []string
	for i, from := range priceSteps {
		to := ""
		if i+1 < len(priceSteps) {
			to = strconv.FormatInt(priceSteps[i+1]*unit(currency), 10)
		}
		ranges = append(ranges, fmt.Sprintf("%d:[%d, %s]", i, from*unit(currency), to))
	}
	return strings.Join(ranges, ", ")
}
