package catalog

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/local/kittest"
)

const adminLists = "/api/v1/admin/price-lists"

func priceOf(sku string, amount int64) contract.ListPrice {
	return contract.ListPrice{SKU: sku, Amount: &amount}
}

func prices(t testing.TB, items ...contract.ListPrice) []unread[contract.ListPrice] {
	t.Helper()
	var unreadItems []unread[contract.ListPrice]
	for _, item := range items {
		text, err := json.Marshal(item)
		if err != nil {
			t.Fatal(err)
		}
		unreadItems = append(unreadItems, unread[contract.ListPrice]{text})
	}
	return unreadItems
}

// list makes a price list with prices.
func (s shop) list(t testing.TB, input contract.PriceListInput, items ...contract.ListPrice) contract.PriceList {
	t.Helper()
	var made contract.PriceList
	if input.Name == "" {
		input.Name = "a list"
	}
	if response := s.Do(t, http.MethodPost, adminLists, input, &made, s.admin(t)); response.StatusCode != http.StatusCreated {
		t.Fatalf("make a price list: %d %v", response.StatusCode, body(t, response))
	}
	if len(items) > 0 {
		s.price(t, made.ID, items...)
	}
	return made
}

// price writes prices of a list, all of which must be granted.
func (s shop) price(t testing.TB, list string, items ...contract.ListPrice) (etag string) {
	t.Helper()
	var answer struct {
		Results []contract.ListPriceResult `json:"results"`
	}
	response := s.Do(t, http.MethodPut, adminLists+"/"+list+"/prices", map[string]any{"items": items}, &answer, s.admin(t))
	for _, result := range answer.Results {
		if result.Outcome == outcomeRefused {
			t.Fatalf("a price was refused: %+v", result)
		}
	}
	if len(answer.Results) != len(items) {
		t.Fatalf("%d: %d results of %d", response.StatusCode, len(answer.Results), len(items))
	}
	return response.Header.Get("ETag")
}

