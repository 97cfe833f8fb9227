package catalog

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/sqldb"
)

func unreadProducts(t testing.TB, products ...contract.ProductInput) []unread[contract.ProductInput] {
	t.Helper()
	var items []unread[contract.ProductInput]
	for _, product := range products {
		text, err := json.Marshal(product)
		if err != nil {
			t.Fatal(err)
		}
		items = append(items, unread[contract.ProductInput]{text})
	}
	return items
}

func TestPathsCostWhatTheySay(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.putCategories(t, category("shirts", ""), category("empty", ""))
	s.putProducts(t, shirt("one", "shirts"))
	var many, changed []contract.ProductInput
	for i := range MaxBulkProducts {
		many = append(many, shirt(fmt.Sprintf("many-%d", i), "shirts"))
		changed = append(changed, shirt(fmt.Sprintf("many-%d", i)))
	}
	bulk := func(products []contract.ProductInput) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := s.service.writeMany(ctx, unreadProducts(t, products...))
			return err
		}
	}
	list := func(query listQuery) func(context.Context) error {
		query.market, query.limit = dollars(), 20
		return func(ctx context.Context) error { _, err := s.service.store.list(ctx, query); return err }
	}
	for _, c := range []struct {
		path                string
		run                 func(context.Context) error
		roundTrips, commits int64
	}{
		{"list", list(listQuery{}), 1, 0},
		{"list of a category", list(listQuery{category: "shirts"}), 1, 0},
		{"list of an empty category", list(listQuery{category: "empty"}), 2, 0},
		{"product", func(ctx context.Context) error {
			_, _, err := s.service.store.product(ctx, "one", dollars())
			return err
		}, 1, 0},
		{"categories", func(ctx context.Context) error { _, err := s.service.store.tree(ctx); return err }, 1, 0},
		{"priced SKUs", func(ctx context.Context) error {
			_, err := s.service.store.priced(ctx, []string{"one S/Blue", "one S/Red"}, dollars())
			return err
		}, 1, 0},
		{"bands that shoppers see, and their events", func(ctx context.Context) error {
			return s.service.store.setBands(ctx, s.service.writer, []contract.BandChange{
				{SKU: "one S/Blue", Band: contract.BandLow, Version: 1}, {SKU: "one S/Red", Band: contract.BandLow, Version: 1},
			})
		}, 4, 1},
		{"bands that change nothing", func(ctx context.Context) error {
			return s.service.store.setBands(ctx, s.service.writer, []contract.BandChange{{SKU: "one S/Blue", Band: contract.BandLow, Version: 2}})
		}, 3, 1},
		{"bulk of new products", bulk(many), 5, 1},
		{"bulk of the same products", bulk(many), 3, 1},
		{"bulk of changed products", bulk(changed), 5, 1},
	} {
		ctx, counter := sqldb.Count(t.Context())
		if err := c.run(ctx); err != nil {
			t.Errorf("%s: %v", c.path, err)
		}
		if counter.RoundTrips() != c.roundTrips || counter.Commits() != c.commits {
			t.Errorf("%s: %d round trips and %d commits, want %d and %d", c.path, counter.RoundTrips(), counter.Commits(), c.roundTrips, c.commits)
		}
	}
}

// Paging in pages of any sizes shows each product of the list once and no other.
func TestPagesShowEachProductOnce(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.putCategories(t, category("top", ""), category("left", "top"), category("right", "top"), category("apart", ""))
	wanted := map[string]map[string]bool{}
	add := func(list, slug string) {
		if wanted[list] == nil {
			wanted[list] = map[string]bool{}
		}
		wanted[list][slug] = true
	}
	var products []contract.ProductInput
	places := [][]string{{"left"}, {"right"}, {"left", "right"}, {"top", "left"}, {"apart"}, nil}
	for i := range 150 {
		product := mug(fmt.Sprintf("mug-%d", i), places[i%len(places)]...)
		product.Brand, product.Published = fmt.Sprintf("Brand %d", i%4), i%7 > 0
		products = append(products, product)
		if !product.Published {
			continue
		}
		inTop := len(product.Categories) > 0 && product.Categories[0] != "apart"
		add("", product.Slug)
		add("&brand=Brand 1", product.Slug)
		if product.Brand != "Brand 1" {
			delete(wanted["&brand=Brand 1"], product.Slug)
		} else if inTop {
			add("&category=top&brand=Brand 1", product.Slug)
		}
		for _, slug := range product.Categories {
			add("&category="+slug, product.Slug)
		}
		if inTop {
			add("&category=top", product.Slug)
		}
	}
	s.putProducts(t, products...)
	var lists []string
	for list := range wanted {
		lists = append(lists, list)
	}
	slices.Sort(lists)
	rapid.Check(t, func(rt *rapid.T) {
		list := rapid.SampledFrom(lists).Draw(rt, "list")
		seen, cursor := map[string]bool{}, ""
		for {
			filter, err := url.ParseQuery(list)
			if err != nil {
				rt.Fatal(err)
			}
			filter.Set("limit", fmt.Sprint(rapid.IntRange(1, 100).Draw(rt, "limit")))
			filter.Set("cursor", cursor)
			var page productList
			s.Do(t, http.MethodGet, "/api/v1/products?"+filter.Encode(), nil, &page)
			for _, item := range page.Items {
				if seen[item.Slug] || !wanted[list][item.Slug] {
					rt.Fatalf("%q shows %s again or without reason", list, item.Slug)
				}
				seen[item.Slug] = true
			}
			if cursor = page.NextCursor; cursor == "" {
				break
			}
		}
		if len(seen) != len(wanted[list]) {
			rt.Fatalf("%q shows %d of %d", list, len(seen), len(wanted[list]))
		}
	})
}

func TestABulkTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.putCategories(t, category("shirts", ""))
	bad := mug("bad")
	bad.Variants[0].Prices[0].Currency = "XYZ"
	products := []contract.ProductInput{shirt("one", "shirts"), mug("two"), bad, mug("lost", "nowhere")}
	products[0].Description = `<p style="x">soft & warm</p>`
	for _, want := range []string{outcomeCreated, outcomeUnchanged} {
		results := s.putProducts(t, products...).Results
		var got []string
		for _, result := range results {
			got = append(got, result.Slug+" "+result.Outcome+" "+result.Field)
		}
		if expected := []string{"one " + want + " ", "two " + want + " ", "bad refused variants[0].prices", "lost refused categories"}; !slices.Equal(got, expected) {
			t.Fatalf("got %q, want %q", got, expected)
		}
	}
	products[0].Title = "Another"
	if got := s.putProducts(t, products[:2]...).outcomes(); got[outcomeUpdated] != 1 || got[outcomeUnchanged] != 1 {
		t.Errorf("%v", got)
	}
	var told []string
	s.WaitEvent(t, contract.TopicProducts, func(event contract.Event) bool {
		var change contract.ProductChange
		if err := event.Decode(&change); err != nil {
			t.Fatal(err)
		}
		if change.Slug == "one" {
			told = append(told, fmt.Sprintf("%s %d", event.Type, event.AggregateVersion))
		}
		return event.Type == contract.ProductUpdated
	})
	if want := []string{"ProductCreated 1", "ProductUpdated 2"}; !slices.Equal(told, want) {
		t.Errorf("told %v, want %v", told, want)
	}
}

// Bulks that run at once and share slugs, SKUs and categories, while the categories move, end with each product once, whole, and
// where its categories say.
func TestWritersAtOnceLeaveAWholeCatalog(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.putCategories(t, category("left", ""), category("right", ""), category("shirts", "left"))
	const writers, rounds, shared = 4, 5, 12
	var crowd sync.WaitGroup
	for writer := range writers {
		crowd.Go(func() {
			for round := range rounds {
				var products []contract.ProductInput
				for i := range shared {
					product := shirt(fmt.Sprintf("shared-%d", (i*(writer+1)+round)%shared), "shirts")
					product.Title = fmt.Sprintf("Written by %d in round %d", writer, round)
					products = append(products, product)
				}
				thief := mug(fmt.Sprintf("thief-%d-%d", writer, round))
				thief.Variants[0].SKU = fmt.Sprintf("coveted-%d", round) // only one writer's thief can have it
				items := unreadProducts(t, append(products, thief)...)
				_, err := s.service.writeMany(t.Context(), items)
				for contract.CodeOf(err) == contract.CodeConflict { // told to try again
					_, err = s.service.writeMany(t.Context(), items)
				}
				if err != nil {
					t.Errorf("writer %d: %v", writer, err)
				}
			}
		})
	}
	crowd.Go(func() {
		for round := range rounds {
			parent := []string{"right", "left"}[round%2]
			if _, err := s.service.replaceCategory(t.Context(), "shirts", "", category("shirts", parent)); err != nil {
				t.Errorf("move: %v", err)
			}
		}
	})
	crowd.Wait()
	parent := []string{"left", "right"}[rounds%2]
	other := []string{"right", "left"}[rounds%2]
	if shirts := s.listed(t, "shirts"); len(shirts) != shared || !slices.Equal(shirts, s.listed(t, parent)) || len(s.listed(t, other)) != 0 {
		t.Errorf("shirts %v, %s %v, %s %v", shirts, parent, s.listed(t, parent), other, s.listed(t, other))
	}
	for i := range shared {
		var record Record
		s.Do(t, http.MethodGet, fmt.Sprintf("%s/shared-%d", adminProducts, i), nil, &record, s.admin(t))
		if len(record.Variants) != 4 || len(record.Variants[0].Prices) != 2 {
			t.Errorf("not whole: %+v", record)
		}
	}
	for round := range rounds {
		owners := 0
		for writer := range writers {
			if s.Do(t, http.MethodGet, fmt.Sprintf("/api/v1/products/thief-%d-%d", writer, round), nil, nil).StatusCode == http.StatusOK {
				owners++
			}
		}
		if owners != 1 {
			t.Errorf("the SKU of round %d has %d owners", round, owners)
		}
	}
}

func TestAPatchIsAppliedToWhatIsThere(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.putProducts(t, mug("mug"))
	var crowd sync.WaitGroup
	for writer := range 6 {
		crowd.Go(func() {
			patch := fmt.Appendf(nil, `{"attributes": {"by-%d": "yes"}}`, writer)
			for {
				_, err := s.service.patch(t.Context(), "mug", "", patch)
				if contract.CodeOf(err) == contract.CodeConflict { // told to try again
					continue
				}
				if err != nil {
					t.Error(err)
				}
				return
			}
		})
	}
	crowd.Wait()
	record, err := s.service.store.record(t.Context(), "mug")
	if err != nil || len(record.Attributes) != 6 || record.Version != 7 {
		t.Errorf("a patch was lost: version %d, %v, %v", record.Version, record.Attributes, err)
	}
	same, err := s.service.patch(t.Context(), "mug", "", []byte(`{}`))
	if err != nil || same.Version != 7 {
		t.Errorf("an empty patch made version %d, %v", same.Version, err)
	}
}
