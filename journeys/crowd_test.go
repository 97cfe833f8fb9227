package journeys_test

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/kit/httpclient"
	"github.com/meridian-store/meridian/local/kittest"
)

// crowd is many shoppers who want one SKU, each with an address of their own, because gateways limit requests by address. It is judged
// by what was sold, not by how fast: a machine that is busy with other things sends its shoppers away for a second, or to another region.
type crowd struct {
	shop *shop
	sku  string
	// sentAway counts the answers that asked to come again.
	sentAway atomic.Int64
	served   sync.Map // the regions that have filled a cart
}

// openCrowd puts a new SKU on sale with some units in the warehouse of us-east.
func openCrowd(t *testing.T, s *shop, sku string, units int64) *crowd {
	t.Helper()
	admin := s.token(t, contract.RoleAdmin)
	product := contract.ProductInput{Slug: strings.ToLower(sku), Title: sku, Published: true, Variants: []contract.VariantInput{
		{SKU: sku, Prices: []contract.Money{{Amount: 900, Currency: "USD"}, {Amount: 900, Currency: "EUR"}, {Amount: 900, Currency: "SGD"}}},
	}}
	s.ask(t, "IAD", http.MethodPost, "/api/v1/admin/products", product, nil, admin).want(t, http.StatusCreated)
	adjust := map[string]any{"items": []contract.StockAdjustment{{SKU: sku, Warehouse: "iad-1", Delta: units, Kind: "received", Reference: "journey"}}}
	s.ask(t, "IAD", http.MethodPost, "/api/v1/admin/inventory/adjustments", adjust, nil, admin).want(t, http.StatusOK)
	return &crowd{shop: s, sku: sku}
}

// member is one shopper of a crowd.
type member struct {
	*crowd
	lane
	http *http.Client
	cart string
}

// member makes the i-th shopper; close its connections when it leaves.
func (c *crowd) member(i int) *member {
	lanes := lanes()
	return &member{crowd: c, lane: lanes[i%len(lanes)], http: clientAt(200, byte(i>>8), byte(i))}
}

// clientAt is a client with an address of its own: all of 127/8 is this machine, and the network keeps clear of other tests and of the bench.
func clientAt(network, high, low byte) *http.Client {
	return httpclient.New(httpclient.Options{
		Timeout: time.Minute, DialTimeout: 30 * time.Second, LocalIP: net.IPv4(127, network, high, low),
	})
}

// send asks and, as long as the answer is to come again, comes again, with the same key: a shop may be too busy for somebody, but whoever
// does as it says must not buy twice. Without a cart yet the one that an unanswered request made is nobody's.
func (m *member) send(t *testing.T, method, path string, in any) (answer, error) {
	t.Helper()
	encoded, err := json.Marshal(in)
	if err != nil {
		return answer{}, err
	}
	key := geo.NewID("key", "use")
	patience := time.NewTimer(time.Minute)
	defer patience.Stop()
	for {
		got, err := m.once(t, method, path, encoded, key)
		if err != nil || got.status != http.StatusServiceUnavailable {
			return got, err
		}
		seconds, err := strconv.Atoi(got.header.Get("Retry-After"))
		if err != nil {
			return got, fmt.Errorf("a 503 does not say when to come again: %w: %s", err, got.body)
		}
		m.sentAway.Add(1)
		select {
		case <-time.After(time.Duration(seconds) * time.Second):
		case <-patience.C:
			return got, nil
		}
	}
}

func (m *member) once(t *testing.T, method, path string, encoded []byte, key string) (answer, error) {
	t.Helper()
	header := map[string]string{"X-Edge-Location": m.location, contract.HeaderIdempotencyKey: key}
	if m.cart != "" {
		header[contract.HeaderCartID] = m.cart
	}
	got, err := exchange(t.Context(), httpclient.Request{
		Client: m.http, Method: method, URL: m.shop.status.Edge.URL + path, Header: header,
		Body: json.RawMessage(encoded),
	})
	if id := got.header.Get(contract.HeaderCartID); id != "" {
		m.cart = id
	}
	return got, err
}

// fill puts one unit into the member's cart.
func (m *member) fill(t *testing.T) error {
	t.Helper()
	got, err := m.send(t, http.MethodPost, "/api/v1/cart/items", map[string]any{"sku": m.sku, "quantity": 1})
	if err != nil {
		return err
	}
	region := got.header.Get(contract.HeaderRegion)
	if got.status != http.StatusOK {
		return fmt.Errorf("adding to a cart got %d in %q: %s", got.status, region, got.body)
	}
	m.served.Store(region, true)
	return nil
}

// everywhere fails the test when a region has served nobody of the crowd.
func (c *crowd) everywhere(t *testing.T) {
	t.Helper()
	for _, l := range lanes() {
		if _, served := c.served.Load(l.region); !served {
			t.Errorf("%s has served nobody", l.region)
		}
	}
}

// buy checks out and tells whether the member has got the unit; an order that takes longer than the shopper's budget is followed to
// its end. An answer that is neither an order nor a clear refusal is an error.
func (m *member) buy(t *testing.T) (bought bool, err error) {
	t.Helper()
	got, err := m.send(t, http.MethodPost, "/api/v1/checkout", checkoutBody("tok_visa", m.country, ""))
	if err != nil {
		return false, err
	}
	var order contract.Order
	switch {
	case got.status == http.StatusConflict && strings.Contains(string(got.body), string(contract.CodeOutOfStock)):
		return false, nil
	case got.status != http.StatusCreated && got.status != http.StatusAccepted:
		return false, fmt.Errorf("the checkout got %d: %s", got.status, got.body)
	}
	if err := json.Unmarshal(got.body, &order); err != nil {
		return false, err
	}
	kittest.Eventually(t, func() error {
		if order.Status == contract.OrderStatusConfirmed || order.Status == contract.OrderStatusFailed {
			return nil
		}
		got, err := m.send(t, http.MethodGet, "/api/v1/orders/"+order.ID, nil)
		if err == nil {
			err = json.Unmarshal(got.body, &order)
		}
		return fmt.Errorf("the order is %s (%d, %w)", order.Status, got.status, err)
	})
	if order.Status == contract.OrderStatusFailed && order.Reason != contract.ReasonOutOfStock {
		return false, fmt.Errorf("the order failed for %s", order.Reason)
	}
	return order.Status == contract.OrderStatusConfirmed, nil
}

// all does something for n members, so many at once.
func (c *crowd) all(t *testing.T, members []*member, atOnce int, do func(m *member) error) {
	t.Helper()
	var next atomic.Int64
	var group sync.WaitGroup
	for range atOnce {
		group.Go(func() {
			for i := next.Add(1); i <= int64(len(members)) && !t.Failed(); i = next.Add(1) {
				if err := do(members[i-1]); err != nil {
					t.Error(err)
				}
				members[i-1].http.CloseIdleConnections()
			}
		})
	}
	group.Wait()
	if t.Failed() {
		t.FailNow()
	}
}
