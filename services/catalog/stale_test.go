package catalog

import (
	"encoding/json"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/meridian-store/meridian/contract"
)

// shownState is what decides which pages show a product.
type shownState struct {
	published   bool
	slug, brand string
	categories  []string // all above them included
}

func drawState(t *rapid.T, label string) shownState {
	return shownState{
		published: rapid.Bool().Draw(t, label+" published"), slug: rapid.SampledFrom([]string{"a", "b"}).Draw(t, label+" slug"),
		brand:      rapid.SampledFrom([]string{"", "Ayers", "Bo & Co"}).Draw(t, label+" brand"),
		categories: sortedSet(rapid.SliceOfN(rapid.SampledFrom([]string{"clothes", "shirts", "mugs"}), 0, 3).Draw(t, label+" categories")),
	}
}

// pages gives a tag that each page which shows the product bears, or would bear if it showed it not.
func (s shownState) pages() []string {
	if !s.published {
		return nil
	}
	pages := []string{contract.TagList, contract.AbsentTag(s.slug)}
	for _, category := range s.categories {
		pages = append(pages, contract.CategoryListTag(category))
	}
	if s.brand != "" {
		pages = append(pages, contract.BrandListTag(s.brand))
	}
	return pages
}

// Whatever page shows the product after a change and not before, or the other way round, is among what the change's event purges; so is
// every page that shows it in both; and a change that moves it nowhere purges no list that does not show it.
func TestAChangePurgesWhatItMakesUntrueAndNoMore(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		now := drawState(t, "now")
		c := &change{wish: wish{id: "prd_use_1", input: contract.ProductInput{Slug: now.slug, Brand: now.brand, Published: now.published}}, version: 2, categories: now.categories}
		var was shownState
		if rapid.Bool().Draw(t, "there before") {
			was = drawState(t, "was")
			c.before = &stored{id: "prd_use_1", slug: was.slug, brand: was.brand, published: was.published, categories: was.categories}
		}
		purged := staleTags(t, contract.ProductUpdated, c.announcement())
		if !slices.Contains(purged, contract.ProductTag("prd_use_1")) {
			t.Fatalf("%v purges no page that shows the product", purged)
		}
		before, after := was.pages(), now.pages()
		same := slices.Equal(before, after)
		for _, page := range append(before, after...) {
			if slices.Contains(before, page) != slices.Contains(after, page) && !slices.Contains(purged, page) && page != contract.AbsentTag(was.slug) {
				t.Fatalf("%+v became %+v: %v does not purge %s", was, now, purged, page)
			}
		}
		if same && len(purged) > 1 {
			t.Fatalf("%+v became %+v: %v purges more than its own pages", was, now, purged)
		}
	})
}

func staleTags(t interface{ Fatal(...any) }, kind string, data any) []string {
	text, err := json.Marshal(data)
	if err != nil {
		t.Fatal(err)
	}
	tags, err := contract.StaleTags(contract.Event{Type: kind, Data: text})
	if err != nil {
		t.Fatal(err)
	}
	return tags
}

func TestWhatOtherEventsPurge(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		kind string
		data any
		want []string
	}{
		{contract.ProductStockChanged, contract.ProductChange{ProductID: "p"}, []string{"product:p"}},
		{contract.ProductDeleted, (&stored{id: "p", slug: "s", published: true, categories: []string{"c"}}).farewell(),
			[]string{"absent:p", "absent:s", "list", "list:category:c", "product:p"}},
		{contract.ProductDeleted, (&stored{id: "p", slug: "s", categories: []string{"c"}}).farewell(), []string{"product:p"}},
		{contract.CategoryChanged, contract.CategoryChange{Slug: "c"}, []string{"categories", "list:category:c"}},
		{contract.PriceListChanged, contract.PriceListChange{Currency: "EUR", Region: "eu-west"}, []string{"price:EUR:eu-west"}},
		{contract.PriceListChanged, contract.PriceListChange{Currency: "EUR"}, []string{"price:EUR"}},
		{contract.PriceListChanged, contract.PriceListChange{Currency: "EUR", Products: []string{"p", "q"}}, []string{"product:p", "product:q"}},
		{contract.OrderConfirmed, contract.OrderChange{}, nil},
	} {
		if got := staleTags(t, tc.kind, tc.data); !slices.Equal(sortedSet(got), sortedSet(tc.want)) {
			t.Errorf("%s %+v purges %v, want %v", tc.kind, tc.data, got, tc.want)
		}
	}
}
