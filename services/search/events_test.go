package search

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/local/engine/enginetest"
	"github.com/meridian-store/meridian/local/kittest"
)

func (s *shop) publish(t *testing.T, topic, kind, subject string, data any) {
	t.Helper()
	s.Publish(t, topic, event(t, kind, subject, data))
}

func event(t *testing.T, kind, subject string, data any) contract.Event {
	t.Helper()
	text, err := json.Marshal(data)
	if err != nil {
		t.Fatal(err)
	}
	return contract.Event{SpecVersion: "1.0", ID: geo.NewID("evt", "use"), Source: "test", Type: kind, Subject: subject, Time: time.Now(), OriginRegion: "us-east", Data: text}
}

// wantSoon waits until a search finds products in an order.
func (s *shop) wantSoon(t *testing.T, query, want string) {
	t.Helper()
	kittest.Eventually(t, func() error {
		if found, _ := s.find(t, query); slugs(found) != want {
			return fmt.Errorf("%s finds %q, want %q", query, slugs(found), want)
		}
		return nil
	})
}

// change puts another state of a product on the shelf.
func (s *shelf) change(p *contract.ProductDocument, change func(*contract.ProductDocument)) {
	change(p)
	p.Revision = geo.NewID("rev", "use")
	s.set(*p)
}

// Whatever an event says of a product, what is found afterwards is what the catalog says of it. None of this waits for a comparison: that
// comes half a minute later.
func TestWhateverAnEventIsAboutIsReadAgain(t *testing.T) {
	t.Parallel()
	all := clothes()
	s := openShop(t, all...)
	oxford, linen, chino := all[0], all[1], all[2]
	const products = contract.TopicProducts

	s.shelf.change(&oxford, func(p *contract.ProductDocument) { p.Title = "Quokka Shirt" })
	s.publish(t, products, contract.ProductUpdated, oxford.ID, "nonsense")
	s.publish(t, products, contract.ProductUpdated, oxford.ID, contract.ProductChange{ProductID: oxford.ID})
	s.wantSoon(t, "q=quokka", "oxford")

	s.shelf.change(&chino, func(p *contract.ProductDocument) { p.Stock = contract.BandLow })
	s.publish(t, products, contract.ProductStockChanged, chino.ID, contract.ProductChange{ProductID: chino.ID})
	s.wantSoon(t, "in_stock=true&sort=price_asc", "chino oxford linen")

	s.shelf.change(&chino, func(p *contract.ProductDocument) { p.Places[1].Name = "Slacks" })
	s.publish(t, products, contract.CategoryChanged, "cat_1", contract.CategoryChange{CategoryID: "cat_1", Slug: "trousers"})
	s.wantSoon(t, "q=slacks", "chino")

	s.shelf.change(&chino, func(p *contract.ProductDocument) { p.Prices = []contract.MarketPrice{{Currency: "USD", Amount: 7000}} })
	s.publish(t, products, contract.PriceListChanged, "prl_1", contract.PriceListChange{ListID: "prl_1", Products: []string{chino.ID}})
	s.wantSoon(t, "price_min=7000&price_max=7000", "chino")

	s.shelf.change(&chino, func(p *contract.ProductDocument) { p.Prices[0].Amount = 7100 })
	s.publish(t, products, contract.PriceListChanged, "prl_2", contract.PriceListChange{ListID: "prl_2"}) // of any product
	s.wantSoon(t, "price_min=7100&price_max=7100", "chino")

	s.shelf.change(&chino, func(p *contract.ProductDocument) { p.Prices[0].Amount = 7200 })
	s.shelf.reprice(chino.ID) // a price list begins, of which nothing tells
	s.wantSoon(t, "price_min=7200&price_max=7200", "chino")

	s.shelf.delete(linen.ID)
	s.publish(t, products, contract.ProductDeleted, linen.ID, contract.ProductChange{ProductID: linen.ID})
	s.wantSoon(t, "q=linen", "")

	// Sold, and told twice.
	sold := event(t, contract.InventorySold, "res_1", contract.ReservationChange{Allocations: []contract.Allocation{{SKU: "chino-1", Quantity: 3}, {SKU: "unknown", Quantity: 9}}})
	s.Publish(t, contract.TopicInventory, sold)
	s.Publish(t, contract.TopicInventory, sold)
	s.publish(t, contract.TopicInventory, contract.InventorySold, "res_2", contract.ReservationChange{Allocations: []contract.Allocation{{SKU: "oxford-1", Quantity: 4}}})
	s.wantSoon(t, "sort=best_selling", "oxford chino")
}

