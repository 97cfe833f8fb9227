package cart

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/local/kittest"
)

// offer makes codes known to the order service.
func (s shop) offer(codes ...string) {
	s.orders.mu.Lock()
	defer s.orders.mu.Unlock()
	for _, code := range codes {
		s.orders.titles[code] = "Title of " + code
	}
}

func entry(code string) map[string]string { return map[string]string{"code": code} }

func wantCodes(t *testing.T, got contract.Cart, want ...string) {
	t.Helper()
	var codes []string
	for _, promotion := range got.Promotions {
		codes = append(codes, promotion.Code)
		if promotion.Title != "Title of "+promotion.Code {
			t.Errorf("%s is called %q", promotion.Code, promotion.Title)
		}
	}
	if !slices.Equal(codes, want) {
		t.Errorf("the cart's codes are %v, not %v", codes, want)
	}
}

func TestAShopperEntersPromotionCodes(t *testing.T) {
	t.Parallel()
	s := shopper{shop: openShop(t, awake())}
	s.offer("TEN", "SHIP", "A/B-50%")
	first := s.do(t, http.MethodPost, "/api/v1/cart/promotions", entry("ship")) // makes the cart
	if s.name == "" || first.Version != 1 {
		t.Fatalf("the first code made no cart: %+v", first)
	}
	s.add(t, "A", 1)
	s.do(t, http.MethodPost, "/api/v1/cart/promotions", entry(" ten "))
	wantCodes(t, s.do(t, http.MethodPost, "/api/v1/cart/promotions", entry("a/b-50%")), "SHIP", "TEN", "A/B-50%")
	before := s.read(t)
	if again := s.do(t, http.MethodPost, "/api/v1/cart/promotions", entry("TEN")); again.Version != before.Version {
		t.Errorf("entering a code again made version %d of %d", again.Version, before.Version)
	}
	var contents contract.CartContents
	s.Do(t, http.MethodGet, "/internal/v1/cart", nil, &contents, s.header(), s.Internal())
	if diff := cmp.Diff([]string{"SHIP", "TEN", "A/B-50%"}, contents.Codes); diff != "" {
		t.Errorf("what the order service takes (-want +got):\n%s", diff)
	}
	wantCodes(t, s.do(t, http.MethodDelete, "/api/v1/cart/promotions/"+url.PathEscape("a/b-50%"), nil), "SHIP", "TEN")
	s.do(t, http.MethodDelete, "/api/v1/cart/promotions/SHIP", nil)
	wantCodes(t, s.do(t, http.MethodDelete, "/api/v1/cart/promotions/NEVER", nil), "TEN")
	wantCodes(t, s.do(t, http.MethodPost, "/api/v1/cart/promotions", entry("SHIP")), "TEN", "SHIP")
	wantLines(t, s.read(t), contract.SKUCount{SKU: "A", Quantity: 1})
	event := s.WaitEvent(t, contract.TopicCarts, func(e contract.Event) bool { return e.Subject == s.id() && e.AggregateVersion == 7 })
	var state contract.CartState
	if err := event.Decode(&state); err != nil {
		t.Fatal(err)
	}
	want := []contract.CartCode{
		{Code: "TEN", Title: "Title of TEN", Entered: true, Version: 3, Added: 3}, {Code: "A/B-50%", Version: 5, Added: 4}, {Code: "SHIP", Title: "Title of SHIP", Entered: true, Version: 7, Added: 7},
	}
	if diff := cmp.Diff(want, state.Codes); diff != "" {
		t.Errorf("the event's codes (-want +got):\n%s", diff)
	}
	wantCodes(t, s.do(t, http.MethodDelete, "/api/v1/cart", nil))
}

func TestCodesThatAreRefused(t *testing.T) {
	t.Parallel()
	s := shopper{shop: openShop(t, awake())}
	s.add(t, "A", 1)
	for n := range contract.MaxCartCodes {
		code := fmt.Sprintf("CODE-%d", n)
		s.offer(code)
		s.do(t, http.MethodPost, "/api/v1/cart/promotions", entry(code))
	}
	s.offer("ONE-MORE")
	before := s.read(t)
	for text, status := range map[string]int{
		"ONE-MORE": 400, "UNKNOWN": 404, "": 400, "  ": 400, "TWO WORDS": 400, "A\x00B": 400, strings.Repeat("X", 65): 400,
	} {
		response := s.Do(t, http.MethodPost, "/api/v1/cart/promotions", entry(text), nil, s.header())
		if problem := problemOf(t, response); response.StatusCode != status || problem.Field != "code" || problem.Detail == "" {
			t.Errorf("%q: %d field %q %q", text, response.StatusCode, problem.Field, problem.Detail)
		}
	}
	if response := s.Do(t, http.MethodDelete, "/api/v1/cart/promotions/%FF", nil, nil, s.header()); response.StatusCode != http.StatusBadRequest {
		t.Errorf("a code that is no text: %d", response.StatusCode)
	}
	s.orders.mu.Lock()
	s.orders.down = true
	s.orders.mu.Unlock()
	if response := s.Do(t, http.MethodPost, "/api/v1/cart/promotions", entry("CODE-1"), nil, s.header()); response.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("with no order service: %d", response.StatusCode)
	}
	if after := s.read(t); after.Version != before.Version || len(after.Promotions) != contract.MaxCartCodes {
		t.Errorf("a refused code changed the cart: %+v", after)
	}
	stranger := map[string]string{contract.HeaderCartID: s.id() + "." + strings.Repeat("0", 32)}
	if response := s.Do(t, http.MethodDelete, "/api/v1/cart/promotions/CODE-1", nil, nil, stranger); response.StatusCode != http.StatusNotFound {
		t.Errorf("a stranger took a code out: %d", response.StatusCode)
	}
}

