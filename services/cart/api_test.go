package cart

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
)

func TestAShopperFillsACart(t *testing.T) {
	t.Parallel()
	s := shopper{shop: openShop(t, awake())}
	got := s.add(t, "SHIRT-S", 2)
	if s.name == "" {
		t.Fatal("the first write returned no X-Cart-Id")
	}
	wantLines(t, got, contract.SKUCount{SKU: "SHIRT-S", Quantity: 2})
	wantLines(t, s.read(t), contract.SKUCount{SKU: "SHIRT-S", Quantity: 2})

	name := s.name
	s.add(t, "HAT", 1)
	s.add(t, "SHIRT-S", 3)
	got = s.do(t, http.MethodPut, "/api/v1/cart/items/HAT", map[string]int64{"quantity": 4})
	wantLines(t, got, contract.SKUCount{SKU: "SHIRT-S", Quantity: 5}, contract.SKUCount{SKU: "HAT", Quantity: 4})
	if s.name != name {
		t.Error("a later write made another cart")
	}
	if got.ID != s.id() || got.Version != 4 || got.Currency != "USD" || got.Count != 9 {
		t.Errorf("got %+v", got)
	}
	if want := (contract.Money{Amount: 9 * unitPrice, Currency: "USD"}); got.Subtotal != want || *got.Lines[1].UnitPrice != (contract.Money{Amount: unitPrice, Currency: "USD"}) {
		t.Errorf("subtotal %s, line %+v", got.Subtotal, got.Lines[1])
	}
	got = s.do(t, http.MethodDelete, "/api/v1/cart/items/SHIRT-S", nil)
	wantLines(t, got, contract.SKUCount{SKU: "HAT", Quantity: 4})
	got = s.do(t, http.MethodPut, "/api/v1/cart/items/HAT", map[string]int64{"quantity": 0})
	wantLines(t, got)
	s.add(t, "HAT", 1)
	got = s.do(t, http.MethodDelete, "/api/v1/cart", nil)
	wantLines(t, got)
	if again := s.do(t, http.MethodDelete, "/api/v1/cart", nil); again.Version != got.Version {
		t.Errorf("clearing an empty cart made version %d of %d", again.Version, got.Version)
	}
}

func TestAQuantityIsOneUnlessGiven(t *testing.T) {
	t.Parallel()
	s := shopper{shop: openShop(t, awake())}
	wantLines(t, s.do(t, http.MethodPost, "/api/v1/cart/items", map[string]string{"sku": "A"}), contract.SKUCount{SKU: "A", Quantity: 1})
}

func TestSKUsMayHoldAnyPrintableCharacter(t *testing.T) {
	t.Parallel()
	s := shopper{shop: openShop(t, awake())}
	skus := []string{"A/B", "two words", "100%", "a|b", "l:x", "Größe 🙂", "q?x=1&y#z", "a+b", `"quoted"`, ".hidden", "UPPER", "upper", "{c01}", strings.Repeat("🙂", 100)}
	for _, sku := range skus {
		s.add(t, sku, 1)
	}
	if got := s.read(t); len(got.Lines) != len(skus) {
		t.Fatalf("%d lines of %d", len(got.Lines), len(skus))
	}
	for _, sku := range skus {
		got := s.do(t, http.MethodPut, "/api/v1/cart/items/"+url.PathEscape(sku), map[string]int64{"quantity": 7})
		if i := slices.IndexFunc(got.Lines, func(l contract.CartLine) bool { return l.SKU == sku }); i < 0 || got.Lines[i].Quantity != 7 {
			t.Errorf("%q was not set", sku)
		}
	}
	for left, sku := range slices.Backward(skus) {
		if got := s.do(t, http.MethodDelete, "/api/v1/cart/items/"+url.PathEscape(sku), nil); len(got.Lines) != left {
			t.Errorf("%q was not removed", sku)
		}
	}
}

