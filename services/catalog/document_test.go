package catalog

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meridian-store/meridian/contract"
)

type documentsAnswer struct {
	Items []contract.ProductDocument `json:"items"`
}

func (s shop) documents(t testing.TB, ids ...string) []contract.ProductDocument {
	t.Helper()
	var answer documentsAnswer
	response := s.Do(t, http.MethodPost, "/internal/v1/documents", map[string]any{"ids": ids}, &answer, s.Internal())
	if response.StatusCode != http.StatusOK {
		t.Fatalf("documents: %d %s", response.StatusCode, body(t, response))
	}
	return answer.Items
}

func (s shop) productID(t testing.TB, slug string) string {
	t.Helper()
	record, err := s.service.store.record(t.Context(), slug)
	if err != nil {
		t.Fatal(err)
	}
	return record.ID
}

// A document's prices are those that the product's own page shows, in every market.
func TestADocumentHasThePricesThatAPageShows(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.putProducts(t, shirt("priced"), mug("plain"))
	everyone := s.list(t, contract.PriceListInput{Currency: "USD", Priority: 9}, priceOf("priced S/Red", 1500), priceOf("priced M/Red", 900))
	s.list(t, contract.PriceListInput{Currency: "USD", Region: "eu-west"}, priceOf("priced S/Blue", 1200), priceOf("priced M/Red", 5000))
	s.list(t, contract.PriceListInput{Currency: "EUR", Region: "eu-west"}, priceOf("priced S/Blue", 1))
	later := time.Now().Add(time.Hour)
	s.list(t, contract.PriceListInput{Currency: "USD", Region: "us-east", StartsAt: &later}, priceOf("plain", 1))
	for _, document := range s.documents(t, s.productID(t, "priced"), s.productID(t, "plain")) {
		told := map[string]int64{}
		for _, price := range document.Prices {
			told[price.Region+"/"+price.Currency] = price.Amount
		}
		for _, market := range []market{
			{currency: "USD"}, {currency: "EUR"}, {currency: "USD", region: "eu-west"}, {currency: "EUR", region: "eu-west"},
			{currency: "USD", region: "us-east"},
		} {
			market.at = time.Now()
			product, _, err := s.service.store.product(t.Context(), document.ID, market)
			if err != nil {
				t.Fatal(err)
			}
			amount, priced := told[market.region+"/"+market.currency]
			if priced != (product.PriceFrom != nil) || priced && amount != product.PriceFrom.Amount {
				t.Errorf("%s in %+v: the document says %d (%t), the page %v", document.Slug, market, amount, priced, product.PriceFrom)
			}
			delete(told, market.region+"/"+market.currency)
		}
		if len(told) > 0 {
			t.Errorf("%s: prices of nobody: %v", document.Slug, told)
		}
	}
	if everyone.Priority != 9 {
		t.Errorf("the list: %+v", everyone)
	}
}

// Whatever an index shows, its change changes the revision, and the bucket's digest with it.
func TestARevisionFollowsEveryChange(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.putCategories(t, contract.CategoryInput{Slug: "clothes", Name: "Clothes"}, contract.CategoryInput{Slug: "shirts", Name: "Shirts", Parent: "clothes"})
	s.putProducts(t, shirt("changing", "shirts"))
	id := s.productID(t, "changing")
	bucket := id[len(id)-1:]
	read := func() (contract.ProductDocument, contract.DocumentBucket) {
		var sum contract.DocumentBucket
		s.Do(t, http.MethodGet, "/internal/v1/documents/buckets/"+bucket+"?revisions=true", nil, &sum, s.Internal())
		return s.documents(t, id)[0], sum
	}
	before, sum := read()
	if before.Revision != sum.Revisions[id] || sum.Count != 1 || before.Stock != contract.BandOut ||
		!slices.Equal(before.Places, []contract.CategoryPlace{{Slug: "clothes", Name: "Clothes"}, {Slug: "shirts", Name: "Shirts"}}) {
		t.Fatalf("%+v\n%+v", before, sum)
	}
	var list contract.PriceList
	changes := []struct {
		name string
		do   func()
	}{
		{"title", func() { changed := shirt("changing", "shirts"); changed.Title = "Another"; s.putProducts(t, changed) }},
		{"band", func() {
			if err := s.service.store.setBands(t.Context(), s.service.writer, []contract.BandChange{{SKU: "changing S/Blue", Band: contract.BandLow, Version: 1}}); err != nil {
				t.Fatal(err)
			}
		}},
		{"category's name", func() { s.putCategories(t, contract.CategoryInput{Slug: "clothes", Name: "Clothing"}) }},
		{"category's place", func() { s.putCategories(t, contract.CategoryInput{Slug: "shirts", Name: "Shirts"}) }},
		{"price list", func() { list = s.list(t, contract.PriceListInput{Currency: "USD"}, priceOf("changing M/Red", 5)) }},
		{"listed price", func() { s.price(t, list.ID, priceOf("changing M/Red", 4)) }},
		{"first list of a region", func() { s.list(t, contract.PriceListInput{Currency: "EUR", Region: "eu-west"}) }},
	}
	for _, change := range changes {
		change.do()
		after, sumAfter := read()
		if after.Revision == before.Revision || sumAfter.Digest == sum.Digest || after.Revision != sumAfter.Revisions[id] {
			t.Errorf("%s: revision %s after %s, digest %s after %s", change.name, after.Revision, before.Revision, sumAfter.Digest, sum.Digest)
		}
		before, sum = after, sumAfter
	}
	unpublished := shirt("changing", "shirts")
	unpublished.Published = false
	s.putProducts(t, unpublished)
	if gone := s.documents(t, id); len(gone) != 0 {
		t.Errorf("an unpublished product has a document: %+v", gone)
	}
}

