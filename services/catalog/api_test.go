package catalog

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/httpx"
	"github.com/meridian-store/meridian/local/kittest"
)

const adminProducts, adminCategories = "/api/v1/admin/products", "/api/v1/admin/categories"

// refused checks that an answer is a problem of a code that names a field.
func refused(t *testing.T, response *http.Response, code contract.Code, field string) {
	t.Helper()
	var problem httpx.Problem
	if err := json.NewDecoder(response.Body).Decode(&problem); err != nil {
		t.Errorf("status %d: %v", response.StatusCode, err)
		return
	}
	if problem.Code() != code || problem.Field != field {
		t.Errorf("%d %s, field %q (%s); want %s, field %q", response.StatusCode, problem.Code(), problem.Field, problem.Detail, code, field)
	}
}

func TestAProductsLife(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.putCategories(t, category("clothes", ""), category("shirts", "clothes"), category("sale", ""))
	draft := shirt("ayers", "shirts")
	draft.Published, draft.Description = false, `<p onclick="x()">Soft</p><script>x()</script>`
	var made Record
	response := s.Do(t, http.MethodPost, adminProducts, draft, &made, s.admin(t))
	path := adminProducts + "/" + made.ID
	if response.StatusCode != http.StatusCreated || response.Header.Get("Location") != path || response.Header.Get("ETag") != recordTag(made.ID, 1) {
		t.Fatalf("created: %d %v", response.StatusCode, response.Header)
	}
	if made.Description != "<p>Soft</p>" {
		t.Errorf("stored %q", made.Description)
	}
	refused(t, s.Do(t, http.MethodPost, adminProducts, draft, nil, s.admin(t)), contract.CodeConflict, "slug")
	refused(t, s.Do(t, http.MethodGet, "/api/v1/products/ayers", nil, nil), contract.CodeNotFound, "")

	var read Record
	s.Do(t, http.MethodGet, adminProducts+"/ayers", nil, &read, s.admin(t))
	if fmt.Sprintf("%+v", read) != fmt.Sprintf("%+v", made) {
		t.Errorf("read %+v\nmade %+v", read, made)
	}

	// Nothing changes: no new version.
	response = s.Do(t, http.MethodPut, path, draft, &read, s.admin(t, "If-Match", recordTag(made.ID, 1)))
	if response.StatusCode != http.StatusOK || read.Version != 1 {
		t.Errorf("an unchanged product: %d, version %d", response.StatusCode, read.Version)
	}
	read = Record{}
	response = s.Do(t, http.MethodPatch, path, []byte(`{"published": true, "categories": ["shirts", "sale"], "brand": null}`), &read, s.admin(t, "If-Match", recordTag(made.ID, 1)))
	if response.StatusCode != http.StatusOK || read.Version != 2 || !read.Published || read.Brand != "" || !slices.Equal(read.Categories, []string{"sale", "shirts"}) {
		t.Fatalf("patched: %d %+v", response.StatusCode, read)
	}
	renamed := draft
	renamed.Slug, renamed.Published, renamed.Variants = "ayers-chambray", true, draft.Variants[:2]
	for _, stale := range []struct{ method, path string }{{http.MethodPut, path}, {http.MethodPatch, path}, {http.MethodDelete, path}} {
		refused(t, s.Do(t, stale.method, stale.path, renamed, nil, s.admin(t, "If-Match", recordTag(made.ID, 1))), contract.CodeStale, "")
	}
	if response := s.Do(t, http.MethodPut, path, renamed, &read, s.admin(t, "If-Match", recordTag(made.ID, 2))); response.StatusCode != http.StatusOK {
		t.Fatalf("renamed: %d", response.StatusCode)
	}
	var shown contract.Product
	s.Do(t, http.MethodGet, "/api/v1/products/ayers-chambray", nil, &shown)
	if shown.ID != made.ID || shown.Version != 3 || len(shown.Variants) != 2 || shown.Variants[0].Title != "S / Blue" || *shown.PriceFrom != (contract.Money{Amount: 2000, Currency: "USD"}) {
		t.Errorf("shown: %+v", shown)
	}
	refused(t, s.Do(t, http.MethodGet, "/api/v1/products/ayers", nil, nil), contract.CodeNotFound, "")

	if response := s.Do(t, http.MethodDelete, path, nil, nil, s.admin(t, "If-Match", recordTag(made.ID, 3))); response.StatusCode != http.StatusNoContent {
		t.Errorf("deleted: %d", response.StatusCode)
	}
	refused(t, s.Do(t, http.MethodDelete, path, nil, nil, s.admin(t)), contract.CodeNotFound, "")
	refused(t, s.Do(t, http.MethodGet, "/api/v1/products/"+made.ID, nil, nil), contract.CodeNotFound, "")
	expectLife(t, s, made.ID)
}

