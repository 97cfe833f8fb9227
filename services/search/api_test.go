package search

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/local/engine/enginetest"
	"github.com/meridian-store/meridian/local/kittest"
)

// shop is the service with a catalog that the test plays.
type shop struct {
	*kittest.Service
	shelf *shelf
}

func openShop(t *testing.T, products ...contract.ProductDocument) *shop {
	t.Helper()
	s := &shop{kittest.Start(t, Definition(), kittest.WithSearch()), &shelf{products: map[string]contract.ProductDocument{}}}
	for _, p := range products {
		s.shelf.set(p)
	}
	s.Neighbour(t, contract.ServiceCatalog, s.shelf.serve(t))
	kittest.Eventually(t, func() error {
		if got := s.Do(t, http.MethodGet, "/api/v1/search", nil, nil); got.StatusCode != http.StatusOK {
			return fmt.Errorf("there is no index: %s", got.Status)
		}
		return nil
	})
	return s
}

// serve answers as the catalog does.
func (s *shelf) serve(t *testing.T) http.Handler {
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, body any) {
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(body); err != nil {
			t.Log(err) // the caller has gone
		}
	}
	mux.HandleFunc("GET "+pathDocuments, func(w http.ResponseWriter, r *http.Request) {
		items, _ := s.page(r.Context(), r.URL.Query().Get("after"))
		answer(w, documents{items})
	})
	mux.HandleFunc("POST "+pathDocuments, func(w http.ResponseWriter, r *http.Request) {
		var asked struct{ IDs []string }
		if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
			t.Error(err)
		}
		items, _ := s.documents(r.Context(), asked.IDs)
		answer(w, documents{items})
	})
	mux.HandleFunc("GET "+pathDocuments+"/buckets/{bucket}", func(w http.ResponseWriter, r *http.Request) {
		sum, _ := s.bucket(r.Context(), r.PathValue("bucket"), r.URL.Query().Get("revisions") == "true")
		answer(w, sum)
	})
	mux.HandleFunc("GET "+pathDocuments+"/ids", func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		var ids []string
		for id, p := range s.products {
			if id > r.URL.Query().Get("after") && slices.Contains(p.Categories, r.URL.Query().Get("category")) {
				ids = append(ids, id)
			}
		}
		slices.Sort(ids)
		answer(w, map[string]any{"ids": ids})
	})
	mux.HandleFunc("GET "+pathDocuments+"/repriced", func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		answer(w, map[string]any{"ids": s.repriced, "until": r.URL.Query().Get("since")})
		s.repriced = nil
	})
	mux.HandleFunc("POST "+pathDocuments+"/owners", func(w http.ResponseWriter, _ *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		owners := map[string]string{}
		for id, p := range s.products {
			for _, sku := range p.SKUs {
				owners[sku] = id
			}
		}
		answer(w, map[string]any{"products": owners})
	})
	return mux
}

// find searches; the query is written as in an address.
func (s *shop) find(t *testing.T, query string) (Result, *http.Response) {
	t.Helper()
	var found Result
	got := s.Do(t, http.MethodGet, "/api/v1/search?"+query, nil, &found)
	if got.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", query, got.Status)
	}
	return found, got
}

func slugs(found Result) string {
	var all []string
	for _, hit := range found.Hits {
		all = append(all, hit.Slug)
	}
	return strings.Join(all, " ")
}

func product(slug, title string, price int64, change func(*contract.ProductDocument)) contract.ProductDocument {
	p := contract.ProductDocument{ID: geo.NewID("prd", "use"), Slug: slug, Title: title, Brand: "Ayers & Sons", Stock: contract.BandInStock, SKUs: []string{slug + "-1"},
		Prices: []contract.MarketPrice{{Currency: "USD", Amount: price}}, Revision: "1"}
	if change != nil {
		change(&p)
	}
	return p
}

func clothes() []contract.ProductDocument {
	in := func(slug, name string, options ...contract.Option) func(*contract.ProductDocument) {
		return func(p *contract.ProductDocument) {
			p.Categories, p.Places = []string{slug}, []contract.CategoryPlace{{Slug: "clothes", Name: "Clothes"}, {Slug: slug, Name: name}}
			p.Options = options
		}
	}
	colours := contract.Option{Name: "Color", Values: []string{"Blue", "Red"}}
	return []contract.ProductDocument{
		product("oxford", "Oxford Shirt", 5000, in("shirts", "Shirts", colours, contract.Option{Name: "Size", Values: []string{"S", "M"}})),
		product("linen", "Linen <b>Shirt</b>", 9000, in("shirts", "Shirts", contract.Option{Name: "Size", Values: []string{"L"}})),
		product("chino", "Chino Trousers", 2000, func(p *contract.ProductDocument) {
			in("trousers", "Trousers")(p)
			p.Stock, p.Brand = contract.BandOut, "Brushtail"
			p.Prices = append(p.Prices, contract.MarketPrice{Region: "eu-west", Currency: "USD", Amount: 1500})
		}),
	}
}

