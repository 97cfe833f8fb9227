package cart

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/kit"
	"github.com/meridian-store/meridian/local/kittest"
)

// orderEvent is what the order service says of an order.
func orderEvent(t *testing.T, kind string, order contract.OrderChange) contract.Event {
	t.Helper()
	data, err := json.Marshal(order)
	if err != nil {
		t.Fatal(err)
	}
	return contract.Event{
		SpecVersion: "1.0", ID: geo.NewID("evt", "use"), Source: "/us-east/order", Type: kind, Subject: order.OrderID, Time: time.Now().UTC(),
		DataContentType: "application/json", OriginRegion: "us-east", AggregateVersion: 2, Data: data,
	}
}

func purchaseOf(c contract.Cart) contract.OrderChange {
	return contract.OrderChange{
		OrderID: geo.NewID("ord", "use"), SagaID: geo.NewID("sga", "use"), CartID: c.ID, CartVersion: c.Version,
		Status: contract.OrderStatusConfirmed, Total: c.Subtotal, Lines: countsOf(c),
	}
}

func waitLines(t *testing.T, s shopper, want ...contract.SKUCount) {
	t.Helper()
	kittest.Eventually(t, func() error {
		if got := countsOf(s.read(t)); fmt.Sprint(got) != fmt.Sprint(want) {
			return fmt.Errorf("the cart holds %v, not %v", got, want)
		}
		return nil
	})
}

func TestAConfirmedOrderTakesOutWhatItBought(t *testing.T) {
	t.Parallel()
	s := shopper{shop: openShop(t, awake())}
	s.add(t, "A", 2)
	bought := purchaseOf(s.add(t, "B", 3))
	s.add(t, "B", 1) // after the purchase
	s.add(t, "C", 1)
	failed := bought
	failed.OrderID, failed.Status = geo.NewID("ord", "use"), contract.OrderStatusFailed
	s.Publish(t, contract.TopicOrders, orderEvent(t, contract.OrderFailed, failed))
	s.Publish(t, contract.TopicOrders, orderEvent(t, contract.OrderConfirmed, bought))
	left := []contract.SKUCount{{SKU: "B", Quantity: 1}, {SKU: "C", Quantity: 1}}
	waitLines(t, s, left...)

	// The same order again, as another event: what is there by now stays.
	s.add(t, "A", 5)
	s.Publish(t, contract.TopicOrders, orderEvent(t, contract.OrderConfirmed, bought))
	last := purchaseOf(contract.Cart{ID: s.id()})
	last.OrderID, last.CartVersion, last.Lines = bought.OrderID+"X", s.read(t).Version, []contract.SKUCount{{SKU: "C", Quantity: 1}}
	event := orderEvent(t, contract.OrderConfirmed, last)
	event.Subject = bought.OrderID // so that it comes behind the repeated one
	s.Publish(t, contract.TopicOrders, event)
	waitLines(t, s, contract.SKUCount{SKU: "B", Quantity: 1}, contract.SKUCount{SKU: "A", Quantity: 5})
}

func TestAnOrderThatCannotBeAppliedHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	s := shopper{shop: openShop(t, awake())}
	bought := purchaseOf(s.add(t, "A", 1))
	unreadable := orderEvent(t, contract.OrderConfirmed, bought)
	unreadable.Data = json.RawMessage(`{"cart_version": "one"}`)
	elsewhere, unknown, nowhere, negative := bought, bought, bought, bought
	elsewhere.CartID, unknown.CartID, nowhere.CartID = geo.NewID("crt", "euw"), geo.NewID("crt", "use"), "no cart"
	negative.Lines = []contract.SKUCount{{SKU: "A", Quantity: -5}}
	events := []contract.Event{unreadable}
	for _, order := range []contract.OrderChange{elsewhere, unknown, nowhere, negative} {
		events = append(events, orderEvent(t, contract.OrderConfirmed, order))
	}
	for _, event := range append(events, orderEvent(t, contract.OrderConfirmed, bought)) {
		event.Subject = bought.OrderID // one key, one partition: each waits for the one before it
		s.Publish(t, contract.TopicOrders, event)
	}
	waitLines(t, s)
}

func TestWhatWasBoughtDoesNotComeBackFromABackup(t *testing.T) {
	t.Parallel()
	s := shopper{shop: openShop(t, awake())}
	bought := purchaseOf(s.add(t, "A", 1))
	s.clock.advance(31 * time.Minute)
	s.waitSaved(t, s.id(), bought.CartVersion)
	s.Publish(t, contract.TopicOrders, orderEvent(t, contract.OrderConfirmed, bought))
	waitLines(t, s)
	kittest.Eventually(t, func() error {
		if version := s.savedVersion(t, s.id()); version == bought.CartVersion {
			return fmt.Errorf("the backup still holds what was bought")
		}
		return nil
	})
	s.wipe(t)
	if response := s.Do(t, "GET", "/api/v1/cart", nil, nil, s.header()); response.StatusCode != http.StatusNotFound {
		t.Errorf("a cart that was bought came back: %d", response.StatusCode)
	}
}

