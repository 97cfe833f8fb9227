package journeys_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/local/kittest"
	"github.com/meridian-store/meridian/local/sandbox/sandboxtest"
	"github.com/meridian-store/meridian/regions/cluster"
)

// The brief's "Verify" lines, by name.

// V1: each service can be deployed and tested independently. Here each is started alone, beside nothing but engines; that none
// compiles against another is held by the boundary test.
func TestV1_EachServiceIsStartedAlone(t *testing.T) {
	t.Parallel()
	for _, definition := range cluster.Services() {
		t.Run(definition.Name, func(t *testing.T) {
			t.Parallel()
			alone := kittest.Start(t, definition, settingsOf(t, definition.Name)...)
			if definition.Name == contract.ServiceGateway {
				standIn(t, alone)
			}
			for _, path := range []string{"/health", "/ready", "/metrics", "/openapi.json"} {
				if got := alone.Do(t, http.MethodGet, path, nil, nil).StatusCode; got != http.StatusOK {
					t.Errorf("%s answers %d", path, got)
				}
			}
		})
	}
}

// settingsOf returns what a service needs beside the engines of its definition.
func settingsOf(t *testing.T, service string) []kittest.Option {
	t.Helper()
	switch service {
	case contract.ServicePayment:
		return []kittest.Option{kittest.WithSettings(map[string]string{
			"MERIDIAN_PAYMENT_URL": sandboxtest.Start(t, nil), "MERIDIAN_PAYMENT_KEY": sandboxtest.SecretKey,
		})}
	case contract.ServicePurge: // Cloudflare is not called before there is something to purge
		return []kittest.Option{kittest.WithSettings(map[string]string{
			"MERIDIAN_CLOUDFLARE_URL": "http://127.0.0.1:1", "MERIDIAN_CLOUDFLARE_TOKEN": "token", "MERIDIAN_CLOUDFLARE_ZONE": "zone",
		})}
	case contract.ServiceSearch:
		return []kittest.Option{kittest.WithSearch()}
	default:
		return nil
	}
}