func TestShoppersFilterAndSortWhatTheyFind(t *testing.T) {
	t.Parallel()
	half := product("half", "Half Sock", 100_000, func(p *contract.ProductDocument) {
		p.Options = []contract.Option{{Name: "Size", Values: []string{"1.5"}}}
	})
	whole := product("whole", "Whole Sock", 100_001, func(p *contract.ProductDocument) {
		p.Options, p.Brand, p.Stock = []contract.Option{{Name: "Size", Values: []string{"15"}}}, "Ayers Sons", contract.BandOut
	})
	s := openShop(t, append(clothes(), half, whole)...)
	for query, want := range map[string]string{
		"q=shirts&sort=price_asc":         "oxford linen",
		"q=shirts&sort=price_desc":        "linen oxford",
		"q=shrit&sort=price_asc":          "oxford linen", // two letters changed places
		"q=oxf":                           "oxford",       // the last word's beginning
		"q=nonsensical":                   "",
		"category=clothes&sort=price_asc": "chino oxford linen",
		"category=trousers":               "chino",
		"category=none":                   "",
		"brand=" + url.QueryEscape("Ayers & Sons") + "&sort=price_asc": "oxford linen half",
		"in_stock=true&sort=price_asc":                                 "oxford linen half",
		"price_min=2001&price_max=5000":                                "oxford",
		"price_max=1999":                                               "",
		"price_max=1999&region=eu-west":                                "chino",
		"option.Color=Blue":                                            "oxford",
		"option.Size=M&option.Size=L&sort=price_asc":                   "oxford linen",
		"option.Size=L&option.Color=Blue":                              "",
		"option.Size=1.5":                                              "half",
		"q=pants":                                                      "chino", // by its synonym
		"q=shirt&currency=JPY":                                         "oxford linen",
		"q=shirt&currency=JPY&sort=price_asc":                          "oxford linen",
		"q=shirt&currency=JPY&price_min=1":                             "",
		"q=shirt&locale=de-DE&sort=price_asc&per_page=1":               "oxford",
		"sort=price_asc&per_page=1&page=3":                             "linen",
	} {
		got, _ := s.find(t, query)
		if strings.Contains(query, "JPY") && want != "" {
			if got.Found != 2 || got.Hits[0].PriceFrom != nil {
				t.Errorf("%s finds %q of %d", query, slugs(got), got.Found)
			}
		} else if slugs(got) != want {
			t.Errorf("%s finds %q, want %q", query, slugs(got), want)
		}
	}
}