func TestWhatIsRefused(t *testing.T) {
	t.Parallel()
	s := shopper{shop: openShop(t, awake())}
	s.catalog.set(func(f *fakeCatalog) { f.unsold["GONE"], f.noPrice["FREE"] = true, true })
	s.add(t, "A", 990)
	before := s.read(t)
	cases := []struct {
		name, method, path string
		body               any
		status             int
		field              string
	}{
		{"unknown SKU", "POST", "/api/v1/cart/items", map[string]any{"sku": "GONE"}, 404, "sku"},
		{"unknown SKU set", "PUT", "/api/v1/cart/items/GONE", map[string]any{"quantity": 1}, 404, "sku"},
		{"no price", "POST", "/api/v1/cart/items", map[string]any{"sku": "FREE"}, 400, "sku"},
		{"too many", "POST", "/api/v1/cart/items", map[string]any{"sku": "A", "quantity": 10}, 400, "quantity"},
		{"far too many", "PUT", "/api/v1/cart/items/A", map[string]any{"quantity": 1000}, 400, "quantity"},
		{"less than none", "PUT", "/api/v1/cart/items/A", map[string]any{"quantity": -1}, 400, "quantity"},
		{"none added", "POST", "/api/v1/cart/items", map[string]any{"sku": "A", "quantity": 0}, 400, "quantity"},
		{"no quantity", "PUT", "/api/v1/cart/items/A", map[string]any{}, 400, "quantity"},
		{"no SKU", "POST", "/api/v1/cart/items", map[string]any{"sku": ""}, 400, "sku"},
		{"spaces", "POST", "/api/v1/cart/items", map[string]any{"sku": " A"}, 400, "sku"},
		{"control character", "POST", "/api/v1/cart/items", map[string]any{"sku": "A\x00B"}, 400, "sku"},
		{"not UTF-8", "DELETE", "/api/v1/cart/items/%FF", nil, 400, "sku"},
		{"long SKU", "POST", "/api/v1/cart/items", map[string]any{"sku": strings.Repeat("x", 101)}, 400, "sku"},
		{"no such currency", "POST", "/api/v1/cart/items?currency=XXQ", map[string]any{"sku": "A"}, 400, "currency"},
	}
	for _, c := range cases {
		response := s.Do(t, c.method, c.path, c.body, nil, s.header())
		problem := problemOf(t, response)
		if response.StatusCode != c.status || problem.Field != c.field || problem.Detail == "" {
			t.Errorf("%s: %d field %q %q, want %d %q", c.name, response.StatusCode, problem.Field, problem.Detail, c.status, c.field)
		}
		if got := response.Header.Get("Cache-Control"); got != "private, no-store" {
			t.Errorf("%s: Cache-Control %q", c.name, got)
		}
	}
	if after := s.read(t); after.Version != before.Version {
		t.Errorf("a refused request changed the cart: version %d, was %d", after.Version, before.Version)
	}
}

func TestACartOpensToItsSecretAlone(t *testing.T) {
	t.Parallel()
	s := shopper{shop: openShop(t, awake())}
	s.add(t, "A", 1)
	wrong := strings.Map(func(r rune) rune {
		if r == '0' {
			return '1'
		}
		return '0'
	}, s.secret())
	names := map[string]string{
		"wrong secret": s.id() + "." + wrong,
		"no secret":    s.id(),
		"empty secret": s.id() + ".",
		"upper case":   strings.ToUpper(s.name),
		"unknown cart": geo.NewID("crt", "use") + "." + s.secret(),
		"other region": geo.NewID("crt", "aps") + "." + s.secret(),
		"no region":    geo.NewID("crt", "zzz") + "." + s.secret(),
		"other kind":   geo.NewID("ord", "use") + "." + s.secret(),
		"nonsense":     "nonsense",
	}
	var first string
	for what, name := range names {
		for _, request := range [][2]string{{"GET", "/api/v1/cart"}, {"DELETE", "/api/v1/cart"}, {"DELETE", "/api/v1/cart/items/A"}, {"GET", "/internal/v1/cart"}} {
			response := s.Do(t, request[0], request[1], nil, nil, map[string]string{contract.HeaderCartID: name}, s.Internal())
			problem := problemOf(t, response)
			if first == "" {
				first = problem.Detail
			}
			if response.StatusCode != http.StatusNotFound || problem.Detail != first || problem.Field != "" {
				t.Errorf("%s: %v: %d %q", what, request, response.StatusCode, problem.Detail)
			}
		}
		// A write gives a new cart instead, and leaves the other alone.
		stranger := shopper{shop: s.shop, name: name}
		stranger.add(t, "B", 1)
		if stranger.name == name || stranger.id() == s.id() {
			t.Errorf("%s: no new cart", what)
		}
	}
	wantLines(t, s.read(t), contract.SKUCount{SKU: "A", Quantity: 1})
}

