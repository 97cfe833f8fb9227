package journeys_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/local/kittest"
)

// codeBuyer is a shopper who has been quoted a code's discount.
type codeBuyer struct {
	shopper
	country string
	quote   contract.Quote
	order   contract.Order
}

func (b *codeBuyer) fill(t *testing.T, sku, code string) {
	t.Helper()
	b.ask(t, http.MethodPost, "/api/v1/cart/items", map[string]any{"sku": sku, "quantity": 1}, nil).want(t, http.StatusOK)
	var cart contract.Cart
	b.ask(t, http.MethodPost, "/api/v1/cart/promotions", map[string]string{"code": code}, &cart).want(t, http.StatusOK)
	if len(cart.Promotions) != 1 {
		t.Fatalf("the cart knows of %+v", cart.Promotions)
	}
	b.requote(t)
}

func (b *codeBuyer) requote(t *testing.T) {
	t.Helper()
	b.quote = contract.Quote{}
	b.ask(t, http.MethodPost, "/api/v1/checkout/quote", map[string]any{"shipping_address": addressIn(b.country), "shipping_method": "standard"}, &b.quote).want(t, http.StatusOK)
}

// TestACodeIsLimitedOverAllRegions: shoppers of three regions, each quoted the discount, check out at once; one region counts the uses of
// all. What a cancelled order used is for others again.
func TestACodeIsLimitedOverAllRegions(t *testing.T) {
	s := openShop(t)
	t.Parallel()
	const limit, shoppers = 12, 36
	s.stocked(t, 2*shoppers, "JRN-CODE")
	admin := s.token(t, contract.RoleMerchandiser)
	var promotion struct {
		ID   string `json:"id"`
		Used int    `json:"used"`
	}
	terms := map[string]any{"title": "A tenth off", "code": "journey-12", "kind": "percentage", "basis_points": 1000, "use_limit": limit}
	s.ask(t, "DUB", http.MethodPost, "/api/v1/admin/promotions", terms, &promotion, admin).want(t, http.StatusCreated)
	used := func() int {
		t.Helper()
		s.ask(t, "SIN", http.MethodGet, "/api/v1/admin/promotions/"+promotion.ID, nil, &promotion, admin).want(t, http.StatusOK)
		return promotion.Used
	}
	places := []struct{ location, country string }{{"IAD", "US"}, {"DUB", "IE"}, {"SIN", "SG"}}
	buyers := make([]*codeBuyer, shoppers)
	for i := range buyers {
		place := places[i%len(places)]
		buyers[i] = &codeBuyer{shopper: shopper{shop: s, location: place.location}, country: place.country}
		buyers[i].fill(t, "JRN-CODE", "journey-12")
		if buyers[i].quote.Discount.Amount == 0 {
			t.Fatalf("quoted %+v", buyers[i].quote)
		}
	}
	var group sync.WaitGroup
	answers := make([]answer, shoppers)
	for i, b := range buyers {
		group.Go(func() {
			answers[i] = b.ask(t, http.MethodPost, "/api/v1/checkout", checkoutBody("tok_visa", b.country, b.quote.Quote), &b.order, idempotencyKey())
		})
	}
	group.Wait()
	var bought, refused []*codeBuyer
	for i, got := range answers {
		switch got.status {
		case http.StatusCreated, http.StatusAccepted:
			bought = append(bought, buyers[i])
			if buyers[i].order.Total != buyers[i].quote.Total {
				t.Errorf("quoted %s, ordered %s", buyers[i].quote.Total, buyers[i].order.Total)
			}
		case http.StatusConflict:
			refused = append(refused, buyers[i])
		default:
			t.Errorf("%d: %s", got.status, got.body)
		}
	}
	if len(bought) != limit || len(refused) != shoppers-limit || used() != limit {
		t.Fatalf("%d bought, %d were refused, used %d times", len(bought), len(refused), used())
	}
	next := refused[0]
	next.requote(t)
	if next.quote.Discount.Amount != 0 || len(next.quote.NotApplied) != 1 || next.quote.NotApplied[0].Reason != "used_up" {
		t.Errorf("whoever was refused is quoted %+v", next.quote)
	}
	first := bought[0]
	kittest.Eventually(t, func() error {
		var order contract.Order
		first.ask(t, http.MethodGet, "/api/v1/orders/"+first.order.ID, nil, &order).want(t, http.StatusOK)
		if order.Status != contract.OrderStatusConfirmed {
			return fmt.Errorf("the order is %s", order.Status)
		}
		return nil
	})
	first.ask(t, http.MethodPost, "/api/v1/orders/"+first.order.ID+"/cancel", map[string]any{}, nil, idempotencyKey()).want(t, http.StatusOK)
	if n := used(); n != limit-1 {
		t.Errorf("after a cancellation it is used %d times", n)
	}
	if next.requote(t); next.quote.Discount.Amount == 0 {
		t.Errorf("what came back is not offered: %+v", next.quote)
	}
	t.Logf("a code limited to %d under %d checkouts in 3 regions at once: %d bought with it, %d told that it is used up", limit, shoppers, len(bought), len(refused))
}