// What is equal in all that counts stands in the same order in two indexes that were filled in different orders.
func TestTiesAreBrokenTheSameWayEverywhere(t *testing.T) {
	t.Parallel()
	url, key := enginetest.Search(t)
	s := &shelf{products: map[string]contract.ProductDocument{}}
	var ids []string
	for range 50 {
		p := product("p", "Plain Shirt", 1000, func(p *contract.ProductDocument) { p.CreatedAt = time.Unix(1_800_000_000, 0) })
		s.set(p)
		ids = append(ids, p.ID)
	}
	var orders []string
	for range 2 {
		x := openIndex(t, url, key, &shelf{products: map[string]contract.ProductDocument{}}, nil)
		if err := x.mend(t.Context()); err != nil {
			t.Fatal(err)
		}
		x.source = s
		rand.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
		for _, id := range ids {
			if err := x.sync(t.Context(), []string{id}); err != nil {
				t.Fatal(err)
			}
		}
		searcher := &Service{index: x, engine: x.engine, language: english}
		for _, sort := range []string{SortRelevance, SortPriceAsc, SortPriceDesc, SortNewest, SortBestSelling} {
			q := Query{Text: "shirt", Page: 1, PerPage: 50, Currency: "USD", Sort: sort}
			found, err := searcher.find(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			order := ""
			for _, hit := range searcher.result(q, found).Hits {
				order += hit.ID
			}
			orders = append(orders, order)
		}
	}
	if slices.Sort(orders); orders[0] == "" || len(slices.Compact(orders)) != 1 {
		t.Errorf("%d orders of the same products", len(slices.Compact(orders)))
	}
}

func TestAnAnswerTellsWhatElseThereIs(t *testing.T) {
	t.Parallel()
	s := openShop(t, clothes()...)
	found, response := s.find(t, "sort=price_asc&per_page=2")
	if got := fmt.Sprintf("%v %v %v %v", found.Facets.Category, found.Facets.Brand, found.Facets.Stock, found.Facets.Options); got !=
		`[{clothes Clothes 3} {shirts Shirts 2} {trousers Trousers 1}] [{Ayers & Sons  2} {Brushtail  1}] [{in_stock  2} {out  1}] map[Color:[{Blue  1} {Red  1}] Size:[{L  1} {M  1} {S  1}]]` {
		t.Errorf("facets: %s", got)
	}
	if prices := found.Facets.Price; len(prices) != 2 || prices[0].Min != 0 || *prices[0].Max != 2499 || prices[1].Min != 5000 || *prices[1].Max != 9999 || prices[1].Count != 2 {
		t.Errorf("prices: %+v", prices)
	}
	if found.Found != 3 || found.Page != 1 || response.Header.Get("Link") != `</api/v1/search?page=2&per_page=2&sort=price_asc>; rel="next"` {
		t.Errorf("%d, page %d, next %s", found.Found, found.Page, response.Header.Get("Link"))
	}
	for name, want := range map[string]string{"Cache-Control": browserCaching, "CDN-Cache-Control": edgeCaching, "Cache-Tag": "search"} {
		if got := response.Header.Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	again := s.Do(t, http.MethodGet, "/api/v1/search?sort=price_asc&per_page=2", nil, nil, map[string]string{"If-None-Match": response.Header.Get("ETag")})
	if again.StatusCode != http.StatusNotModified {
		t.Errorf("the same once more: %s", again.Status)
	}
	if found, response = s.find(t, "sort=price_asc&per_page=2&page=2"); len(found.Hits) != 1 || response.Header.Get("Link") != "" {
		t.Errorf("the last page: %+v, next %s", found.Hits, response.Header.Get("Link"))
	}
	found, _ = s.find(t, "q=linen+shrit")
	if len(found.Hits) == 0 || found.DidYouMean != "linen shirt" {
		t.Errorf("a typo: %+v", found)
	}
	if marked := found.Hits[0].Highlights; len(marked) != 1 || marked[0].HTML != "<mark>Linen</mark> &lt;b&gt;<mark>Shirt</mark>&lt;/b&gt;" {
		t.Errorf("highlights: %+v", marked)
	}
}

func TestABeginningSuggestsProductsAndCategories(t *testing.T) {
	t.Parallel()
	s := openShop(t, clothes()...)
	var found Suggestions
	s.Do(t, http.MethodGet, "/api/v1/search/suggest?q=Shi", nil, &found)
	if len(found.Products) != 2 || len(found.Categories) != 1 || found.Categories[0] != (SuggestedCategory{Slug: "shirts", Name: "Shirts", Count: 2}) {
		t.Errorf("%+v", found)
	}
	for _, p := range found.Products {
		if p.Slug == "linen" && p.HTML != "Linen &lt;b&gt;<mark>Shirt</mark>&lt;/b&gt;" {
			t.Errorf("%+v", p)
		}
	}
	found = Suggestions{}
	if got := s.Do(t, http.MethodGet, "/api/v1/search/suggest?q=%20", nil, &found); got.StatusCode != http.StatusOK || len(found.Products) != 0 {
		t.Errorf("nothing typed: %s %+v", got.Status, found)
	}
}

func TestWhatCanNotBeAskedIsRefusedByName(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	for query, field := range map[string]string{
		"q=" + strings.Repeat("a", 201): "q", "q=%00": "q", "q=%ff": "q", "brand=%60": "brand", "category=%60": "category", "price_min=-1": "price_min", "price_max=x": "price_max",
		"price_min=2&price_max=1": "price_min", "sort=random": "sort", "page=0": "page", "per_page=101": "per_page", "page=101&per_page=100": "page", "in_stock=perhaps": "in_stock",
		"currency=dollars": "currency", "currency=XXY": "currency", "region=atlantis": "region", "option.=x": "option.", "option.Size=%60": "option.Size", "locale=%60": "locale",
		"price_max=9999999999999": "price_max",
	} {
		got := s.Do(t, http.MethodGet, "/api/v1/search?"+query, nil, nil)
		var problem struct{ Field string }
		if err := json.NewDecoder(got.Body).Decode(&problem); err != nil || got.StatusCode != http.StatusBadRequest || problem.Field != field {
			t.Errorf("%.40s: %s, field %q (%v)", query, got.Status, problem.Field, err)
		}
	}
}
