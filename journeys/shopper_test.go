package journeys_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/local/kittest"
)

// shopper is one person with a cart, standing at an edge location.
type shopper struct {
	shop     *shop
	location string
	cart     string
	// token is a signed-in shopper's Authorization, "" for a guest.
	token string
}

func (p *shopper) ask(t *testing.T, method, path string, in, out any, headers ...map[string]string) answer {
	t.Helper()
	if p.cart != "" {
		headers = append(headers, map[string]string{contract.HeaderCartID: p.cart})
	}
	if p.token != "" {
		headers = append(headers, map[string]string{"Authorization": p.token})
	}
	got := p.shop.ask(t, p.location, method, path, in, out, headers...)
	if id := got.header.Get(contract.HeaderCartID); id != "" {
		p.cart = id
	}
	return got
}

// browse gives products that can be bought, read as a shopper reads them: list, then each product.
func (p *shopper) browse(t *testing.T, skip, want int) []contract.Variant {
	t.Helper()
	var bought []contract.Variant
	for cursor := ""; ; {
		var page struct {
			Items      []contract.Summary `json:"items"`
			NextCursor string             `json:"next_cursor"`
		}
		p.ask(t, http.MethodGet, "/api/v1/products?limit=10&cursor="+cursor, nil, &page).want(t, http.StatusOK)
		for _, item := range page.Items {
			var product contract.Product
			p.ask(t, http.MethodGet, "/api/v1/products/"+item.Slug, nil, &product).want(t, http.StatusOK)
			for _, variant := range product.Variants {
				if variant.Stock == contract.BandInStock && variant.Price != nil {
					bought = append(bought, variant)
					break
				}
			}
			if len(bought) == skip+want {
				return bought[skip:]
			}
		}
		if cursor = page.NextCursor; cursor == "" {
			t.Fatalf("the catalog ended with %d products in stock, want %d", len(bought), skip+want)
		}
	}
}

// onHand sums a SKU's stock over all warehouses.
func (s *shop) onHand(t *testing.T, sku string) (onHand, reserved int64) {
	t.Helper()
	var levels struct {
		Items []contract.StockLevel `json:"items"`
	}
	s.ask(t, "IAD", http.MethodGet, "/api/v1/admin/inventory/"+sku, nil, &levels, s.token(t, contract.RoleAdmin)).want(t, http.StatusOK)
	for _, level := range levels.Items {
		onHand += level.OnHand
		reserved += level.Reserved
	}
	return onHand, reserved
}

func addressIn(country string) contract.Address {
	return contract.Address{Name: "Test Shopper", Line1: "1 Main Street", City: "Anywhere", PostalCode: "10000", Country: country}
}

func checkoutBody(token, country, quote string) map[string]any {
	body := map[string]any{
		"payment": map[string]string{"token": token}, "email": "shopper@example.test",
		"shipping_address": addressIn(country), "shipping_method": "standard",
	}
	if quote != "" {
		body["quote"] = quote
	}
	return body
}

func idempotencyKey() map[string]string {
	return map[string]string{contract.HeaderIdempotencyKey: geo.NewID("key", "use")}
}

func TestAShopperBuysThroughTheNearestRegion(t *testing.T) {
	s := openShop(t)
	t.Parallel()
	for i, place := range []struct{ location, region, country string }{
		{"IAD", "us-east", "US"}, {"DUB", "eu-west", "IE"}, {"SIN", "ap-southeast", "SG"},
	} {
		t.Run(place.location, func(t *testing.T) {
			t.Parallel()
			p := &shopper{shop: s, location: place.location}
			variants := p.browse(t, 2*i, 2)
			before := map[string]int64{}
			for _, variant := range variants {
				before[variant.SKU], _ = s.onHand(t, variant.SKU)
			}
			var cart contract.Cart
			for n, variant := range variants {
				line := map[string]any{"sku": variant.SKU, "quantity": n + 1}
				got := p.ask(t, http.MethodPost, "/api/v1/cart/items", line, &cart).want(t, http.StatusOK)
				if region := got.header.Get(contract.HeaderRegion); region != place.region {
					t.Fatalf("%s was served by %s", place.location, region)
				}
			}
			if len(cart.Lines) != 2 || cart.Count != 3 {
				t.Fatalf("the cart holds %+v", cart.Lines)
			}
			readsAreHits(t, p)
			var quote contract.Quote
			destination := map[string]any{"shipping_address": addressIn(place.country), "shipping_method": "standard"}
			p.ask(t, http.MethodPost, "/api/v1/checkout/quote", destination, &quote).want(t, http.StatusOK)
			if quote.Subtotal != cart.Subtotal {
				t.Fatalf("the quote's subtotal is %s, the cart's %s", quote.Subtotal, cart.Subtotal)
			}
			var order contract.Order
			bought := p.ask(t, http.MethodPost, "/api/v1/checkout", checkoutBody("tok_visa", place.country, quote.Quote), &order, idempotencyKey()).want(t, http.StatusCreated)
			if order.Status != contract.OrderStatusConfirmed || order.Total != quote.Total || bought.header.Get(contract.HeaderRegion) != place.region {
				t.Fatalf("order %+v from %s", order, bought.header.Get(contract.HeaderRegion))
			}
			var read contract.Order
			p.ask(t, http.MethodGet, "/api/v1/orders/"+order.ID, nil, &read).want(t, http.StatusOK)
			if read.ID != order.ID || read.Total != order.Total || len(read.History) == 0 {
				t.Fatalf("read back %+v", read)
			}
			s.settles(t, p, variants, before)
			s.eventsOf(t, place.region, order)
		})
	}
}