func TestAnOrderIsTakenOutOfACartThatRedisLost(t *testing.T) {
	t.Parallel()
	s := shopper{shop: openShop(t, awake())}
	s.add(t, "A", 1)
	bought := purchaseOf(s.add(t, "B", 1))
	bought.Lines = bought.Lines[:1]
	s.clock.advance(31 * time.Minute)
	s.waitSaved(t, s.id(), bought.CartVersion)
	s.wipe(t)
	s.Publish(t, contract.TopicOrders, orderEvent(t, contract.OrderConfirmed, bought))
	waitLines(t, s, contract.SKUCount{SKU: "B", Quantity: 1})
}

func TestChangesAreAnnouncedInOrder(t *testing.T) {
	t.Parallel()
	s := shopper{shop: openShop(t, awake())}
	for range 5 {
		s.add(t, "A", 1)
	}
	s.do(t, "DELETE", "/api/v1/cart", nil)
	last := int64(0)
	cleared := s.WaitEvent(t, contract.TopicCarts, func(event contract.Event) bool {
		if event.Subject != s.id() || event.AggregateVersion != last+1 {
			t.Errorf("%s version %d after %d", event.Subject, event.AggregateVersion, last)
		}
		last = event.AggregateVersion
		return event.Type == contract.CartCleared
	})
	if cleared.AggregateVersion != 6 {
		t.Errorf("cleared at version %d", cleared.AggregateVersion)
	}
}

func TestTheSecretIsKeptNowhere(t *testing.T) {
	t.Parallel()
	set := Config{Idle: 0, Abandoned: time.Hour, Sweep: 20 * time.Millisecond}
	s := shopper{shop: openShop(t, set)}
	log := s.logTo(t, Definition().With(kit.WithConfig(set, New)))
	s.add(t, "A", 1)
	s.do(t, "PUT", "/api/v1/cart/items/A", map[string]int64{"quantity": 3})
	s.waitSaved(t, s.id(), 2)
	s.catalog.set(func(f *fakeCatalog) { f.down = true })
	if response := s.Do(t, "GET", "/api/v1/cart", nil, nil, s.header()); response.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("without a catalog: %d", response.StatusCode)
	}
	client := openRedis(t)
	fields, err := client.Do(t.Context(), client.B().Hgetall().Key(keys{s.Env.Namespace}.cart(s.id())).Build()).AsStrMap()
	if err != nil || fields[fieldSecret] != hashSecret(s.secret()) {
		t.Errorf("the cart's secret is kept as %q (%v)", fields[fieldSecret], err)
	}
	event := s.WaitEvent(t, contract.TopicCarts, func(event contract.Event) bool { return event.AggregateVersion == 2 })
	whole, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	var row string
	query := `SELECT row_to_json(b)::TEXT FROM cart_backups AS b WHERE crdb_region = 'us-east' AND cart_id = $1`
	if err := s.DB.QueryRow(t.Context(), query, s.id()).Scan(&row); err != nil {
		t.Fatal(err)
	}
	lines := log.String()
	if !strings.Contains(lines, `"level":"ERROR"`) || !strings.Contains(lines, `"operation":"get-cart"`) ||
		!strings.Contains(lines, `"level":"DEBUG"`) {
		t.Error("the log is not complete, so this test would find nothing")
	}
	for where, text := range map[string]string{
		"Redis": fmt.Sprint(fields), "keys": fmt.Sprint(keysOf(t, client, s.Env.Namespace)), "event": string(whole), "backup": row, "log": lines,
	} {
		if strings.Contains(text, s.secret()) {
			t.Errorf("the secret is in the %s", where)
		}
	}
}

// logTo starts the service once more, with all of its log kept for the test.
func (s *shopper) logTo(t *testing.T, definition kit.Definition) *keptLog {
	t.Helper()
	s.Stop(t)
	env, log := s.Env, &keptLog{}
	env.LogLevel = "debug"
	running, err := kit.Start(t.Context(), definition, kit.Options{Region: s.Region, Regions: s.Regions, Env: env, LogTo: log, Now: s.clock.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := running.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	s.URL = "http://" + running.Address
	return log
}

type keptLog struct {
	mu    sync.Mutex
	lines bytes.Buffer
}

func (l *keptLog) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines.Write(line)
}

func (l *keptLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines.String()
}
