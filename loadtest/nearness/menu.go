package nearness

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/url"
	"slices"

	"github.com/meridian-store/meridian/kit/httpclient"
)

// listShare is the share of lists among the reads; the others are products.
const listShare = 0.3

// largestMenu bounds what is read of a catalog.
const largestMenu = 2000

// menu is what shoppers read: products, and the lists that show them.
type menu struct {
	slugs           []string
	products, lists shelf
}

// shelf is some paths, the popular ones first.
type shelf struct {
	paths []string
	// upTo is the share of all reads that the paths up to each get, by Zipf's law with exponent 1.
	upTo []float64
}

func newShelf(paths []string) shelf {
	// Popularity has nothing to do with the order in which a shop lists what it has, but is the same in every city.
	shuffled := slices.Clone(paths)
	rand.New(rand.NewPCG(1, uint64(len(paths)))).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	s := shelf{paths: shuffled, upTo: make([]float64, len(paths))}
	sum := 0.0
	for i := range s.upTo {
		sum += 1 / float64(i+1)
		s.upTo[i] = sum
	}
	for i := range s.upTo {
		s.upTo[i] /= sum
	}
	return s
}

// draw gives a path for a number that is drawn evenly from [0, 1).
func (s shelf) draw(at float64) string {
	i, _ := slices.BinarySearch(s.upTo, at)
	return s.paths[min(i, len(s.paths)-1)]
}

func (m *menu) draw() string {
	if rand.Float64() < listShare {
		return m.lists.draw(rand.Float64())
	}
	return m.products.draw(rand.Float64())
}

// readMenu asks the shop what it sells: its products, and as lists the pages of all products and the first page of each category.
func readMenu(ctx context.Context, edge string) (*menu, error) {
	m := &menu{}
	for cursor := ""; len(m.slugs) < largestMenu; {
		var page struct {
			Items []struct {
				Slug string `json:"slug"`
			} `json:"items"`
			NextCursor string `json:"next_cursor"`
		}
		if err := getJSON(ctx, edge, "/api/v1/products?"+url.Values{"cursor": {cursor}, "limit": {"100"}}.Encode(), &page); err != nil {
			return nil, err
		}
		for _, item := range page.Items {
			m.slugs = append(m.slugs, item.Slug)
		}
		if cursor = page.NextCursor; cursor == "" {
			break
		}
	}
	if len(m.slugs) == 0 {
		return nil, errors.New("the shop has no products: fill it with `meridian seed`")
	}
	var tree struct {
		Items []category `json:"items"`
	}
	if err := getJSON(ctx, edge, "/api/v1/categories", &tree); err != nil {
		return nil, err
	}
	lists := []string{"/api/v1/categories", "/api/v1/products"}
	for _, slug := range slugsOf(tree.Items) {
		lists = append(lists, "/api/v1/products?category="+url.QueryEscape(slug))
	}
	products := make([]string, len(m.slugs))
	for i, slug := range m.slugs {
		products[i] = "/api/v1/products/" + slug
	}
	m.products, m.lists = newShelf(products), newShelf(lists)
	return m, nil
}

type category struct {
	Slug     string     `json:"slug"`
	Children []category `json:"children"`
}

func slugsOf(tree []category) []string {
	var slugs []string
	for _, c := range tree {
		slugs = append(append(slugs, c.Slug), slugsOf(c.Children)...)
	}
	return slugs
}

func getJSON(ctx context.Context, edge, path string, into any) error {
	return httpclient.Request{URL: "http://" + edge + path}.Decode(ctx, into)
}