func TestABrowserKeepsItsCartInACookie(t *testing.T) {
	t.Parallel()
	s := openShop(t, awake())
	response := s.Do(t, "POST", "/api/v1/cart/items", map[string]any{"sku": "A"}, nil)
	cookies := response.Cookies()
	if len(cookies) != 1 {
		t.Fatalf("cookies %v", cookies)
	}
	got := cookies[0]
	if got.Name != "cart" || got.Path != "/" || !got.HttpOnly || got.SameSite != http.SameSiteLaxMode || got.MaxAge != 604800 {
		t.Errorf("cookie %v", got)
	}
	if got.Value != response.Header.Get(contract.HeaderCartID) || response.Header.Get("Cache-Control") != "private, no-store" {
		t.Errorf("headers %v", response.Header)
	}
	with := func(value string) map[string]string { return map[string]string{"Cookie": "other=1; cart=" + value} }
	var cart contract.Cart
	response = s.Do(t, "GET", "/api/v1/cart", nil, &cart, with(got.Value))
	wantLines(t, cart, contract.SKUCount{SKU: "A", Quantity: 1})
	if again := response.Cookies(); len(again) != 1 || again[0].Value != got.Value {
		t.Errorf("the cookie is not prolonged: %v", again)
	}
	for _, gone := range []string{geo.NewID("crt", "use") + "." + strings.Repeat("a", 32), "another-programs-value", ""} {
		response = s.Do(t, "GET", "/api/v1/cart?currency=EUR", nil, &cart, with(gone))
		if response.StatusCode != http.StatusOK || cart.ID != "" || len(cart.Lines) != 0 || cart.Subtotal != (contract.Money{Currency: "EUR"}) {
			t.Errorf("cookie %q: %d %+v", gone, response.StatusCode, cart)
		}
	}
}

func TestTheFirstWriteChoosesTheCurrency(t *testing.T) {
	t.Parallel()
	s := shopper{shop: openShop(t, awake())}
	if got := s.do(t, "POST", "/api/v1/cart/items?currency=EUR", map[string]any{"sku": "A"}); got.Currency != "EUR" || got.Subtotal != (contract.Money{Amount: unitPrice, Currency: "EUR"}) {
		t.Errorf("got %+v", got)
	}
	if got := s.do(t, "POST", "/api/v1/cart/items?currency=USD", map[string]any{"sku": "A"}); got.Currency != "EUR" || got.Subtotal != (contract.Money{Amount: 2 * unitPrice, Currency: "EUR"}) {
		t.Errorf("got %+v", got)
	}
}

func TestWhatIsNoLongerSoldStaysOutOfTheSum(t *testing.T) {
	t.Parallel()
	s := shopper{shop: openShop(t, awake())}
	s.add(t, "A", 1)
	s.add(t, "B", 2)
	s.catalog.set(func(f *fakeCatalog) { f.unsold["A"] = true })
	got := s.read(t)
	if got.Lines[0].Available || got.Lines[0].UnitPrice != nil || got.Lines[0].Stock != contract.BandOut || !got.Lines[1].Available {
		t.Errorf("lines %+v", got.Lines)
	}
	if got.Subtotal.Amount != 2*unitPrice || got.Count != 3 {
		t.Errorf("subtotal %s of %d", got.Subtotal, got.Count)
	}
	wantLines(t, s.do(t, "DELETE", "/api/v1/cart/items/A", nil), contract.SKUCount{SKU: "B", Quantity: 2})
}

