package journeys_test

import (
	"net/http"
	"testing"

	"github.com/meridian-store/meridian/services/contract"
)

// A shopper who travels is served by another region's gateway, and the cart stays where it was made.
func TestACartMadeInDublinIsChangedAndBoughtInSingapore(t *testing.T) {
	s := openShop(t)
	t.Parallel()
	s.awaitSight(t, "ap-southeast", "eu-west", true)
	p := &shopper{shop: s, location: "DUB"}
	variants := p.browse(t, 20, 2)
	p.ask(t, http.MethodPost, "/api/v1/cart/items", map[string]any{"sku": variants[0].SKU, "quantity": 1}, nil).want(t, http.StatusOK)

	p.location = "SIN"
	fromHome := func(got answer) {
		t.Helper()
		if by := got.header.Get(contract.HeaderRegion); by != "eu-west" {
			t.Errorf("a cart of eu-west was served by %s", by)
		}
	}
	var cart contract.Cart
	fromHome(p.ask(t, http.MethodGet, "/api/v1/cart", nil, &cart).want(t, http.StatusOK))
	if len(cart.Lines) != 1 || cart.Lines[0].SKU != variants[0].SKU {
		t.Fatalf("in Singapore the cart holds %+v", cart.Lines)
	}
	fromHome(p.ask(t, http.MethodPost, "/api/v1/cart/items", map[string]any{"sku": variants[1].SKU, "quantity": 2}, &cart).want(t, http.StatusOK))
	if cart.Count != 3 {
		t.Fatalf("the cart holds %+v", cart.Lines)
	}
	var order, again, read contract.Order
	key := idempotencyKey()
	body := checkoutBody("tok_visa", "SG", "")
	fromHome(p.ask(t, http.MethodPost, "/api/v1/checkout", body, &order, key).want(t, http.StatusCreated))
	p.location = "DUB"
	p.ask(t, http.MethodPost, "/api/v1/checkout", body, &again, key).want(t, http.StatusCreated)
	p.location = "SIN"
	fromHome(p.ask(t, http.MethodGet, "/api/v1/orders/"+order.ID, nil, &read).want(t, http.StatusOK))
	if order.ID == "" || again.ID != order.ID || read.ID != order.ID {
		t.Errorf("one checkout made the orders %q and %q, and %q was read", order.ID, again.ID, read.ID)
	}
	if reference := p.ask(t, http.MethodGet, "/api/v1/products?limit=1", nil, nil).want(t, http.StatusOK); reference.header.Get(contract.HeaderRegion) != "ap-southeast" {
		t.Errorf("the catalog was served by %s", reference.header.Get(contract.HeaderRegion))
	}
}
