package search

import (
	"context"
	"slices"
	"strings"

	"github.com/typesense/typesense-go/v3/typesense/api"
	"github.com/typesense/typesense-go/v3/typesense/api/pointer"

	"github.com/meridian-store/meridian/contract"
)

const (
	suggestedProducts   = 6
	suggestedCategories = 5
	suggestedQueries    = 4
)

// Suggestions are what a shopper may mean who has typed the beginning of something.
type Suggestions struct {
	Products   []SuggestedProduct  `json:"products"`
	Categories []SuggestedCategory `json:"categories"`
	Queries    []string            `json:"queries" doc:"What many have looked for, in the words of the catalog"`
}

// SuggestedProduct is enough to show a product in one line.
type SuggestedProduct struct {
	ID    string          `json:"id"`
	Slug  string          `json:"slug"`
	Title string          `json:"title"`
	HTML  string          `json:"html" doc:"The title, escaped, with what matches in mark elements"`
	Image *contract.Image `json:"image,omitempty"`
}

// SuggestedCategory is a category whose name begins so.
type SuggestedCategory struct {
	Slug  string `json:"slug"`
	Name  string `json:"name"`
	Count int    `json:"count" doc:"How many products it holds that match"`
}

// suggest looks through names alone, and takes the last word for the beginning of one.
func (s *Service) suggest(ctx context.Context, text string) (Suggestions, error) {
	found := Suggestions{Products: []SuggestedProduct{}, Categories: []SuggestedCategory{}, Queries: []string{}}
	words := s.language.asked(text)
	if len(words) == 0 {
		return found, nil
	}
	found.Queries = s.popular.beginning(text, suggestedQueries)
	q := Query{Text: text, Currency: contract.DefaultCurrency, Page: 1, PerPage: suggestedProducts}
	answer, err := s.engine.search(ctx, api.MultiSearchCollectionParameters{
		Q: pointer.String(strings.Join(words, " ")), QueryBy: pointer.String(fieldName + "," + fieldMaker + "," + fieldKinds), QueryByWeights: pointer.String("10,7,5"),
		NumTypos: pointer.String("1"), PerPage: pointer.Int(suggestedProducts), SortBy: pointer.String(orderBy(SortRelevance, "")),
		FacetBy: pointer.String("place_names"), MaxFacetValues: pointer.Int(facetValues),
	})
	if err != nil {
		return found, err
	}
	result := s.result(q, answer)
	for _, hit := range result.Hits {
		p := SuggestedProduct{ID: hit.ID, Slug: hit.Slug, Title: hit.Title, Image: hit.Image}
		p.HTML, _ = s.language.marked(hit.Title, func(string) bool { return false })
		for _, highlight := range hit.Highlights {
			if highlight.Field == "title" {
				p.HTML = highlight.HTML
			}
		}
		found.Products = append(found.Products, p)
	}
	last := words[len(words)-1]
	for _, count := range result.Facets.Category {
		begins := slices.ContainsFunc(s.language.stems(count.Label), func(stem string) bool { return strings.HasPrefix(stem, last) })
		if begins && len(found.Categories) < suggestedCategories {
			found.Categories = append(found.Categories, SuggestedCategory{Slug: count.Value, Name: count.Label, Count: count.Count})
		}
	}
	return found, nil
}