func TestAMergeUnitesCodes(t *testing.T) {
	t.Parallel()
	s := openShop(t, awake())
	u, g := s.user(t), &shopper{shop: s}
	s.offer("OWN", "BOTH", "GUEST-2", "GUEST-1")
	for _, code := range []string{"OWN", "BOTH"} {
		u.do(t, http.MethodPost, "/api/v1/cart/promotions", entry(code))
	}
	for _, code := range []string{"GUEST-2", "BOTH", "GUEST-1"} {
		g.do(t, http.MethodPost, "/api/v1/cart/promotions", entry(code))
	}
	u.merge(t, g.name)
	wantCodes(t, u.read(t), "OWN", "BOTH", "GUEST-2", "GUEST-1")
	u.do(t, http.MethodDelete, "/api/v1/cart/promotions/GUEST-2", nil)
	u.merge(t, g.name)
	wantCodes(t, u.read(t), "OWN", "BOTH", "GUEST-1")
}

func TestBuyingACartUsesItsCodesUp(t *testing.T) {
	t.Parallel()
	s := shopper{shop: openShop(t, awake())}
	s.offer("BOUGHT-WITH", "LATER")
	s.do(t, http.MethodPost, "/api/v1/cart/promotions", entry("BOUGHT-WITH"))
	order := purchaseOf(s.add(t, "A", 1))
	s.do(t, http.MethodPost, "/api/v1/cart/promotions", entry("LATER"))
	path := "/internal/v1/carts/" + s.id() + "/orders"
	for range 2 { // the order service's call and, later, the event
		if response := s.Do(t, http.MethodPost, path, order, nil, s.Internal()); response.StatusCode != http.StatusNoContent {
			t.Fatalf("taking the order out: %d", response.StatusCode)
		}
		got := s.read(t)
		wantCodes(t, got, "LATER")
		wantLines(t, got)
	}
	var contents contract.CartContents
	s.Do(t, http.MethodGet, "/internal/v1/cart", nil, &contents, s.header(), s.Internal())
	if diff := cmp.Diff([]string{order.OrderID}, contents.TakenOrders); diff != "" {
		t.Errorf("taken orders (-want +got):\n%s", diff)
	}
	for name, c := range map[string]struct {
		path   string
		order  contract.OrderChange
		header map[string]string
		status int
	}{
		"another cart":    {"/internal/v1/carts/other/orders", order, s.Internal(), http.StatusBadRequest},
		"negative":        {path, contract.OrderChange{OrderID: "o", CartID: s.id(), Lines: []contract.SKUCount{{SKU: "A", Quantity: -1}}}, s.Internal(), http.StatusBadRequest},
		"a stranger":      {path, order, nil, http.StatusNotFound},
		"no such cart":    {"/internal/v1/carts/crt/orders", contract.OrderChange{OrderID: "o", CartID: "crt"}, s.Internal(), http.StatusNoContent},
		"without lines":   {path, contract.OrderChange{OrderID: "none", CartID: s.id()}, s.Internal(), http.StatusNoContent},
		"no order's name": {path, contract.OrderChange{CartID: s.id()}, s.Internal(), http.StatusBadRequest},
	} {
		c.order.Lines, c.order.Total = append([]contract.SKUCount{}, c.order.Lines...), order.Total
		if response := s.Do(t, http.MethodPost, c.path, c.order, nil, c.header); response.StatusCode != c.status {
			t.Errorf("%s: %d, want %d", name, response.StatusCode, c.status)
		}
	}
}

// A guest who buys with a code and logs in before the order is taken out must not find the code in the cart again.
func TestCodesThatMovedAreUsedUpToo(t *testing.T) {
	t.Parallel()
	s := openShop(t, awake())
	u, g := s.user(t), &shopper{shop: s}
	s.offer("OWN", "GUEST", "LATER")
	u.do(t, http.MethodPost, "/api/v1/cart/promotions", entry("OWN"))
	g.do(t, http.MethodPost, "/api/v1/cart/promotions", entry("GUEST"))
	order := purchaseOf(g.add(t, "A", 1))
	u.merge(t, g.name)
	u.do(t, http.MethodPost, "/api/v1/cart/promotions", entry("LATER"))
	u.add(t, "B", 1)
	wantCodes(t, u.read(t), "OWN", "GUEST", "LATER")
	for range 2 {
		s.Do(t, http.MethodPost, "/internal/v1/carts/"+order.CartID+"/orders", order, nil, s.Internal())
		got := u.read(t)
		wantCodes(t, got, "OWN", "LATER")
		wantLines(t, got, contract.SKUCount{SKU: "B", Quantity: 1})
	}
}

func TestCodesOutliveRedis(t *testing.T) {
	t.Parallel()
	s := shopper{shop: openShop(t, awake())}
	s.offer("TEN", "GONE")
	s.add(t, "A", 1)
	s.do(t, http.MethodPost, "/api/v1/cart/promotions", entry("GONE"))
	s.do(t, http.MethodDelete, "/api/v1/cart/promotions/GONE", nil)
	before := s.do(t, http.MethodPost, "/api/v1/cart/promotions", entry("TEN"))
	s.clock.advance(31 * time.Minute)
	s.waitSaved(t, s.id(), before.Version)
	s.wipe(t)
	after := s.read(t)
	wantCodes(t, after, "TEN")
	wantLines(t, after, contract.SKUCount{SKU: "A", Quantity: 1})
	kittest.Eventually(t, func() error { // its order goes on where it was
		if got := s.do(t, http.MethodPost, "/api/v1/cart/promotions", entry("GONE")); len(got.Promotions) != 2 || got.Promotions[1].Code != "GONE" {
			return fmt.Errorf("codes %+v", got.Promotions)
		}
		return nil
	})
}
