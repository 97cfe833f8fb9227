package journeys_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/meridian-store/meridian/contract"
)

// shelf makes a product of many sizes, and gives its SKUs.
func (s *shop) shelf(t *testing.T, slug string, sizes int) []string {
	t.Helper()
	product := contract.ProductInput{Slug: slug, Title: slug, Published: true, Options: []contract.Option{{Name: "Size"}}}
	var skus []string
	for n := range sizes {
		sku, size := fmt.Sprintf("%s-%02d", slug, n), fmt.Sprintf("size %d", n)
		skus = append(skus, sku)
		product.Options[0].Values = append(product.Options[0].Values, size)
		product.Variants = append(product.Variants, contract.VariantInput{
			SKU: sku, Options: map[string]string{"Size": size}, Prices: []contract.Money{{Amount: int64(100 + n), Currency: "USD"}},
		})
	}
	s.ask(t, "IAD", http.MethodPost, "/api/v1/admin/products", product, nil, s.token(t, contract.RoleAdmin)).want(t, http.StatusCreated)
	return skus
}

func TestFiftyConcurrentAddsToOneCartAreAllKept(t *testing.T) {
	s := openShop(t)
	t.Parallel()
	skus := s.shelf(t, "journey-crowd", 5)
	p := &shopper{shop: s, location: "IAD"}
	p.ask(t, http.MethodPost, "/api/v1/cart/items", map[string]any{"sku": skus[0], "quantity": 1}, nil).want(t, http.StatusOK)
	const adds = 50
	var crowd sync.WaitGroup
	for n := range adds {
		crowd.Go(func() {
			line := map[string]any{"sku": skus[n%len(skus)], "quantity": 2}
			if got := s.ask(t, p.location, http.MethodPost, "/api/v1/cart/items", line, nil, map[string]string{contract.HeaderCartID: p.cart}); got.status != http.StatusOK {
				t.Errorf("an add was answered %d: %s", got.status, got.body)
			}
		})
	}
	crowd.Wait()
	var cart contract.Cart
	p.ask(t, http.MethodGet, "/api/v1/cart", nil, &cart).want(t, http.StatusOK)
	if want := int64(1 + 2*adds); cart.Count != want || len(cart.Lines) != len(skus) || cart.Version != adds+1 {
		t.Fatalf("%d units in %d lines at version %d, want %d", cart.Count, len(cart.Lines), cart.Version, want)
	}
	t.Logf("%d concurrent adds through the edge and the gateway: %d units, %d kept, version %d", adds, cart.Count, (cart.Count-1)/2, cart.Version)
}

// A browser with several open tabs logs in and refreshes in all of them at once, each with the same guest's cart.
func TestParallelLoginsMergeAGuestsCartWithoutLoss(t *testing.T) {
	s := openShop(t)
	t.Parallel()
	const lines, each = 65, 4
	skus := s.shelf(t, "journey-tabs", lines)
	email := newEmail()
	joined := s.join(t, "IAD", email)
	own := map[string]any{"sku": skus[0], "quantity": 3}
	s.ask(t, "IAD", http.MethodPost, "/api/v1/cart/items", own, nil, joined.header()).want(t, http.StatusOK)
	var sessions []tokens
	for range each {
		session, _ := s.login(t, "IAD", email)
		sessions = append(sessions, session)
	}
	guest := &shopper{shop: s, location: "IAD"}
	for _, sku := range skus {
		guest.ask(t, http.MethodPost, "/api/v1/cart/items", map[string]any{"sku": sku, "quantity": 2}, nil).want(t, http.StatusOK)
	}
	named := map[string]string{contract.HeaderCartID: guest.cart}
	var tabs sync.WaitGroup
	for _, session := range sessions {
		for path, body := range map[string]map[string]string{
			"/api/v1/auth/login": {"email": email, "password": passphrase}, "/api/v1/auth/refresh": {"refresh_token": session.Refresh},
		} {
			tabs.Go(func() {
				if made, _ := s.signIn(t, "IAD", path, body, named); made.CartMerged == nil {
					t.Errorf("%s says nothing of the cart", path)
				}
			})
		}
	}
	tabs.Wait()
	var cart contract.Cart
	s.ask(t, "IAD", http.MethodGet, "/api/v1/cart", nil, &cart, joined.header()).want(t, http.StatusOK)
	if len(cart.Lines) != lines || cart.Count != 3+2*lines {
		t.Fatalf("%d lines with %d units, want %d with %d", len(cart.Lines), cart.Count, lines, 3+2*lines)
	}
	for n, line := range cart.Lines {
		want := int64(2)
		if n == 0 {
			want = 5
		}
		if line.SKU != skus[n] || line.Quantity != want {
			t.Fatalf("line %d is %d of %s, want %d of %s", n, line.Quantity, line.SKU, want, skus[n])
		}
	}
	t.Logf("%d parallel logins and refreshes merged %d lines once: %d lines, %d units", 2*each, lines, len(cart.Lines), cart.Count)
}

func TestAPriceListReachesThePageTheCartAndTheQuote(t *testing.T) {
	s := openShop(t)
	t.Parallel()
	sku := s.shelf(t, "journey-list", 1)[0]
	admin := s.token(t, contract.RoleMerchandiser)
	p := &shopper{shop: s, location: "DUB"}
	var cart contract.Cart
	p.ask(t, http.MethodPost, "/api/v1/cart/items", map[string]any{"sku": sku, "quantity": 2}, &cart).want(t, http.StatusOK)
	if cart.Subtotal.Amount != 200 {
		t.Fatalf("without a list: %+v", cart)
	}
	var list contract.PriceList
	input := contract.PriceListInput{Name: "Journey", Currency: "USD", Region: "eu-west"}
	s.ask(t, "IAD", http.MethodPost, "/api/v1/admin/price-lists", input, &list, admin).want(t, http.StatusCreated)
	prices := map[string]any{"items": []map[string]any{{"sku": sku, "amount": 75}}}
	s.ask(t, "IAD", http.MethodPut, "/api/v1/admin/price-lists/"+list.ID+"/prices", prices, nil, admin).want(t, http.StatusOK)
	p.ask(t, http.MethodGet, "/api/v1/cart", nil, &cart).want(t, http.StatusOK)
	if line := cart.Lines[0]; cart.Subtotal.Amount != 150 || line.PriceWas == nil || line.PriceWas.Amount != 100 {
		t.Errorf("the cart in Dublin: %+v", cart)
	}
	var quote contract.Quote
	p.ask(t, http.MethodPost, "/api/v1/checkout/quote", map[string]any{"shipping_address": addressIn("IE"), "shipping_method": "standard"}, &quote).want(t, http.StatusOK)
	if quote.Lines[0].UnitPrice.Amount != 75 || quote.Subtotal != cart.Subtotal {
		t.Errorf("the quote to Ireland: %+v", quote)
	}
	for query, want := range map[string]int64{"": 100, "?region=us-east": 100, "?region=eu-west": 75} {
		var product contract.Product
		s.ask(t, "DUB", http.MethodGet, "/api/v1/products/journey-list"+query, nil, &product).want(t, http.StatusOK)
		if got := product.PriceFrom.Amount; got != want {
			t.Errorf("the page%s says %d, want %d", query, got, want)
		}
	}
	var after contract.Cart
	p.ask(t, http.MethodPost, "/api/v1/cart/acknowledge", nil, &after).want(t, http.StatusOK)
	if after.Lines[0].PriceWas != nil {
		t.Errorf("acknowledged: %+v", after.Lines[0])
	}
}