// standIn plays the services that a gateway must see before it calls itself ready.
func standIn(t *testing.T, gateway *kittest.Service) {
	t.Helper()
	for _, name := range cluster.Names() {
		if name != contract.ServiceGateway {
			gateway.Neighbour(t, name, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
		}
	}
	kittest.Eventually(t, func() error {
		if got := gateway.Do(t, http.MethodGet, "/ready", nil, nil).StatusCode; got != http.StatusOK {
			return fmt.Errorf("/ready answers %d", got)
		}
		return nil
	})
}

// V2: curl -H "Authorization: Bearer <token>" …/api/v1/products → returns product list with 200 OK.
func TestV2_TheProductListWithABearerToken(t *testing.T) {
	s := openShop(t)
	t.Parallel()
	var page struct {
		Items []contract.Summary `json:"items"`
	}
	s.ask(t, "IAD", http.MethodGet, "/api/v1/products", nil, &page, s.token(t, contract.RoleShopper)).want(t, http.StatusOK)
	if len(page.Items) != 20 || page.Items[0].Title == "" || page.Items[0].PriceFrom == nil {
		t.Fatalf("got %d items, the first %+v", len(page.Items), page.Items[:min(1, len(page.Items))])
	}
}

// V3: add_to_cart("user123", "SKU-001", 2) then get_cart("user123") → {"SKU-001": 2}.
func TestV3_TheCartKeepsWhatIsPutInIt(t *testing.T) {
	s := openShop(t)
	t.Parallel()
	p := &shopper{shop: s, location: "IAD"}
	sku := p.browse(t, 10, 1)[0].SKU
	p.ask(t, http.MethodPost, "/api/v1/cart/items", map[string]any{"sku": sku, "quantity": 2}, nil).want(t, http.StatusOK)
	var cart contract.Cart
	p.ask(t, http.MethodGet, "/api/v1/cart", nil, &cart).want(t, http.StatusOK)
	if len(cart.Lines) != 1 || cart.Lines[0].SKU != sku || cart.Lines[0].Quantity != 2 {
		t.Fatalf("the cart holds %+v", cart.Lines)
	}
	stranger := &shopper{shop: s, location: "IAD", cart: cart.ID + ".00000000000000000000000000000000"}
	stranger.ask(t, http.MethodGet, "/api/v1/cart", nil, nil).want(t, http.StatusNotFound)
}

// V4: place a test order → inventory decremented, payment captured, order record exists, cart cleared …
func TestV4_AnOrderIsPlaced(t *testing.T) {
	s := openShop(t)
	t.Parallel()
	p := &shopper{shop: s, location: "FRA"}
	variants := p.browse(t, 11, 1)
	onHand, _ := s.onHand(t, variants[0].SKU)
	p.ask(t, http.MethodPost, "/api/v1/cart/items", map[string]any{"sku": variants[0].SKU, "quantity": 1}, nil).want(t, http.StatusOK)
	var order contract.Order
	key := idempotencyKey()
	first := p.ask(t, http.MethodPost, "/api/v1/checkout", checkoutBody("tok_visa", "DE", ""), &order, key).want(t, http.StatusCreated)
	if order.PaymentID == "" || order.Status != contract.OrderStatusConfirmed {
		t.Fatalf("the order is %+v", order)
	}
	again := p.ask(t, http.MethodPost, "/api/v1/checkout", checkoutBody("tok_visa", "DE", ""), nil, key).want(t, http.StatusCreated)
	if string(again.body) != string(first.body) {
		t.Fatalf("the same key got another answer:\n%s\n%s", first.body, again.body)
	}
	s.settles(t, p, variants, map[string]int64{variants[0].SKU: onHand})
}

// … Simulate payment failure → inventory restored.
func TestV4_APaymentFails(t *testing.T) {
	s := openShop(t)
	t.Parallel()
	p := &shopper{shop: s, location: "SIN"}
	sku := p.browse(t, 12, 1)[0].SKU
	onHand, _ := s.onHand(t, sku)
	p.ask(t, http.MethodPost, "/api/v1/cart/items", map[string]any{"sku": sku, "quantity": 3}, nil).want(t, http.StatusOK)
	declined := p.ask(t, http.MethodPost, "/api/v1/checkout", checkoutBody("tok_chargeDeclined", "SG", ""), nil, idempotencyKey()).want(t, http.StatusPaymentRequired)
	if got := declined.header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("content type %q", got)
	}
	if now, reserved := s.onHand(t, sku); now != onHand || reserved != 0 {
		t.Fatalf("%d on hand and %d reserved, want %d and 0", now, reserved, onHand)
	}
	var orders struct {
		Items []contract.Order `json:"items"`
	}
	p.ask(t, http.MethodGet, "/api/v1/orders", nil, &orders).want(t, http.StatusOK)
	for _, order := range orders.Items {
		if order.Status == contract.OrderStatusConfirmed {
			t.Fatalf("a declined payment has confirmed %+v", order)
		}
	}
	var cart contract.Cart
	p.ask(t, http.MethodGet, "/api/v1/cart", nil, &cart).want(t, http.StatusOK)
	if len(cart.Lines) != 1 || cart.Lines[0].Quantity != 3 {
		t.Fatalf("the cart lost what could not be paid: %+v", cart.Lines)
	}
}

// V6: create a product by the API, and it is found within two seconds. Here in each region, by its title, a typo in it, and its brand.
func TestV6_ACreatedProductIsFound(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	product := contract.ProductInput{Slug: "journey-quokka-lantern", Title: "Quokka Lantern", Brand: "Brushtail & Sons", Published: true, Variants: []contract.VariantInput{
		{SKU: "JRN-QUOKKA", Prices: []contract.Money{{Amount: 4200, Currency: "USD"}}}}}
	s.ask(t, "IAD", http.MethodPost, "/api/v1/admin/products", product, nil, s.token(t, contract.RoleMerchandiser)).want(t, http.StatusCreated)
	begun := time.Now()
	for _, location := range []string{"IAD", "DUB", "SIN"} {
		for _, query := range []string{"quokka+lantern", "quoka", "brushtail"} {
			kittest.Eventually(t, func() error {
				var found struct {
					Hits []contract.Summary `json:"hits"`
				}
				got := s.ask(t, location, http.MethodGet, "/api/v1/search?q="+query, nil, &found)
				if got.status != http.StatusOK || len(found.Hits) == 0 || found.Hits[0].Slug != product.Slug || found.Hits[0].PriceFrom == nil || found.Hits[0].PriceFrom.Amount != 4200 {
					return fmt.Errorf("at %s %q finds %d %.300s", location, query, got.status, got.body)
				}
				return nil
			})
		}
		t.Logf("%s finds it by title, typo and brand %s after it was created", location, time.Since(begun).Round(time.Millisecond))
	}
}
