package journeys_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/errgroup"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/local/engine/enginetest"
	"github.com/meridian-store/meridian/local/kittest"
	"github.com/meridian-store/meridian/local/launcher"
	"github.com/meridian-store/meridian/local/link"
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

// put sets a line. A region that has just come or gone is not seen by all at once; putting twice does no harm.
func (p *shopper) put(t *testing.T, sku string, quantity int64) {
	t.Helper()
	kittest.Eventually(t, func() error {
		got := p.ask(t, http.MethodPut, "/api/v1/cart/items/"+url.PathEscape(sku), map[string]any{"quantity": quantity}, nil)
		if got.status == http.StatusBadRequest {
			t.Fatalf("putting %s is refused: %s", sku, got.body)
		}
		if got.status != http.StatusOK {
			return fmt.Errorf("putting %s was answered %d: %s", sku, got.status, got.body)
		}
		return nil
	})
}

// firstFrom waits until a region answers for the shopper's cart, and says what its very first answer holds.
func (p *shopper) firstFrom(t *testing.T, region string) map[string]int64 {
	t.Helper()
	held := map[string]int64{}
	kittest.Eventually(t, func() error {
		var cart contract.Cart
		got := p.ask(t, http.MethodGet, "/api/v1/cart", nil, &cart)
		if by := got.header.Get(contract.HeaderRegion); got.status != http.StatusOK || by != region {
			return fmt.Errorf("%s answers %d", by, got.status)
		}
		for _, l := range cart.Lines {
			held[l.SKU] = l.Quantity
		}
		return nil
	})
	return held
}

// id is that of the shopper's cart.
func (p *shopper) id(t *testing.T) string {
	t.Helper()
	var cart contract.Cart
	p.ask(t, http.MethodGet, "/api/v1/cart", nil, &cart).want(t, http.StatusOK)
	return cart.ID
}

func TestCartsOutliveTheirRegionWhichMergesThemBeforeItIsBack(t *testing.T) {
	t.Parallel()
	s := &shop{binary: binary(t), home: filepath.Join(t.TempDir(), "home")}
	s.up(t, enginetest.Ports(t, 100))
	t.Cleanup(func() { s.must(t, "down") })
	skus := s.shelf(t, "journey-outlives", 4)
	home, err := launcher.OpenHome(s.home)
	if err != nil {
		t.Fatal(err)
	}
	a, b, c, d := skus[0], skus[1], skus[2], skus[3]
	user := s.join(t, "DUB", newEmail())
	shoppers := map[string]*shopper{
		"guest": {shop: s, location: "DUB"}, "user": {shop: s, location: "DUB", token: user.header()["Authorization"]},
	}
	for _, p := range shoppers {
		p.put(t, a, 1)
		p.put(t, b, 2)
		var cart contract.Cart
		p.ask(t, http.MethodGet, "/api/v1/cart", nil, &cart).want(t, http.StatusOK)
		s.awaitCart(t, "us-east", cart.ID, cart.Version) // what the last second before a loss made may be missing elsewhere
	}
	if got := shoppers["user"].id(t); got != contract.UserCartID(user.User.ID) {
		t.Errorf("the user's cart is %s", got)
	}
	if _, err := launcher.LoseRegion(t.Context(), home, "eu-west"); err != nil {
		t.Fatal(err)
	}
	for who, p := range shoppers {
		found := p.holds(t, "us-east", map[string]int64{a: 1, b: 2})
		p.put(t, c, 3)
		p.put(t, a, 0)
		p.holds(t, "us-east", map[string]int64{b: 2, c: 3})
		t.Logf("the %s's cart was found in the next region %s after its own was lost", who, found)
		p.location = "IAD" // whose region sees earlier than the edge that Dublin's is back
	}
	// Requests of other regions are back before their events are.
	slow := func(e *link.Entry) {
		if e.Plane == link.PlaneBroker {
			e.Now.RoundTripMS = 800
		}
	}
	if _, err := launcher.ChangeLinks(t.Context(), home, "eu-west", "us-east", false, slow); err != nil {
		t.Fatal(err)
	}
	var start errgroup.Group
	start.Go(func() error { _, err := launcher.StartRegion(t.Context(), home, "eu-west"); return err })
	for who, p := range shoppers {
		if got, want := p.firstFrom(t, "eu-west"), map[string]int64{b: 2, c: 3}; !maps.Equal(got, want) {
			t.Errorf("the first that the %s sees of the region that is back is %v, want %v", who, got, want)
		}
	}
	if err := start.Wait(); err != nil {
		t.Fatal(err)
	}
	for _, p := range shoppers {
		p.put(t, d, 1)
		p.location = "DUB"
		p.holds(t, "eu-west", map[string]int64{b: 2, c: 3, d: 1})
	}
}

// A user of Dublin logs in at Singapore with a guest's cart that was filled there: the cart is the one that they left at home.
func TestAGuestsCartMovesHomeWhereverItsUserLogsIn(t *testing.T) {
	s := openShop(t)
	t.Parallel()
	s.awaitSight(t, "ap-southeast", "eu-west", true)
	email := newEmail()
	atHome := &shopper{shop: s, location: "DUB", token: s.join(t, "DUB", email).header()["Authorization"]}
	variants := atHome.browse(t, 20, 2)
	atHome.put(t, variants[0].SKU, 2)
	guest := &shopper{shop: s, location: "SIN"}
	guest.put(t, variants[0].SKU, 1)
	guest.put(t, variants[1].SKU, 3)
	made, _ := s.login(t, "SIN", email, map[string]string{contract.HeaderCartID: guest.cart})
	if made.CartMerged == nil || !*made.CartMerged {
		t.Fatalf("the login says of the cart: %+v", made)
	}
	want := map[string]int64{variants[0].SKU: 3, variants[1].SKU: 3}
	for _, location := range []string{"SIN", "DUB", "IAD"} {
		p := &shopper{shop: s, location: location, token: made.header()["Authorization"]}
		if got := p.firstFrom(t, "eu-west"); !maps.Equal(got, want) {
			t.Errorf("at %s the user's cart holds %v, want %v", location, got, want)
		}
	}
	if got := guest.ask(t, http.MethodGet, "/api/v1/cart", nil, nil); got.status != http.StatusNotFound {
		t.Errorf("the guest's cart still opens: %d", got.status)
	}
}