// readsAreHits reads the catalog twice with a cart and a token in hand: the second answer comes from the edge.
func readsAreHits(t *testing.T, p *shopper) {
	t.Helper()
	token := p.shop.token(t, contract.RoleShopper)
	cookie := map[string]string{"Cookie": "cart=" + p.cart}
	kittest.Eventually(t, func() error { // an entry lives for two seconds, which a busy machine can lose between two reads
		first := p.ask(t, http.MethodGet, "/api/v1/products?limit=7", nil, nil).want(t, http.StatusOK)
		second := p.ask(t, http.MethodGet, "/api/v1/products?limit=7", nil, nil, token, cookie).want(t, http.StatusOK)
		if cache := second.header.Get("X-Cache"); cache != "HIT" || string(first.body) != string(second.body) {
			return fmt.Errorf("the second read was a %s", cache)
		}
		return nil
	})
}

// settles waits for what follows an order by events: the stock has fallen by exactly what was bought, nothing is reserved, and the
// cart is empty.
func (s *shop) settles(t *testing.T, p *shopper, variants []contract.Variant, before map[string]int64) {
	t.Helper()
	kittest.Eventually(t, func() error {
		for n, variant := range variants {
			onHand, reserved := s.onHand(t, variant.SKU)
			if want := before[variant.SKU] - int64(n+1); onHand != want || reserved != 0 {
				return fmt.Errorf("%s: %d on hand and %d reserved, want %d and 0", variant.SKU, onHand, reserved, want)
			}
		}
		var cart contract.Cart
		p.ask(t, http.MethodGet, "/api/v1/cart", nil, &cart).want(t, http.StatusOK)
		if len(cart.Lines) != 0 {
			return fmt.Errorf("the cart still holds %+v", cart.Lines)
		}
		return nil
	})
}

// eventsOf finds the events of an order in its region's broker.
func (s *shop) eventsOf(t *testing.T, region string, order contract.Order) {
	t.Helper()
	want := map[string]bool{contract.OrderConfirmed: true, contract.PaymentSucceeded: true, contract.InventoryReserved: true, contract.InventorySold: true, contract.CartChanged: true}
	// A flash sale before this one may have left more events than can be read in the time.
	since := order.CreatedAt.Add(-15 * time.Second).UnixMilli()
	client, err := kgo.NewClient(kgo.SeedBrokers(s.engine(t, region, "broker").Address), kgo.ConsumeResetOffset(kgo.NewOffset().AfterMilli(since)),
		kgo.ConsumeTopics(contract.TopicOrders, contract.TopicPayments, contract.TopicInventory, contract.TopicCarts), kgo.FetchMaxWait(100*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	saga := ""
	var waiting []contract.Event
	for len(want) > 0 && ctx.Err() == nil {
		for _, record := range client.PollFetches(ctx).Records() {
			var event contract.Event
			if err := json.Unmarshal(record.Value, &event); err != nil {
				t.Fatal(err)
			}
			if event.Type == contract.OrderConfirmed && event.Subject == order.ID {
				var change contract.OrderChange
				if err := event.Decode(&change); err != nil {
					t.Fatal(err)
				}
				saga = change.SagaID
				delete(want, event.Type)
			}
			waiting = append(waiting, event)
		}
		for _, event := range waiting {
			if saga != "" && (event.Subject == saga || event.Subject == order.Quote.CartID || mentions(event, saga)) {
				delete(want, event.Type)
			}
		}
	}
	if len(want) > 0 {
		t.Fatalf("the broker of %s lacks %v of order %s", region, want, order.ID)
	}
}

func mentions(event contract.Event, saga string) bool {
	var data struct {
		SagaID string `json:"saga_id"`
	}
	return event.Decode(&data) == nil && data.SagaID == saga
}

// Real exports hold SKUs such as "Tubes - 700x20/25 Conti": a shopper must be able to take one out of the cart again.
func TestASKUWithASlashIsBoughtAndTakenOut(t *testing.T) {
	s := openShop(t)
	t.Parallel()
	const sku = "JRN 20/25 100%"
	product := contract.ProductInput{Slug: "journey-tubes", Title: "Tubes", Published: true, Variants: []contract.VariantInput{{SKU: sku, Prices: []contract.Money{{Amount: 700, Currency: "USD"}}}}}
	admin := s.token(t, contract.RoleAdmin)
	s.ask(t, "IAD", http.MethodPost, "/api/v1/admin/products", product, nil, admin).want(t, http.StatusCreated)
	path := "/api/v1/admin/inventory/" + url.PathEscape(sku)
	s.ask(t, "IAD", http.MethodPut, path, map[string]any{"warehouse": "iad-1", "on_hand": 9, "reference": "journey"}, nil, admin).want(t, http.StatusOK)
	p := &shopper{shop: s, location: "IAD"}
	p.ask(t, http.MethodPost, "/api/v1/cart/items", map[string]any{"sku": sku, "quantity": 2}, nil).want(t, http.StatusOK)
	var cart contract.Cart
	p.ask(t, http.MethodDelete, "/api/v1/cart/items/"+url.PathEscape(sku), nil, &cart).want(t, http.StatusOK)
	if len(cart.Lines) != 0 {
		t.Fatalf("the cart still holds %+v", cart.Lines)
	}
}
