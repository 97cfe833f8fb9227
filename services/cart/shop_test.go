package cart

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/rueidis"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit"
	"github.com/meridian-store/meridian/kit/httpx"
	"github.com/meridian-store/meridian/local/engine/enginetest"
	"github.com/meridian-store/meridian/local/kittest"
)

func TestMain(m *testing.M) { kittest.Main(m) }

// awake is a service whose sweeper looks often; the clock decides what it finds.
func awake() Config {
	return Config{Idle: 30 * time.Minute, Abandoned: time.Hour, Sweep: 20 * time.Millisecond, Rejoin: time.Minute}
}

// clock is moved by the test.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time          { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) advance(d time.Duration) { c.ahead.Add(int64(d)) }

// fakeCatalog answers what the catalog would: every SKU costs 500 minor units unless said otherwise.
type fakeCatalog struct {
	mu      sync.Mutex
	down    bool
	unsold  map[string]bool
	noPrice map[string]bool
	queries []contract.SKUQuery
	// prices and bands are those of SKUs that are not as usual.
	prices map[string]int64
	bands  map[string]contract.Band
}

const unitPrice = 500

func (f *fakeCatalog) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var query contract.SKUQuery
	if r.URL.Path != "/internal/v1/skus" || json.NewDecoder(r.Body).Decode(&query) != nil || f.down {
		http.Error(w, "not now", http.StatusInternalServerError)
		return
	}
	f.queries = append(f.queries, query)
	answer := struct {
		Items []contract.PricedSKU `json:"items"`
	}{Items: []contract.PricedSKU{}}
	for _, sku := range query.SKUs {
		if f.unsold[sku] {
			continue
		}
		item := contract.PricedSKU{SKU: sku, ProductID: "prd-" + sku, Slug: "slug", Title: "Title of " + sku, Stock: contract.BandLow}
		if !f.noPrice[sku] {
			item.Price = &contract.Money{Amount: unitPrice, Currency: query.Currency}
			if other, unusual := f.prices[sku]; unusual {
				item.Price.Amount = other
			}
		}
		if other, unusual := f.bands[sku]; unusual {
			item.Stock = other
		}
		answer.Items = append(answer.Items, item)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer) // a caller that has gone is the caller's affair
}

func (f *fakeCatalog) set(change func(*fakeCatalog)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}

func (f *fakeCatalog) asked() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.queries)
}

// fakeOrders knows the promotion codes that the order service would.
type fakeOrders struct {
	mu     sync.Mutex
	titles map[string]string
	down   bool
	asked  int
}

func (f *fakeOrders) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked++
	code, _ := strings.CutPrefix(r.URL.Path, "/internal/v1/promotions/codes/")
	title, known := f.titles[code]
	switch {
	case f.down:
		http.Error(w, "not now", http.StatusInternalServerError)
	case !known:
		problem, _ := httpx.NewProblem(r.Context(), contract.Errorf(contract.CodeNotFound, "no")).MarshalJSON() // of plain members
		w.Header().Set("Content-Type", httpx.ProblemContentType)
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write(problem) // a caller that has gone is the caller's affair
	default:
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(contract.CartPromotion{Code: code, Title: title})
	}
}

// shop is the service alone, with neighbours that the test plays.
type shop struct {
	*kittest.Service
	catalog *fakeCatalog
	orders  *fakeOrders
	clock   *clock
}

func openShop(t *testing.T, set Config, options ...kittest.Option) shop {
	t.Helper()
	c := &clock{}
	s := shop{Service: kittest.Start(t, Definition().With(kit.WithConfig(set, New)), append(options, kittest.WithNow(c.now))...), clock: c,
		catalog: &fakeCatalog{unsold: map[string]bool{}, noPrice: map[string]bool{}, prices: map[string]int64{}, bands: map[string]contract.Band{}},
		orders:  &fakeOrders{titles: map[string]string{}}}
	s.Neighbour(t, contract.ServiceCatalog, s.catalog)
	s.Neighbour(t, contract.ServiceOrder, s.orders)
	return s
}

// shopper holds one cart by its header.
type shopper struct {
	shop
	name string
}

// do sends a request that must succeed, and keeps the name of a cart that it makes.
func (s *shopper) do(t *testing.T, method, path string, in any) contract.Cart {
	t.Helper()
	var cart contract.Cart
	response := s.Do(t, method, path, in, &cart, s.header())
	if response.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %d %v", method, path, response.StatusCode, problemOf(t, response))
	}
	if made := response.Header.Get(contract.HeaderCartID); made != "" {
		s.name = made
	}
	return cart
}

func (s *shopper) header() map[string]string {
	if s.name == "" {
		return nil
	}
	return map[string]string{contract.HeaderCartID: s.name}
}

func (s *shopper) add(t *testing.T, sku string, quantity int64) contract.Cart {
	t.Helper()
	return s.do(t, http.MethodPost, "/api/v1/cart/items", contract.SKUCount{SKU: sku, Quantity: quantity})
}

func (s *shopper) read(t *testing.T) contract.Cart {
	t.Helper()
	return s.do(t, http.MethodGet, "/api/v1/cart", nil)
}

func (s *shopper) id() string {
	id, _, _ := strings.Cut(s.name, ".")
	return id
}

func (s *shopper) secret() string {
	_, secret, _ := strings.Cut(s.name, ".")
	return secret
}

// wantLines compares a cart's lines, in order.
func wantLines(t *testing.T, got contract.Cart, want ...contract.SKUCount) {
	t.Helper()
	if diff := cmp.Diff(want, countsOf(got)); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

func countsOf(c contract.Cart) []contract.SKUCount {
	var counts []contract.SKUCount
	for _, l := range c.Lines {
		counts = append(counts, contract.SKUCount{SKU: l.SKU, Quantity: l.Quantity})
	}
	return counts
}

func problemOf(t *testing.T, response *http.Response) httpx.Problem {
	t.Helper()
	var problem httpx.Problem
	if err := json.NewDecoder(response.Body).Decode(&problem); err != nil {
		t.Fatal(err)
	}
	return problem
}

// openRedis gives the test its own client of the Redis that its services use.
func openRedis(t testing.TB) rueidis.Client {
	t.Helper()
	address, password := enginetest.Redis(t)
	client, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{address}, Password: password, DisableCache: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// keysOf lists what is kept below a namespace.
func keysOf(t testing.TB, client rueidis.Client, namespace string) []string {
	t.Helper()
	var keys []string
	for cursor := uint64(0); ; {
		page, err := client.Do(t.Context(), client.B().Scan().Cursor(cursor).Match(namespace+"*").Count(1000).Build()).AsScanEntry()
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, page.Elements...)
		if cursor = page.Cursor; cursor == 0 {
			break
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}
