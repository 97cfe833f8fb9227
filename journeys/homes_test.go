package journeys_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meridian-store/meridian/regions/engine/enginetest"
	"github.com/meridian-store/meridian/regions/local"
	"github.com/meridian-store/meridian/services/contract"
	"github.com/meridian-store/meridian/services/kit/kittest"
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

// awaitCart waits until a region's broker has a cart at a version.
func (s *shop) awaitCart(t *testing.T, region, id string, version int64) {
	t.Helper()
	reader, err := kgo.NewClient(kgo.SeedBrokers(s.engine(t, region, "broker").Address), kgo.ConsumeTopics(contract.TopicCarts),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.FetchMaxWait(100*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		fetches := reader.PollFetches(ctx)
		if ctx.Err() != nil {
			t.Fatalf("%s never heard of version %d of cart %s", region, version, id)
		}
		for _, record := range fetches.Records() {
			var event contract.Event
			if err := json.Unmarshal(record.Value, &event); err != nil {
				t.Fatal(err)
			}
			if event.Subject == id && event.AggregateVersion >= version {
				return
			}
		}
	}
}

// holds waits until a region serves the shopper's cart with exactly these lines, and says how long that took.
func (p *shopper) holds(t *testing.T, region string, want map[string]int64) time.Duration {
	t.Helper()
	since := time.Now()
	kittest.Eventually(t, func() error {
		var cart contract.Cart
		got := p.ask(t, http.MethodGet, "/api/v1/cart", nil, &cart)
		held := map[string]int64{}
		for _, l := range cart.Lines {
			held[l.SKU] = l.Quantity
		}
		if by := got.header.Get(contract.HeaderRegion); got.status != http.StatusOK || by != region || !maps.Equal(held, want) {
			return fmt.Errorf("%s answers %d with %v, want %v of %s", by, got.status, held, want, region)
		}
		return nil
	})
	return time.Since(since).Round(time.Millisecond)
}

func TestACartOutlivesItsRegionAndIsMergedWhenThatIsBack(t *testing.T) {
	t.Parallel()
	s := &shop{binary: binary(t), home: filepath.Join(t.TempDir(), "home")}
	s.up(t, enginetest.Ports(t, 100))
	t.Cleanup(func() { s.must(t, "down") })
	skus := s.shelf(t, "journey-outlives", 4)
	home, err := local.OpenHome(s.home)
	if err != nil {
		t.Fatal(err)
	}
	p := &shopper{shop: s, location: "DUB"}
	a, b, c, d := skus[0], skus[1], skus[2], skus[3]
	put := func(sku string, quantity int64) {
		t.Helper()
		line := map[string]any{"quantity": quantity}
		kittest.Eventually(t, func() error { // a region that has just come is not seen by all at once; putting twice does no harm
			got := p.ask(t, http.MethodPut, "/api/v1/cart/items/"+url.PathEscape(sku), line, nil)
			if got.status == http.StatusBadRequest {
				t.Fatalf("putting %s is refused: %s", sku, got.body)
			}
			if got.status != http.StatusOK {
				return fmt.Errorf("putting %s was answered %d: %s", sku, got.status, got.body)
			}
			return nil
		})
	}
	put(a, 1)
	put(b, 2)
	id, _, _ := strings.Cut(p.cart, ".")
	s.awaitCart(t, "us-east", id, 2) // what the last second before a loss made may be missing elsewhere

	if _, err := local.LoseRegion(t.Context(), home, "eu-west"); err != nil {
		t.Fatal(err)
	}
	found := p.holds(t, "us-east", map[string]int64{a: 1, b: 2})
	put(c, 3)
	put(a, 0)
	p.holds(t, "us-east", map[string]int64{b: 2, c: 3})
	if _, err := local.StartRegion(t.Context(), home, "eu-west"); err != nil {
		t.Fatal(err)
	}
	merged := p.holds(t, "eu-west", map[string]int64{b: 2, c: 3})
	put(d, 1)
	p.location = "IAD"
	s.awaitSight(t, "us-east", "eu-west", true)
	p.holds(t, "eu-west", map[string]int64{b: 2, c: 3, d: 1})
	t.Logf("the cart was found in the next region %s after its own was lost, and merged at home %s after that was back", found, merged)
}