// expectLife checks that each change was told once, in order, with the categories before and after it.
func expectLife(t *testing.T, s shop, id string) {
	t.Helper()
	var told []string
	s.WaitEvent(t, contract.TopicProducts, func(event contract.Event) bool {
		if event.Subject != id {
			return false
		}
		var change contract.ProductChange
		if err := event.Decode(&change); err != nil {
			t.Fatal(err)
		}
		told = append(told, fmt.Sprintf("%s %d %s %t %s %d", event.Type, event.AggregateVersion, change.Slug, change.Published,
			strings.Join(change.Categories, ","), len(change.SKUs)))
		return event.Type == contract.ProductDeleted
	})
	want := []string{
		"ProductCreated 1 ayers false clothes,shirts 4", "ProductUpdated 2 ayers true clothes,sale,shirts 4",
		"ProductUpdated 3 ayers-chambray true clothes,sale,shirts 4", "ProductDeleted 4 ayers-chambray false clothes,shirts 2",
	}
	if !slices.Equal(told, want) {
		t.Errorf("told\n%s\nwant\n%s", strings.Join(told, "\n"), strings.Join(want, "\n"))
	}
}

func TestOnlyThoseWhoKeepTheCatalogWrite(t *testing.T) {
	t.Parallel()
	s := open(t)
	for _, call := range []struct{ method, path string }{
		{"POST", adminProducts}, {"POST", adminProducts + "/bulk"}, {"GET", adminProducts + "/x"}, {"PUT", adminProducts + "/x"}, {"PATCH", adminProducts + "/x"},
		{"DELETE", adminProducts + "/x"}, {"POST", adminCategories}, {"POST", adminCategories + "/bulk"}, {"GET", adminCategories},
		{"GET", adminCategories + "/x"}, {"PUT", adminCategories + "/x"}, {"DELETE", adminCategories + "/x"},
	} {
		refused(t, s.Do(t, call.method, call.path, nil, nil), contract.CodeUnauthorized, "")
		for _, role := range []string{contract.RoleShopper, contract.RoleSupport} {
			response := s.Do(t, call.method, call.path, nil, nil, map[string]string{"Authorization": s.Token(t, role)})
			refused(t, response, contract.CodeForbidden, "")
		}
	}
	if response := s.Do(t, "POST", adminProducts, mug("a"), nil, map[string]string{"Authorization": s.Token(t, contract.RoleAdmin)}); response.StatusCode != http.StatusCreated {
		t.Errorf("an admin: %d", response.StatusCode)
	}
}