func TestDocumentsArePagedAndFoundByTheirSKUsCategoriesAndTimes(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.putCategories(t, contract.CategoryInput{Slug: "clothes", Name: "Clothes"}, contract.CategoryInput{Slug: "shirts", Name: "Shirts", Parent: "clothes"})
	s.putProducts(t, shirt("a", "shirts"), shirt("b", "shirts"), shirt("c"))
	var slugs []string
	for after := ""; ; {
		var page documentsAnswer
		s.Do(t, http.MethodGet, "/internal/v1/documents?limit=2&after="+after, nil, &page, s.Internal())
		for _, item := range page.Items {
			slugs, after = append(slugs, item.Slug), item.ID
		}
		if len(page.Items) < 2 {
			break
		}
	}
	if slices.Sort(slugs); !slices.Equal(slugs, []string{"a", "b", "c"}) {
		t.Errorf("pages hold %v", slugs)
	}
	var ids struct {
		IDs   []string  `json:"ids"`
		Until time.Time `json:"until"`
	}
	s.Do(t, http.MethodGet, "/internal/v1/documents/ids?category=clothes", nil, &ids, s.Internal())
	if len(ids.IDs) != 2 {
		t.Errorf("the category's products: %v", ids.IDs)
	}
	var owners struct {
		Products map[string]string `json:"products"`
	}
	s.Do(t, http.MethodPost, "/internal/v1/documents/owners", map[string]any{"skus": []string{"c S/Red", "nobody's"}}, &owners, s.Internal())
	if len(owners.Products) != 1 || owners.Products["c S/Red"] != s.productID(t, "c") {
		t.Errorf("owners: %v", owners.Products)
	}
	began, ends := time.Now().Add(-time.Minute), time.Now().Add(time.Hour)
	s.list(t, contract.PriceListInput{Currency: "USD", StartsAt: &began, EndsAt: &ends}, priceOf("b S/Red", 3))
	for since, want := range map[time.Time]int{began.Add(-time.Second): 1, began.Add(time.Second): 0} {
		ids.IDs = nil
		s.Do(t, http.MethodGet, "/internal/v1/documents/repriced?since="+since.UTC().Format(time.RFC3339Nano), nil, &ids, s.Internal())
		if len(ids.IDs) != want || ids.Until.Before(began) {
			t.Errorf("repriced since %s: %v until %s", since, ids.IDs, ids.Until)
		}
	}
}

func TestDocumentStatementsUseTheirIndexes(t *testing.T) {
	t.Parallel()
	s := open(t)
	fill(t, s, 800)
	list := s.list(t, contract.PriceListInput{Currency: "USD"})
	var items []contract.ListPrice
	for n := range 800 {
		items = append(items, priceOf(fmt.Sprintf("p-%d S/Blue", n), 1500))
	}
	s.price(t, list.ID, items...)
	s.list(t, contract.PriceListInput{Currency: "USD", Region: "eu-west"}, items[:3]...)
	analyze(t, s)
	now, ids := time.Now(), []string{s.productID(t, "p-16"), s.productID(t, "p-32")}
	for name, c := range map[string]struct {
		sql     string
		args    []any
		indexes []string
	}{
		"by id":    {documentsByID, []any{now, ids}, []string{"products_pkey", "variants_by_product", "prices_pkey", "product_categories_by_product"}},
		"page":     {pageOfDocuments, []any{now, ids[0], 20}, []string{"products_list", "variants_by_product", "prices_pkey"}},
		"bucket":   {statesOfBucket, []any{now, "7"}, []string{"products_by_bucket", "variants_by_product", "product_categories_by_product"}},
		"category": {idsOfCategory, []any{"shirts", "", 20}, []string{"product_categories_pkey"}},
		"repriced": {idsRepriced, []any{now, now, 20}, []string{"price_list_prices", "variants_sku"}},
	} {
		plan := explain(t, s, c.sql, c.args...)
		for _, index := range c.indexes {
			if !strings.Contains(plan, index) {
				t.Errorf("%s does not use %s:\n%s", name, index, plan)
			}
		}
		for _, table := range []string{"products", "variants", "prices", "product_categories", "price_list_prices"} {
			if strings.Contains(plan, "Seq Scan on "+table+" ") {
				t.Errorf("%s reads all of %s:\n%s", name, table, plan)
			}
		}
	}
}

func TestDocumentsAreForServicesOnly(t *testing.T) {
	t.Parallel()
	s := open(t)
	if response := s.Do(t, http.MethodGet, "/internal/v1/documents", nil, nil); response.StatusCode < 400 {
		t.Errorf("anyone may read documents: %d", response.StatusCode)
	}
	var many []string
	for i := range contract.MaxDocuments + 1 {
		many = append(many, fmt.Sprint(i))
	}
	if response := s.Do(t, http.MethodPost, "/internal/v1/documents", map[string]any{"ids": many}, nil, s.Internal()); response.StatusCode != http.StatusBadRequest {
		t.Errorf("%d ids: %d", len(many), response.StatusCode)
	}
}