func body(t testing.TB, response *http.Response) string {
	t.Helper()
	var text bytes.Buffer
	if _, err := text.ReadFrom(response.Body); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

// shown gives a product's price as its page, its list and a cart tell it, which must be one; -1 for none.
func (s shop) shown(t testing.TB, sku, currency, region string) int64 {
	t.Helper()
	query := "?currency=" + currency
	if region != "" {
		query += "&region=" + region
	}
	var product contract.Product
	s.Do(t, http.MethodGet, "/api/v1/products/"+sku+query, nil, &product)
	var page productList
	s.Do(t, http.MethodGet, "/api/v1/products"+query, nil, &page)
	var priced struct {
		Items []contract.PricedSKU `json:"items"`
	}
	s.Do(t, http.MethodPost, "/internal/v1/skus", contract.SKUQuery{SKUs: []string{sku}, Currency: currency, Region: region}, &priced, s.Internal())
	at := slices.IndexFunc(page.Items, func(item contract.Summary) bool { return item.Slug == sku })
	amounts := []int64{-1, -1, -1}
	for i, price := range []*contract.Money{product.Variants[0].Price, page.Items[at].PriceFrom, priced.Items[0].Price} {
		if price != nil {
			amounts[i] = price.Amount
			if price.Currency != currency {
				t.Errorf("a price in %s for %s", price.Currency, currency)
			}
		}
	}
	if amounts[0] != amounts[1] || amounts[0] != amounts[2] {
		t.Fatalf("%s in %s: the product says %d, the list %d, the cart %d", sku, currency, amounts[0], amounts[1], amounts[2])
	}
	return amounts[0]
}

// moved is a clock that the test moves.
type moved struct{ ahead atomic.Int64 }

func (m *moved) now() time.Time { return time.Now().Add(time.Duration(m.ahead.Load())) }

func TestAListsPriceHoldsInItsRegionAndItsTime(t *testing.T) {
	t.Parallel()
	clock := &moved{}
	s := open(t, kittest.WithNow(clock.now))
	s.putProducts(t, mug("mug"), mug("other"))
	want := func(what, currency, region string, want int64) {
		t.Helper()
		if got := s.shown(t, "mug", currency, region); got != want {
			t.Errorf("%s: %d %s in %q, want %d", what, got, currency, region, want)
		}
	}
	want("no list", "USD", "eu-west", 900)
	tomorrow, dayAfter := clock.now().Add(24*time.Hour), clock.now().Add(48*time.Hour)
	s.list(t, contract.PriceListInput{Currency: "USD", Priority: 900, StartsAt: &tomorrow, EndsAt: &dayAfter}, priceOf("mug", 700))
	europe := s.list(t, contract.PriceListInput{Currency: "USD", Region: "eu-west"}, priceOf("mug", 800))
	s.list(t, contract.PriceListInput{Currency: "JPY"}, priceOf("mug", 1500))
	s.list(t, contract.PriceListInput{Currency: "KWD", Region: "eu-west"}, priceOf("mug", 2750))
	for _, c := range []struct {
		currency, region string
		today, tomorrow  int64
	}{
		{"USD", "", 900, 700}, {"USD", "us-east", 900, 700}, {"USD", "eu-west", 800, 800}, // the region's own goes before the higher priority
		{"JPY", "", 1500, 1500}, {"KWD", "", -1, -1}, {"KWD", "eu-west", 2750, 2750}, {"EUR", "eu-west", -1, -1},
	} {
		clock.ahead.Store(0)
		want("today", c.currency, c.region, c.today)
		clock.ahead.Store(int64(25 * time.Hour))
		want("tomorrow", c.currency, c.region, c.tomorrow)
	}
	clock.ahead.Store(int64(49 * time.Hour))
	want("after its end", "USD", "us-east", 900)
	s.list(t, contract.PriceListInput{Currency: "USD", Region: "eu-west", Priority: 1}, priceOf("mug", 810))
	want("the higher priority", "USD", "eu-west", 810)
	s.list(t, contract.PriceListInput{Currency: "USD", Region: "eu-west", Priority: 1}, priceOf("mug", 820), priceOf("other", 1))
	want("the newer list", "USD", "eu-west", 820)
	clock.ahead.Store(0)
	// A product that is written anew keeps its listed prices, and a price of a list goes with a removal.
	again := mug("mug")
	again.Title = "Another"
	s.putProducts(t, again)
	s.price(t, europe.ID, contract.ListPrice{SKU: "mug", Removed: true})
	want("its own price changed nothing", "USD", "eu-west", 820)
	want("everywhere else", "USD", "us-east", 900)
}

func TestCompareAtComesWithItsPrice(t *testing.T) {
	t.Parallel()
	s := open(t)
	product := mug("mug")
	product.Variants[0].CompareAtPrices = []contract.Money{{Amount: 1000, Currency: "USD"}}
	s.putProducts(t, product)
	compareAt := func() *contract.Money {
		var shown contract.Product
		s.Do(t, http.MethodGet, "/api/v1/products/mug", nil, &shown)
		return shown.Variants[0].CompareAtPrice
	}
	if got := compareAt(); got == nil || got.Amount != 1000 {
		t.Errorf("its own: %v", got)
	}
	list := s.list(t, contract.PriceListInput{Currency: "USD"}, priceOf("mug", 800))
	if got := compareAt(); got != nil {
		t.Errorf("a list without one: %v", got)
	}
	amount, was := int64(800), int64(950)
	s.price(t, list.ID, contract.ListPrice{SKU: "mug", Amount: &amount, CompareAt: &was})
	if got := compareAt(); got == nil || got.Amount != 950 {
		t.Errorf("the list's: %v", got)
	}
}

func TestAPriceListsLife(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.putProducts(t, mug("mug"), mug("cup"))
	list := s.list(t, contract.PriceListInput{Name: " Sale ", Currency: "USD"})
	path := adminLists + "/" + list.ID
	first := s.Do(t, http.MethodGet, path, nil, nil, s.admin(t)).Header.Get("ETag")
	etag := s.price(t, list.ID, priceOf("mug", 1), priceOf("cup", 2))
	if again := s.price(t, list.ID, priceOf("mug", 1)); etag == first || again != etag {
		t.Errorf("entity tags %s, %s, %s", first, etag, again)
	}
	stale := s.Do(t, http.MethodPut, path, list.PriceListInput, nil, s.admin(t, "If-Match", first))
	refused(t, stale, contract.CodeStale, "")
	refused(t, s.Do(t, http.MethodPut, path+"/prices", map[string]any{"items": []contract.ListPrice{priceOf("mug", 5)}}, nil, s.admin(t, "If-Match", first)), contract.CodeStale, "")
	refused(t, s.Do(t, http.MethodDelete, path, nil, nil, s.admin(t, "If-Match", first)), contract.CodeStale, "")
	list.Currency = "EUR"
	refused(t, s.Do(t, http.MethodPut, path, list.PriceListInput, nil, s.admin(t)), contract.CodeInvalid, "currency")
	list.Currency, list.Region = "USD", "eu-west"
	var replaced, same contract.PriceList
	s.Do(t, http.MethodPut, path, list.PriceListInput, &replaced, s.admin(t, "If-Match", etag))
	s.Do(t, http.MethodPut, path, list.PriceListInput, &same, s.admin(t))
	if replaced.Version != 3 || same.Version != 3 || replaced.Name != "Sale" || replaced.Region != "eu-west" || !replaced.CreatedAt.Equal(list.CreatedAt) {
		t.Errorf("replaced %+v, then %+v", replaced, same)
	}
	var page struct {
		Items      []contract.ListPrice `json:"items"`
		NextCursor string               `json:"next_cursor"`
	}
	s.Do(t, http.MethodGet, path+"/prices?limit=1", nil, &page, s.admin(t))
	if len(page.Items) != 1 || page.Items[0].SKU != "cup" || *page.Items[0].Amount != 2 || page.NextCursor != "cup" {
		t.Errorf("the first page: %+v", page)
	}
	cursor := page.NextCursor
	page.NextCursor = ""
	s.Do(t, http.MethodGet, path+"/prices?limit=1&cursor="+cursor, nil, &page, s.admin(t))
	if len(page.Items) != 1 || page.Items[0].SKU != "mug" || page.NextCursor != "" {
		t.Errorf("the last page: %+v", page)
	}
	if response := s.Do(t, http.MethodDelete, path, nil, nil, s.admin(t)); response.StatusCode != http.StatusNoContent {
		t.Errorf("delete: %d", response.StatusCode)
	}
	for _, method := range []string{http.MethodGet, http.MethodDelete} {
		refused(t, s.Do(t, method, path, nil, nil, s.admin(t)), contract.CodeNotFound, "")
	}
	if got := s.shown(t, "mug", "USD", "eu-west"); got != 900 {
		t.Errorf("a deleted list's price is %d", got)
	}
}

func TestAPriceListsChangesAreAnnounced(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.putProducts(t, mug("mug"), mug("cup"))
	var mugs contract.Product
	s.Do(t, http.MethodGet, "/api/v1/products/mug", nil, &mugs)
	list := s.list(t, contract.PriceListInput{Currency: "USD", Region: "eu-west"})
	s.price(t, list.ID, priceOf("mug", 1))
	s.price(t, list.ID, priceOf("mug", 1)) // changes nothing
	s.Do(t, http.MethodDelete, adminLists+"/"+list.ID, nil, nil, s.admin(t))
	var seen []contract.PriceListChange
	s.WaitEvent(t, contract.TopicProducts, func(event contract.Event) bool {
		if event.Subject != list.ID {
			return false
		}
		var change contract.PriceListChange
		if err := event.Decode(&change); err != nil || event.Type != contract.PriceListChanged || event.AggregateVersion != int64(len(seen)+1) {
			t.Errorf("%s version %d: %v", event.Type, event.AggregateVersion, err)
		}
		seen = append(seen, change)
		return change.Deleted
	})
	if len(seen) != 3 || len(seen[0].Products) != 0 || !slices.Equal(seen[1].Products, []string{mugs.ID}) || seen[1].Region != "eu-west" || seen[2].Currency != "USD" {
		t.Errorf("announced %+v", seen)
	}
}

func TestPricesThatAreRefused(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.putProducts(t, mug("mug"), mug("cup"))
	list := s.list(t, contract.PriceListInput{Currency: "USD"})
	path := adminLists + "/" + list.ID + "/prices"
	items := []string{
		`{"sku": "mug", "amount": 34.116425}`, `{"sku": "mug", "amount": "3411"}`, `{"sku": "mug", "amount": -1}`, `{"sku": "mug", "amount": 1000000000001}`,
		`{"sku": "mug"}`, `{"sku": "mug", "amount": 1, "removed": true}`, `{"sku": "nobody", "amount": 1}`, `{"sku": "mug", "amount": 1, "compare_at": 0.5}`,
		`{"sku": "mug", "amount": 3411}`, `{"sku": "mug", "amount": 3412}`, `{"sku": "unheard of", "removed": true}`, `7`, `{"sku": "cup", "amount": 1e2}`,
	}
	want := []string{"amount", "amount", "amount", "amount", "amount", "removed", "sku", "compare_at", "applied", "sku", "unchanged", "body", ""}
	var answer struct {
		Results []contract.ListPriceResult `json:"results"`
	}
	s.Do(t, http.MethodPut, path, []byte(`{"items": [`+strings.Join(items, ",")+`]}`), &answer, s.admin(t))
	if len(answer.Results) != len(items) {
		t.Fatalf("%d results", len(answer.Results))
	}
	for i, result := range answer.Results {
		if got := result.Outcome; got != want[i] && (got != outcomeRefused || result.Field != want[i] || result.Reason == "") {
			t.Errorf("%s: %+v, want %s", items[i], result, want[i])
		}
	}
	if got := s.shown(t, "mug", "USD", ""); got != 3411 {
		t.Errorf("the price is %d", got)
	}
	for field, input := range map[string]map[string]any{
		"name": {"name": " ", "currency": "USD"}, "currency": {"name": "n", "currency": "XXQ"}, "region": {"name": "n", "currency": "USD", "region": "eu-wset"},
		"ends_at":  {"name": "n", "currency": "USD", "starts_at": "2026-01-02T00:00:00Z", "ends_at": "2026-01-02T00:00:00Z"},
		"priority": {"name": "n", "currency": "USD", "priority": 0.5}, "starts_at": {"name": "n", "currency": "USD", "starts_at": "soon"},
	} {
		refused(t, s.Do(t, http.MethodPost, adminLists, input, nil, s.admin(t)), contract.CodeInvalid, field)
	}
	for _, nothing := range []string{`{"items": []}`, `{}`} {
		refused(t, s.Do(t, http.MethodPut, path, []byte(nothing), nil, s.admin(t)), contract.CodeInvalid, "items")
	}
	many := slices.Repeat([]contract.ListPrice{priceOf("mug", 1)}, contract.MaxListPrices+1)
	refused(t, s.Do(t, http.MethodPut, path, map[string]any{"items": many}, nil, s.admin(t)), contract.CodeInvalid, "items")
	refused(t, s.Do(t, http.MethodGet, "/api/v1/products?region=atlantis", nil, nil), contract.CodeInvalid, "region")
	if response := s.Do(t, http.MethodGet, adminLists, nil, nil, map[string]string{"Authorization": s.Token(t, contract.RoleShopper)}); response.StatusCode != http.StatusForbidden {
		t.Errorf("a shopper reads price lists: %d", response.StatusCode)
	}
}

// Money is integers on every way in: what is stored is what was written, or nothing is.
func TestNoFractionOfAMinorUnitIsStored(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.putProducts(t, mug("mug"))
	bad := `{"slug": "mug", "title": "Mug", "published": true, "variants": [{"sku": "mug", "prices": [{"amount": 34.116425, "currency": "USD"}]}]}`
	var bulk bulkAnswer
	s.Do(t, http.MethodPost, "/api/v1/admin/products/bulk", []byte(`{"items": [`+bad+`]}`), &bulk, s.admin(t))
	if len(bulk.Results) != 1 || bulk.Results[0].Outcome != outcomeRefused || bulk.Results[0].Field != "variants[0].prices[0].amount" {
		t.Errorf("bulk: %+v", bulk)
	}
	for method, path := range map[string]string{http.MethodPost: adminProducts, http.MethodPut: adminProducts + "/mug"} {
		refused(t, s.Do(t, method, path, []byte(bad), nil, s.admin(t)), contract.CodeInvalid, "variants[0].prices[0].amount")
	}
	patch := `{"variants": [{"sku": "mug", "prices": [{"amount": 34.116425, "currency": "USD"}]}]}`
	refused(t, s.Do(t, http.MethodPatch, adminProducts+"/mug", []byte(patch), nil, s.admin(t, "Content-Type", "application/merge-patch+json")), contract.CodeInvalid, "variants[0].prices[0].amount")
	if got := s.shown(t, "mug", "USD", ""); got != 900 {
		t.Errorf("the price is %d", got)
	}
}