func TestBadRequestsNameTheField(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.putProducts(t, mug("mine"), mug("other"))
	for path, field := range map[string]string{
		"/api/v1/products?limit=0": "limit", "/api/v1/products?limit=101": "limit", "/api/v1/products?limit=x": "limit",
		"/api/v1/products?cursor=x": "cursor", "/api/v1/products?currency=usd": "currency", "/api/v1/products?category=A%20b": "category",
		"/api/v1/products/mine?currency=XXQ": "currency",
	} {
		refused(t, s.Do(t, http.MethodGet, path, nil, nil), contract.CodeInvalid, field)
	}
	refused(t, s.Do(t, http.MethodGet, "/api/v1/products?category=nowhere", nil, nil), contract.CodeNotFound, "category")
	refused(t, s.Do(t, http.MethodGet, "/api/v1/products/No%20such", nil, nil), contract.CodeNotFound, "")
	taken := mug("new")
	taken.Variants[0].SKU = "mine"
	refused(t, s.Do(t, http.MethodPost, adminProducts, taken, nil, s.admin(t)), contract.CodeConflict, "variants[0].sku")
	refused(t, s.Do(t, http.MethodPut, adminProducts+"/other", mug("mine"), nil, s.admin(t)), contract.CodeConflict, "")
	refused(t, s.Do(t, http.MethodPatch, adminProducts+"/mine", []byte(`{"title": 1}`), nil, s.admin(t)), contract.CodeInvalid, "title")
	refused(t, s.Do(t, http.MethodPatch, adminProducts+"/mine", []byte(`{`), nil, s.admin(t)), contract.CodeInvalid, "")
	refused(t, s.Do(t, http.MethodPost, adminProducts, map[string]any{"slug": "a", "titel": "b", "published": true, "variants": []any{}}, nil, s.admin(t)), contract.CodeInvalid, "title")
	var many []contract.ProductInput
	for i := range MaxBulkProducts + 1 {
		many = append(many, mug(fmt.Sprintf("m-%d", i)))
	}
	refused(t, s.Do(t, http.MethodPost, adminProducts+"/bulk", bulkOf(many...), nil, s.admin(t)), contract.CodeInvalid, "items")
	refused(t, s.Do(t, http.MethodPost, adminProducts+"/bulk", bulkOf(), nil, s.admin(t)), contract.CodeInvalid, "items")
}

