package drill

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/kit/httpclient"
)

// outcome is how a purchase ended for its shopper.
type outcome int

const (
	// acknowledged: the shopper holds a confirmed order.
	acknowledged outcome = iota
	// soldOut: the shop said that there is no more.
	soldOut
	// gaveUp: the shopper has no final answer and has stopped trying.
	gaveUp
)

// purchase is one shopper who puts one thing into a cart and buys it. What fails is tried again, the checkout always under its one
// key, as a shopper's browser does.
type purchase struct {
	crowd  *crowd
	client *http.Client
	city   geo.Location
	// home is the region that serves the city while all is well.
	home, sku, key, phase string
	// authorization is empty for one who has not signed in.
	authorization string

	// filled says that the thing is in a cart: in the one that cart names, or in a user's own, which has no name.
	filled bool
	cart   string
	order  string
}

func (p *purchase) run(ctx context.Context) outcome {
	for ctx.Err() == nil {
		if !p.filled {
			if status := p.send(ctx, http.MethodPost, "/api/v1/cart/items", map[string]any{"sku": p.sku, "quantity": 1}, nil); status != http.StatusOK {
				pause(ctx)
				continue
			}
			p.filled = true
		}
		var order contract.Order
		status := p.send(ctx, http.MethodPost, "/api/v1/checkout", p.body(), &order)
		switch {
		case status == http.StatusCreated:
			p.order = order.ID
			return acknowledged
		case status == http.StatusConflict || status == http.StatusPaymentRequired:
			return soldOut
		case status == http.StatusNotFound || status == http.StatusBadRequest && p.authorization != "":
			// The cart went with its region, or a user's is empty: the shopper fills another, and this is another purchase.
			p.filled, p.cart, p.key = false, "", geo.NewID("key", "any")
			p.crowd.report.cartLost()
		}
		pause(ctx)
	}
	return gaveUp
}

func (p *purchase) body() map[string]any {
	return map[string]any{
		"payment": map[string]string{"token": "tok_visa"}, "email": "drill@example.test", "shipping_method": "standard",
		"shipping_address": contract.Address{Name: "Drill", Line1: "1 Main Street", City: p.city.City, PostalCode: "10000", Country: p.city.Country},
	}
}

// send sends one request and says what it was answered with, 0 for nothing. A request fails when there was no answer or one of the
// server's errors; 202 and 409 while a purchase is under way are answers.
func (p *purchase) send(ctx context.Context, method, path string, in, out any) int {
	begun := time.Now()
	status, region, err := p.exchange(ctx, method, path, in, out)
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return 0
	}
	p.crowd.report.request(p, request{
		begun: begun, took: time.Since(begun), region: region, failed: err != nil || status >= http.StatusInternalServerError, status: status,
	})
	return status
}

func (p *purchase) exchange(ctx context.Context, method, path string, in, out any) (status int, region string, err error) {
	header := map[string]string{"X-Edge-Location": p.city.IATA, contract.HeaderIdempotencyKey: p.key}
	if p.authorization != "" {
		header["Authorization"] = p.authorization
	}
	if p.cart != "" {
		header[contract.HeaderCartID] = p.cart
	}
	ask := httpclient.Request{Client: p.client, Method: method, URL: p.crowd.edge + path, Header: header, Body: in}
	response, err := ask.Send(ctx)
	if err != nil {
		return 0, "", err
	}
	if id := response.Header.Get(contract.HeaderCartID); id != "" {
		p.cart = id
	}
	if out != nil && response.Status < http.StatusMultipleChoices {
		if err := json.Unmarshal(response.Body, out); err != nil {
			return response.Status, "", err
		}
	}
	return response.Status, response.Header.Get(contract.HeaderRegion), nil
}

func pause(ctx context.Context) {
	timer := time.NewTimer(retryPause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