// The purger hears of what the index has taken in, when it has; a sale, which only reorders, is nothing to it. Without a purger all else
// goes on: that of the other tests is not there.
func TestThePurgerHearsOfWhatTheIndexHasTakenIn(t *testing.T) {
	t.Parallel()
	all := clothes()
	s := openShop(t, all...)
	found := make(chan string, 100)
	s.Neighbour(t, contract.ServicePurge, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hits, _ := s.find(t, "q=quokka")
		found <- r.Method + " " + r.URL.Path + " " + slugs(hits)
		w.WriteHeader(http.StatusNoContent)
	}))
	const best = "sort=best_selling&per_page=1"
	was, _ := s.find(t, best)
	other := all[slices.IndexFunc(all, func(p contract.ProductDocument) bool { return p.Slug != slugs(was) })]
	s.publish(t, contract.TopicInventory, contract.InventorySold, "res_1", contract.ReservationChange{Allocations: []contract.Allocation{{SKU: other.SKUs[0], Quantity: 3}}})
	s.wantSoon(t, best, other.Slug)

	oxford := all[0]
	s.shelf.change(&oxford, func(p *contract.ProductDocument) { p.Title = "Quokka Shirt" })
	s.publish(t, contract.TopicProducts, contract.ProductUpdated, oxford.ID, contract.ProductChange{ProductID: oxford.ID})
	if got, want := <-found, "POST "+contract.PathPurgeSearches+" oxford"; got != want {
		t.Errorf("the purger was told %q, want %q", got, want)
	}
	if len(found) > 0 {
		t.Errorf("it was told once more: %q", <-found)
	}
}

func (s *shelf) reprice(ids ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.repriced = append(s.repriced, ids...)
}

// The service is up without its engine, says what is missing, and searches when the engine is there; also when that has forgotten all.
func TestTheServiceOutlivesItsEngine(t *testing.T) {
	t.Parallel()
	s := openShop(t, clothes()...)
	engine := &enginetest.SearchEngine{Address: fmt.Sprintf("127.0.0.1:%d", enginetest.Ports(t, 1)), Folder: filepath.Join(t.TempDir(), "engine"), Key: s.Settings["MERIDIAN_TYPESENSE_KEY"]}
	s.Settings["MERIDIAN_TYPESENSE_URL"] = "http://" + engine.Address
	s.Restart(t)
	down := func() {
		t.Helper()
		for _, path := range []string{"/api/v1/search?q=shirt", "/api/v1/search/suggest?q=shi"} {
			got := s.Do(t, http.MethodGet, path, nil, nil)
			var problem struct{ Detail string }
			if err := json.NewDecoder(got.Body).Decode(&problem); err != nil || got.StatusCode != http.StatusServiceUnavailable || got.Header.Get("Retry-After") == "" {
				t.Errorf("%s: %s %+v (%v)", path, got.Status, problem, err)
			}
		}
		if got := s.Do(t, http.MethodGet, "/ready", nil, nil); got.StatusCode != http.StatusOK {
			t.Errorf("ready: %s", got.Status)
		}
	}
	searched := func() {
		t.Helper()
		kittest.Eventually(t, func() error {
			if got := s.Do(t, http.MethodGet, "/api/v1/search?q=oxford", nil, nil); got.StatusCode != http.StatusOK {
				return fmt.Errorf("%s", got.Status)
			}
			return nil
		})
		s.wantSoon(t, "q=oxford", "oxford")
	}
	down()
	engine.Start(t)
	searched()
	engine.Stop(t)
	down()
	engine.Start(t)
	defer func() { engine.Stop(t) }()
	searched()
}

