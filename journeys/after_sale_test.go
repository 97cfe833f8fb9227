package journeys_test

import (
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/local/engine/enginetest"
	"github.com/meridian-store/meridian/local/kittest"
)

// stocked makes a product of each SKU, with units in a warehouse of us-east.
func (s *shop) stocked(t *testing.T, units int, skus ...string) {
	t.Helper()
	admin := s.token(t, contract.RoleAdmin)
	for _, sku := range skus {
		price := contract.Money{Amount: 1250, Currency: "USD"}
		product := contract.ProductInput{Slug: strings.ToLower(sku), Title: sku, Published: true, Variants: []contract.VariantInput{{SKU: sku, Prices: []contract.Money{price}}}}
		s.ask(t, "IAD", http.MethodPost, "/api/v1/admin/products", product, nil, admin).want(t, http.StatusCreated)
		count := map[string]any{"warehouse": "iad-1", "on_hand": units, "reference": "journey"}
		kittest.Eventually(t, func() error { // a shop that has just come up may not have found its inventory yet
			if got := s.ask(t, "IAD", http.MethodPut, "/api/v1/admin/inventory/"+url.PathEscape(sku), count, nil, admin); got.status != http.StatusOK {
				return fmt.Errorf("count of %s: %d %s", sku, got.status, got.body)
			}
			return nil
		})
	}
}

// buys takes one unit of each SKU and gives the confirmed order.
func (p *shopper) buys(t *testing.T, skus ...string) contract.Order {
	t.Helper()
	for _, sku := range skus {
		p.ask(t, http.MethodPost, "/api/v1/cart/items", map[string]any{"sku": sku, "quantity": 1}, nil).want(t, http.StatusOK)
	}
	var order contract.Order
	p.ask(t, http.MethodPost, "/api/v1/checkout", checkoutBody("tok_visa", "US", ""), &order, idempotencyKey()).want(t, http.StatusCreated)
	return order
}

// eventually reads the order until it is as it should be.
func (p *shopper) eventually(t *testing.T, id string, check func(contract.Order) error) (order contract.Order) {
	t.Helper()
	kittest.Eventually(t, func() error {
		order = contract.Order{}
		p.ask(t, http.MethodGet, "/api/v1/orders/"+id, nil, &order).want(t, http.StatusOK)
		return check(order)
	})
	return order
}

// comesBack waits until a SKU's units are on hand again, each by one movement.
func (s *shop) comesBack(t *testing.T, sku string, onHand int64, returned int) {
	t.Helper()
	kittest.Eventually(t, func() error {
		var ledger struct {
			Items []contract.StockMovement `json:"items"`
		}
		s.ask(t, "IAD", http.MethodGet, "/api/v1/admin/inventory/"+url.PathEscape(sku)+"/movements", nil, &ledger, s.token(t, contract.RoleAdmin)).want(t, http.StatusOK)
		back := 0
		for _, movement := range ledger.Items {
			if movement.Kind == "returned" {
				back++
			}
		}
		if got, reserved := s.onHand(t, sku); got != onHand || reserved != 0 || back != returned {
			return fmt.Errorf("%s: %d on hand, %d reserved and %d returned, want %d, 0 and %d", sku, got, reserved, back, onHand, returned)
		}
		return nil
	})
}

// An order is sent in part, with where to follow it; what has arrived comes back; the goods are on sale again and their price is back.
func TestAnOrderIsSentReturnedAndRefunded(t *testing.T) {
	s := openShop(t)
	t.Parallel()
	s.stocked(t, 5, "JRN-SENT", "JRN-WAITS")
	p := &shopper{shop: s, location: "IAD"}
	order := p.buys(t, "JRN-SENT", "JRN-WAITS")
	support := s.token(t, contract.RoleSupport)
	of, sent := "/api/v1/admin/orders/"+order.ID, []contract.SKUCount{{SKU: "JRN-SENT", Quantity: 1}}

	read := s.ask(t, "DUB", http.MethodGet, of, nil, nil, support).want(t, http.StatusOK)
	parcel := map[string]any{"lines": sent, "tracking": contract.Tracking{Carrier: "UPS", Number: "1Z999", URL: "https://ups.example/1Z999"}}
	tag := map[string]string{"If-Match": read.header.Get("ETag")}
	s.ask(t, "IAD", http.MethodPost, of+"/fulfilments", parcel, nil, support, idempotencyKey(), tag).want(t, http.StatusCreated)
	s.ask(t, "IAD", http.MethodPost, of+"/fulfilments", parcel, nil, support, idempotencyKey(), tag).want(t, http.StatusPreconditionFailed)
	var after contract.Order
	p.ask(t, http.MethodGet, "/api/v1/orders/"+order.ID, nil, &after).want(t, http.StatusOK)
	if after.Status != contract.OrderStatusPartiallyFulfilled || after.Fulfilments[0].Tracking.Number != "1Z999" {
		t.Fatalf("sent: %+v", after)
	}
	p.ask(t, http.MethodPost, "/api/v1/orders/"+order.ID+"/cancel", map[string]any{}, nil, idempotencyKey()).want(t, http.StatusConflict)

	var asked contract.OrderReturn
	p.ask(t, http.MethodPost, "/api/v1/orders/"+order.ID+"/returns", map[string]any{"lines": sent, "reason": "too small"}, &asked, idempotencyKey()).want(t, http.StatusCreated)
	s.ask(t, "IAD", http.MethodPost, of+"/returns/"+asked.ID+"/receive", map[string]any{"restock": true}, nil, support, idempotencyKey()).want(t, http.StatusOK)
	after = p.eventually(t, order.ID, func(order contract.Order) error {
		if order.Refunded == nil || order.Refunded.Amount == 0 || order.Returns[0].State != contract.ReturnStateReceived {
			return fmt.Errorf("not refunded yet: %+v", order)
		}
		return nil
	})
	s.comesBack(t, "JRN-SENT", 5, 1)
	t.Logf("order of %s: one of two SKUs sent and returned, %s refunded, %d back on hand by one movement; status %s", after.Total, after.Refunded, 5, after.Status)
}

