package search

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/local/engine/enginetest"
)

// Whatever passes Validate, the engine understands; and no value of a filter is more than a value.
func TestTheEngineUnderstandsWhateverMayBeAsked(t *testing.T) {
	t.Parallel()
	url, key := enginetest.Search(t)
	s := &shelf{products: map[string]contract.ProductDocument{}}
	s.set(sample(geo.NewID("prd", "use"), 1))
	x := openIndex(t, url, key, s, nil)
	if err := x.mend(t.Context()); err != nil {
		t.Fatal(err)
	}
	searcher := &Service{index: x, engine: x.engine, language: english, regions: map[string]string{"us-east": "use"}}
	text := rapid.OneOf(rapid.String(), rapid.StringMatching("(&&|\\|\\||:=|:>|\\[|\\]|\\(|\\)|,|in_stock|true|!=|\\\\|\"|'|\\*| |-|a){0,12}"))
	rapid.Check(t, func(t *rapid.T) {
		q := Query{Text: text.Draw(t, "text"), Category: text.Draw(t, "category"), Brand: text.Draw(t, "brand"), InStock: rapid.Bool().Draw(t, "in stock"),
			Sort: rapid.SampledFrom([]string{SortRelevance, SortPriceAsc, SortPriceDesc, SortNewest, SortBestSelling}).Draw(t, "sort"),
			Page: rapid.IntRange(1, 100).Draw(t, "page"), PerPage: rapid.IntRange(1, MaxPerPage).Draw(t, "per page"),
			Currency: rapid.SampledFrom([]string{"USD", "JPY", "KWD"}).Draw(t, "currency"), Region: rapid.SampledFrom([]string{"", "us-east"}).Draw(t, "region"),
			Options: rapid.MapOfN(text, rapid.SliceOfN(text, 1, 3), 0, 2).Draw(t, "options")}
		if rapid.Bool().Draw(t, "bounded") {
			least, most := rapid.Int64Range(0, 100).Draw(t, "least"), rapid.Int64Range(100, maxPrice).Draw(t, "most")
			q.PriceMin, q.PriceMax = &least, &most
		}
		if q.Validate() != nil {
			return
		}
		found, err := searcher.find(t.Context(), q)
		if err != nil {
			t.Fatalf("%+v: %v", q, err)
		}
		if (q.Category != "" || q.Brand != "" || len(q.Options) > 0) && orZero(found.Found) > 0 {
			t.Fatalf("%+v finds what has none of these", q)
		}
	})
}