func TestPublicReadsMayBeCached(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.putCategories(t, category("clothes", ""), category("shirts", "clothes"))
	s.putProducts(t, shirt("one", "shirts"), shirt("two", "shirts"))
	var one, two contract.Product
	s.Do(t, http.MethodGet, "/api/v1/products/one", nil, &one)
	s.Do(t, http.MethodGet, "/api/v1/products/two", nil, &two)
	for path, tags := range map[string][]string{
		"/api/v1/products/one":                         {"product:" + one.ID, "price:USD"},
		"/api/v1/products?category=clothes":            {"list:category:clothes", "product:" + one.ID, "product:" + two.ID, "price:USD"},
		"/api/v1/products?brand=Ayers":                 {contract.BrandListTag("Ayers"), "product:" + one.ID, "product:" + two.ID, "price:USD"},
		"/api/v1/products?currency=EUR&region=eu-west": {"list", "product:" + one.ID, "product:" + two.ID, "price:EUR", "price:EUR:eu-west"},
		"/api/v1/categories":                           {"categories"},
	} {
		first := s.Do(t, http.MethodGet, path, nil, nil)
		body, err := io.ReadAll(first.Body)
		if err != nil {
			t.Fatal(err)
		}
		header := first.Header
		if header.Get("Cache-Control") != browserCaching || header.Get("CDN-Cache-Control") != edgeCaching || header.Get("ETag") == "" {
			t.Errorf("%s: %v", path, header)
		}
		if got := strings.Split(header.Get("Cache-Tag"), ","); !slices.Equal(sortedSet(got), sortedSet(tags)) {
			t.Errorf("%s: Cache-Tag %v, want %v", path, got, tags)
		}
		again := s.Do(t, http.MethodGet, path, nil, nil, map[string]string{"If-None-Match": `"x", ` + header.Get("ETag")})
		if rest, err := io.ReadAll(again.Body); again.StatusCode != http.StatusNotModified || len(rest) > 0 || err != nil || again.Header.Get("ETag") != header.Get("ETag") {
			t.Errorf("%s again: %d, %d bytes, %v", path, again.StatusCode, len(rest), err)
		}
		head := s.Do(t, http.MethodHead, path, nil, nil)
		if head.StatusCode != http.StatusOK || head.Header.Get("ETag") != header.Get("ETag") || head.ContentLength != int64(len(body)) {
			t.Errorf("HEAD %s: %d, %d bytes for %d", path, head.StatusCode, head.ContentLength, len(body))
		}
		authorized := s.Do(t, http.MethodGet, path, nil, nil, s.admin(t))
		if other, err := io.ReadAll(authorized.Body); err != nil || string(other) != string(body) {
			t.Errorf("%s depends on who asks", path)
		}
	}
	if missing := s.Do(t, http.MethodGet, "/api/v1/products/none", nil, nil); missing.StatusCode != http.StatusNotFound ||
		missing.Header.Get("CDN-Cache-Control") != absenceCaching || missing.Header.Get("Cache-Tag") != "absent:none" {
		t.Errorf("a missing product: %d %v", missing.StatusCode, missing.Header)
	}
	if missing := s.Do(t, http.MethodGet, "/api/v1/products?category=hats", nil, nil); missing.StatusCode != http.StatusNotFound || missing.Header.Get("Cache-Tag") != "list:category:hats" {
		t.Errorf("a missing category: %d %v", missing.StatusCode, missing.Header)
	}
	if odd := s.Do(t, http.MethodGet, "/api/v1/products/none%0d%0aX-Evil:1,product", nil, nil); odd.Header.Get("Cache-Tag") != "" || odd.Header.Get("X-Evil") != "" {
		t.Errorf("an odd name went into the headers: %v", odd.Header)
	}
	if bad := s.Do(t, http.MethodGet, "/api/v1/products?limit=0", nil, nil); bad.Header.Get("CDN-Cache-Control") != "" {
		t.Errorf("a bad request may be cached: %v", bad.Header)
	}
	list := s.Do(t, http.MethodGet, "/api/v1/products?category=clothes&limit=1&currency=EUR", nil, nil)
	link, closed := strings.CutSuffix(strings.TrimPrefix(list.Header.Get("Link"), "<"), `>; rel="next"`)
	var next productList
	if s.Do(t, http.MethodGet, link, nil, &next); !closed || len(next.Items) != 1 || next.NextCursor != "" || next.Items[0].PriceFrom.Currency != "EUR" {
		t.Errorf("the next page at %q: %+v", link, next)
	}
}

func TestPricesAreInTheAskedCurrencyOrAbsent(t *testing.T) {
	t.Parallel()
	s := open(t)
	product := shirt("one")
	product.Variants[3].Prices = product.Variants[3].Prices[:1] // its last variant has no price in euro
	s.putProducts(t, product)
	for currency, want := range map[string]int{"USD": 4, "EUR": 3, "JPY": 0} {
		var shown contract.Product
		s.Do(t, http.MethodGet, "/api/v1/products/one?currency="+currency, nil, &shown)
		priced := 0
		for _, variant := range shown.Variants {
			if variant.Price != nil && variant.Price.Currency == currency {
				priced++
			}
			if (variant.CompareAtPrice != nil) != (currency == "USD") {
				t.Errorf("%s: compare at %v", currency, variant.CompareAtPrice)
			}
		}
		if priced != want || (shown.PriceFrom == nil) != (want == 0) {
			t.Errorf("%s: %d variants priced from %v, want %d", currency, priced, shown.PriceFrom, want)
		}
		var list productList
		s.Do(t, http.MethodGet, "/api/v1/products?currency="+currency, nil, &list)
		if got := list.Items[0].PriceFrom; (got == nil) != (shown.PriceFrom == nil) || got != nil && *got != *shown.PriceFrom {
			t.Errorf("%s: listed from %v, shown from %v", currency, got, shown.PriceFrom)
		}
	}
}