// An alias that points to nothing is no reason to find nothing for ever.
func TestALostCollectionIsBuiltAgain(t *testing.T) {
	t.Parallel()
	url, key := enginetest.Search(t)
	s := &shelf{products: map[string]contract.ProductDocument{}}
	s.set(sample(geo.NewID("prd", "use"), 1))
	x := openIndex(t, url, key, s, nil)
	if err := x.mend(t.Context()); err != nil {
		t.Fatal(err)
	}
	target, err := x.engine.target(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := x.engine.drop(t.Context(), target); err != nil {
		t.Fatal(err)
	}
	if err := x.mend(t.Context()); err != nil {
		t.Fatal(err)
	}
	if found, err := x.compare(t.Context()); err != nil || found.Products != 1 || found.Differing != 0 {
		t.Errorf("%+v (%v)", found, err)
	}
}

// After an upgrade the index is made anew, and the old one searched until then.
func TestAnIndexOfAnOlderVersionIsBuiltAgain(t *testing.T) {
	t.Parallel()
	url, key := enginetest.Search(t)
	s := &shelf{products: map[string]contract.ProductDocument{}}
	id := geo.NewID("prd", "use")
	s.set(sample(id, 1))
	x := openIndex(t, url, key, s, nil)
	old := x.engine.alias + "-000-1"
	for _, err := range []error{x.engine.create(t.Context(), old), x.put(t.Context(), old, []contract.ProductDocument{sample(id, 1)}), x.engine.point(t.Context(), old)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := x.sync(t.Context(), []string{id}); !errors.Is(err, errNoIndex) {
		t.Errorf("an event of it: %v", err)
	}
	searcher := &Service{index: x, engine: x.engine, language: english}
	if found, err := searcher.find(t.Context(), Query{Text: "product", Page: 1, PerPage: 1, Currency: "USD"}); err != nil || *found.Found != 1 {
		t.Errorf("a search of it: %+v (%v)", found, err)
	}
	if err := x.mend(t.Context()); err != nil {
		t.Fatal(err)
	}
	if names, err := x.engine.collections(t.Context()); err != nil || len(names) != 1 || names[0] == old {
		t.Errorf("there are %v (%v)", names, err)
	}
}

// unwilling is a catalog that fails after its first page.
type unwilling struct{ *shelf }

func (u unwilling) bucket(context.Context, string, bool) (contract.DocumentBucket, error) {
	return contract.DocumentBucket{}, fmt.Errorf("the catalog is away")
}

func TestARebuildThatFailsLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	url, key := enginetest.Search(t)
	s := &shelf{products: map[string]contract.ProductDocument{}}
	s.set(sample(geo.NewID("prd", "use"), 1))
	x := openIndex(t, url, key, unwilling{s}, nil)
	if _, err := x.rebuild(t.Context()); err == nil {
		t.Error("a rebuild without a catalog succeeds")
	}
	if names, err := x.engine.collections(t.Context()); err != nil || len(names) > 0 {
		t.Errorf("there are %v (%v)", names, err)
	}
	if target, err := x.engine.target(t.Context()); err != nil || target != "" {
		t.Errorf("searches go to %q (%v)", target, err)
	}
	x.rebuilding.Lock()
	defer x.rebuilding.Unlock()
	if _, err := x.rebuild(t.Context()); contract.CodeOf(err) != contract.CodeConflict {
		t.Errorf("a second rebuild: %v", err)
	}
}
