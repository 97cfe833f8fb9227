package search

import (
	"net/http"
	"testing"

	"github.com/typesense/typesense-go/v3/typesense/api"
	"github.com/typesense/typesense-go/v3/typesense/api/pointer"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/local/engine/enginetest"
	"github.com/meridian-store/meridian/local/engine/search/searchtest"
)

func TestSearchesHoldAKeyThatOnlySearches(t *testing.T) {
	t.Parallel()
	url, key := enginetest.Search(t)
	s := &shelf{products: map[string]contract.ProductDocument{}}
	s.set(sample(geo.NewID("prd", "use"), 1))
	x := openIndex(t, url, key, s, searchtest.Client(t))
	other := openIndex(t, url, key, s, nil)
	for _, each := range []*index{x, other} {
		if err := each.mend(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	everything := api.MultiSearchCollectionParameters{Q: pointer.String("*")}
	for range 2 { // the first makes the key
		if found, err := x.engine.search(t.Context(), everything); err != nil || *found.Found != 1 {
			t.Fatalf("%+v (%v)", found, err)
		}
	}
	holder := &engine{client: x.engine.searcher, searcher: x.engine.searcher, alias: x.engine.alias, searchKey: x.engine.searchKey}
	if err := holder.write(t.Context(), x.engine.alias, []document{{"id": "x"}}); !isStatus(err, http.StatusUnauthorized) && !isStatus(err, http.StatusForbidden) {
		t.Errorf("the key for searching writes: %v", err)
	}
	if _, err := holder.collections(t.Context()); err == nil {
		t.Error("the key for searching lists collections")
	}
	holder.alias = other.engine.alias
	if found, err := holder.trySearch(t.Context(), everything); err == nil {
		t.Errorf("the key for searching finds %+v in another's index", found)
	}
}