func TestACatalogThatFailsShowsNoPricesAndChangesNothing(t *testing.T) {
	t.Parallel()
	s := shopper{shop: openShop(t, awake())}
	s.add(t, "A", 1)
	s.catalog.set(func(f *fakeCatalog) { f.down = true })
	for _, request := range []struct {
		method, path string
		body         any
	}{{"GET", "/api/v1/cart", nil}, {"POST", "/api/v1/cart/items", map[string]any{"sku": "A"}}, {"PUT", "/api/v1/cart/items/A", map[string]any{"quantity": 5}}} {
		response := s.Do(t, request.method, request.path, request.body, nil, s.header())
		if problem := problemOf(t, response); response.StatusCode != http.StatusServiceUnavailable || problem.Code() != contract.CodeUnavailable {
			t.Errorf("%s: %d %s", request.method, response.StatusCode, problem.Code())
		}
	}
	s.catalog.set(func(f *fakeCatalog) { f.down = false })
	wantLines(t, s.read(t), contract.SKUCount{SKU: "A", Quantity: 1})
}

func TestPricesCostOneCallAndAnEmptyCartNone(t *testing.T) {
	t.Parallel()
	s := shopper{shop: openShop(t, awake())}
	s.add(t, "A", 1)
	steps := []struct {
		what  string
		calls int
		do    func()
	}{
		{"add", 1, func() { s.add(t, "B", 1) }},
		{"read", 1, func() { s.read(t) }},
		{"clear", 0, func() { s.do(t, "DELETE", "/api/v1/cart", nil) }},
		{"read empty", 0, func() { s.read(t) }},
	}
	for _, step := range steps {
		before := s.catalog.asked()
		step.do()
		if got := s.catalog.asked() - before; got != step.calls {
			t.Errorf("%s: %d calls, want %d", step.what, got, step.calls)
		}
	}
}

func TestParallelAddsAreAllKept(t *testing.T) {
	t.Parallel()
	s := shopper{shop: openShop(t, awake())}
	s.add(t, "A", 1)
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			sku := "A"
			if i%2 == 1 {
				sku = "B"
			}
			response := s.Do(t, "POST", "/api/v1/cart/items", map[string]any{"sku": sku, "quantity": 2}, nil, s.header())
			if response.StatusCode != http.StatusOK {
				t.Errorf("an add got %d", response.StatusCode)
			}
		})
	}
	all.Wait()
	got := s.read(t)
	wantLines(t, got, contract.SKUCount{SKU: "A", Quantity: 51}, contract.SKUCount{SKU: "B", Quantity: 50})
	if got.Version != 51 {
		t.Errorf("version %d", got.Version)
	}
}

func TestTheOrderServiceTakesTheCart(t *testing.T) {
	t.Parallel()
	s := shopper{shop: openShop(t, awake())}
	for _, sku := range []string{"C", "A", "B"} {
		s.add(t, sku, 2)
	}
	s.do(t, "DELETE", "/api/v1/cart/items/C", nil)
	want := contract.CartContents{CartID: s.id(), Version: 4, Currency: "USD", Lines: []contract.SKUCount{{SKU: "A", Quantity: 2}, {SKU: "B", Quantity: 2}}}
	var got contract.CartContents
	s.Do(t, "GET", "/internal/v1/cart", nil, &got, s.header(), s.Internal())
	if got.CartID != want.CartID || got.Version != want.Version || got.Currency != want.Currency || !slices.Equal(got.Lines, want.Lines) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if response := s.Do(t, "GET", "/internal/v1/cart", nil, nil, s.header()); response.StatusCode != http.StatusNotFound {
		t.Errorf("without the internal secret: %d", response.StatusCode)
	}
}