func TestBandsFollowTheInventory(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.putProducts(t, shirt("one"), mug("mug"))
	sku := "one M/Red"
	tell := func(data any) {
		body, err := json.Marshal(data)
		if err != nil {
			t.Fatal(err)
		}
		s.Publish(t, contract.TopicInventory, contract.Event{SpecVersion: "1.0", ID: "evt", Source: "/us-east/inventory", Type: contract.StockBandChanged,
			Subject: sku, OriginRegion: "us-east", Data: body})
	}
	expect := func(product string, want contract.Band) {
		t.Helper()
		kittest.Eventually(t, func() error {
			var shown contract.Product
			s.Do(t, http.MethodGet, "/api/v1/products/"+product, nil, &shown)
			if shown.Stock != want {
				return fmt.Errorf("%s is %s, want %s", product, shown.Stock, want)
			}
			return nil
		})
	}
	expect("one", contract.BandOut)
	before := s.Do(t, http.MethodGet, "/api/v1/products", nil, nil).Header.Get("ETag")
	tell("no band at all")
	tell(contract.BandChange{SKU: sku, Band: "plenty", Version: 9})
	tell(contract.BandChange{SKU: sku, Band: contract.BandLow, Version: 2})
	tell(contract.BandChange{SKU: sku, Band: contract.BandInStock, Version: 1}) // late, and so of no account
	tell(contract.BandChange{SKU: "mug", Band: contract.BandInStock, Version: 1})
	expect("mug", contract.BandInStock)
	expect("one", contract.BandLow)
	if after := s.Do(t, http.MethodGet, "/api/v1/products", nil, nil).Header.Get("ETag"); after == before {
		t.Error("a list that shows another band has the same ETag")
	}
	var answer struct {
		Items []contract.PricedSKU `json:"items"`
	}
	s.Do(t, http.MethodPost, "/internal/v1/skus", contract.SKUQuery{SKUs: []string{sku, "mug", "one S/Blue", "none"}, Currency: "EUR"}, &answer, s.Internal())
	if len(answer.Items) != 3 || answer.Items[0].Stock != contract.BandInStock || answer.Items[0].Price != nil || answer.Items[1].SKU != sku ||
		answer.Items[1].Stock != contract.BandLow || answer.Items[1].Price.Amount != 2000 || answer.Items[1].VariantTitle != "M / Red" ||
		answer.Items[1].Image == nil || answer.Items[2].Stock != contract.BandOut {
		t.Errorf("priced: %+v", answer.Items)
	}
	if response := s.Do(t, http.MethodPost, "/internal/v1/skus", contract.SKUQuery{SKUs: []string{sku}, Currency: "EUR"}, nil); response.StatusCode != http.StatusNotFound {
		t.Errorf("a stranger priced SKUs: %d", response.StatusCode)
	}
}

func TestTheAPIDescribesWhatItTakes(t *testing.T) {
	t.Parallel()
	s := open(t)
	var document struct {
		Paths      map[string]map[string]any `json:"paths"`
		Components map[string]map[string]any `json:"components"`
	}
	s.Do(t, http.MethodGet, "/openapi.json", nil, &document)
	for _, name := range []string{"Product", "ProductInput", "ProductList", "CategoryTree", "Category", "CategoryInput", "Record", "BulkResult"} {
		if document.Components["schemas"][name] == nil {
			t.Errorf("%s is not described", name)
		}
	}
	for path, methods := range map[string]int{"/api/v1/products": 1, "/api/v1/products/{id}": 1, "/api/v1/admin/products/{id}": 4, "/internal/v1/skus": 0} {
		if got := len(document.Paths[path]); got != methods {
			t.Errorf("%s has %d methods, want %d", path, got, methods)
		}
	}
}