func TestACancelledOrderGivesEverythingBack(t *testing.T) {
	s := openShop(t)
	t.Parallel()
	s.stocked(t, 3, "JRN-CANCEL")
	p := &shopper{shop: s, location: "IAD"}
	order := p.buys(t, "JRN-CANCEL")
	key, cancel := idempotencyKey(), "/api/v1/orders/"+order.ID+"/cancel"
	first := p.ask(t, http.MethodPost, cancel, map[string]any{}, nil, key).want(t, http.StatusOK)
	for range 5 {
		if again := p.ask(t, http.MethodPost, cancel, map[string]any{}, nil, key).want(t, http.StatusOK); string(again.body) != string(first.body) {
			t.Errorf("first %s, then %s", first.body, again.body)
		}
	}
	after := p.eventually(t, order.ID, func(order contract.Order) error {
		if order.Refunded == nil || *order.Refunded != order.Total {
			return fmt.Errorf("not refunded yet: %+v", order)
		}
		return nil
	})
	if after.Status != contract.OrderStatusCancelled || len(after.Refunds) != 1 {
		t.Errorf("%+v", after)
	}
	s.comesBack(t, "JRN-CANCEL", 3, 1)
	t.Logf("cancelled six times under one key: %s refunded once, the unit is back by one movement", after.Refunded)
}

// An archived order still answers: its region keeps nothing of it but where it is.
func TestAnArchivedOrderStillAnswers(t *testing.T) {
	t.Setenv("MERIDIAN_ORDER_KEEP", "2s")
	t.Setenv("MERIDIAN_ORDER_ARCHIVE_AFTER", "2s")
	t.Setenv("MERIDIAN_ORDER_ARCHIVE_EVERY", "1s")
	s := &shop{binary: binary(t), home: filepath.Join(scratch, "archive")}
	s.up(t, enginetest.Ports(t, 100))
	t.Cleanup(func() { s.must(t, "down") })
	s.stocked(t, 3, "JRN-ARCHIVE")
	p := &shopper{shop: s, location: "IAD"}
	order := p.buys(t, "JRN-ARCHIVE")
	begun := time.Now()
	support := s.token(t, contract.RoleSupport)
	kittest.Eventually(t, func() error {
		var page struct {
			Items []contract.Order `json:"items"`
		}
		s.ask(t, "IAD", http.MethodGet, "/api/v1/admin/orders", nil, &page, support).want(t, http.StatusOK)
		if len(page.Items) > 0 {
			return fmt.Errorf("%s is still in the database", page.Items[0].ID)
		}
		return nil
	})
	files, err := filepath.Glob(filepath.Join(s.home, "archive", "us-east", "*", "*.jsonl.zst"))
	if err != nil || len(files) == 0 {
		t.Fatalf("there is no file of the archive: %v", err)
	}
	took := time.Since(begun)
	var got contract.Order
	for _, location := range []string{"IAD", "SIN"} {
		p.location = location
		p.ask(t, http.MethodGet, "/api/v1/orders/"+order.ID, nil, &got).want(t, http.StatusOK)
		if got.ID != order.ID || got.Total != order.Total || got.Email != order.Email {
			t.Errorf("from %s the order is %+v", location, got)
		}
	}
	(&shopper{shop: s, location: "IAD"}).ask(t, http.MethodGet, "/api/v1/orders/"+order.ID, nil, nil).want(t, http.StatusNotFound)
	lookup := map[string]string{"number": order.Number, "email": order.Email}
	s.ask(t, "DUB", http.MethodPost, "/api/v1/orders/lookup", lookup, &got).want(t, http.StatusOK)
	if got.ID != order.ID {
		t.Errorf("looked up %+v", got)
	}
	t.Logf("archived %.1f s after its sale, in %d file; it answers its buyer in two regions, and a guest with its number", took.Seconds(), len(files))
}
