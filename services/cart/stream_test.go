package cart

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/local/kittest"
	"github.com/meridian-store/meridian/replication/relay"
)

func openStream(s *store, holder string, more func()) *stream {
	return newStream(s.redis, s.keys.namespace, eventMaker{service: "cart", region: "us-east"}, holder, more)
}

func hold(t *testing.T, s *stream) bool {
	t.Helper()
	held, err := s.Hold(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return held
}

func pending(t *testing.T, s *stream, limit int) []relay.Record {
	t.Helper()
	records, err := s.Pending(t.Context(), limit)
	if err != nil {
		t.Fatal(err)
	}
	return records
}

func sent(t *testing.T, s *stream, records []relay.Record) {
	t.Helper()
	if err := s.Sent(t.Context(), records); err != nil {
		t.Fatal(err)
	}
}

func TestEventsTellTheWholeCart(t *testing.T) {
	t.Parallel()
	s, _ := openStore(t)
	outbox := openStream(s, "a", func() {})
	who := newCart(t, s, "B")
	steps := []func() (cart, error){
		func() (cart, error) { return s.put(t.Context(), who, "", modeAdd, "A", 2) },
		func() (cart, error) { return s.put(t.Context(), who, "", modeSet, "A", 2) }, // changes nothing
		func() (cart, error) { return s.put(t.Context(), who, "", modeSet, "B", 0) },
		func() (cart, error) { return s.clear(t.Context(), who) },
	}
	for _, step := range steps {
		if _, err := step(); err != nil {
			t.Fatal(err)
		}
	}
	if !hold(t, outbox) {
		t.Fatal("an outbox that nobody holds was not taken")
	}
	records := pending(t, outbox, 100)
	wantTypes := []string{contract.CartChanged, contract.CartChanged, contract.CartChanged, contract.CartCleared}
	if len(records) != len(wantTypes) {
		t.Fatalf("%d events", len(records))
	}
	ids := map[string]bool{}
	for i, record := range records {
		event := record.Event
		ids[event.ID] = true
		if err := event.Validate(); err != nil || record.Topic != contract.TopicCarts || event.Type != wantTypes[i] || event.Subject != who.id ||
			event.AggregateVersion != int64(i+1) || event.OriginRegion != "us-east" || time.Since(event.Time).Abs() > time.Minute {
			t.Errorf("event %d: %+v (%v)", i, event, err)
		}
	}
	if len(ids) != len(records) {
		t.Error("two events have one id")
	}
	var state contract.CartState
	if err := records[2].Event.Decode(&state); err != nil {
		t.Fatal(err)
	}
	want := []contract.CartEntry{{SKU: "B", Quantity: 0, Version: 3, Added: 1}, {SKU: "A", Quantity: 2, Version: 2, Added: 2}}
	if state.CartID != who.id || state.Version != 3 || state.Currency != "USD" || state.SecretHash != who.secretHash || !slices.Equal(state.Lines, want) {
		t.Errorf("state %+v", state)
	}
	if again := pending(t, outbox, 100); again[0].Event.ID != records[0].Event.ID {
		t.Error("an event has another id when it is read again")
	}
	sent(t, outbox, records[:2])
	if left := pending(t, outbox, 100); len(left) != 2 || left[0].Event.ID != records[2].Event.ID {
		t.Errorf("%d events left", len(left))
	}
}

func TestOneRelayHoldsTheOutbox(t *testing.T) {
	t.Parallel()
	s, redis := openStore(t)
	newCart(t, s, "A")
	first, second := openStream(s, "first", func() {}), openStream(s, "second", func() {})
	for _, what := range []string{"take", "renew"} {
		if !hold(t, first) {
			t.Fatalf("the first relay could not %s its hold", what)
		}
	}
	if hold(t, second) || len(pending(t, second, 10)) != 0 {
		t.Fatal("two relays hold one outbox")
	}
	records := pending(t, first, 10)
	if len(records) != 1 {
		t.Fatalf("%d events", len(records))
	}
	for slot := range slots { // the first stops renewing, and its leases run out
		if err := redis.Client.Do(t.Context(), redis.B().Del().Key(s.keys.lease(slot)).Build()).Error(); err != nil {
			t.Fatal(err)
		}
	}
	if !hold(t, second) {
		t.Fatal("an abandoned outbox was not taken over")
	}
	sent(t, first, records)
	if left := pending(t, second, 10); len(left) != 1 {
		t.Fatal("a relay that lost its hold forgot an event")
	}
	if hold(t, first) {
		t.Error("a relay that lost its hold still has it")
	}
	sent(t, second, pending(t, second, 10))
	if left := pending(t, second, 10); len(left) != 0 {
		t.Errorf("%d events left", len(left))
	}
	// A process that comes back under its own name goes on at once, and its former self is fenced off.
	newCart(t, s, "A")
	back := openStream(s, "second", func() {})
	records = pending(t, second, 10)
	if !hold(t, back) {
		t.Fatal("a relay that came back has to wait for itself")
	}
	sent(t, second, records)
	if left := pending(t, back, 10); len(left) != 1 {
		t.Error("the former self of a relay forgot an event")
	}
}

func TestALeaseRunsOut(t *testing.T) {
	t.Parallel()
	s, redis := openStore(t)
	if !hold(t, openStream(s, "dead", func() {})) {
		t.Fatal("not held")
	}
	var commands rueidis.Commands
	for slot := range slots {
		commands = append(commands, redis.B().Pttl().Key(s.keys.lease(slot)).Build())
	}
	for _, answer := range redis.Client.DoMulti(t.Context(), commands...) {
		if left, err := answer.AsInt64(); err != nil || left <= 0 || left > leaseLength.Milliseconds() {
			t.Errorf("a lease lasts %d ms (%v)", left, err)
		}
	}
	heir := openStream(s, "heir", func() {})
	kittest.Eventually(t, func() error {
		if !hold(t, heir) {
			return fmt.Errorf("a dead relay's outbox is not taken over")
		}
		return nil
	})
}

// However many carts there are and wherever they lie, the relay gets all events, each cart's in order, and is told when to come back.
func TestEveryEventComesInOrderWhateverTheLimit(t *testing.T) {
	t.Parallel()
	for _, carts := range []int{1, 2, 40} {
		t.Run(fmt.Sprint(carts), func(t *testing.T) {
			t.Parallel()
			s, _ := openStore(t)
			const perCart = 12
			for range carts {
				who, _ := newClaim(geo.IDs{}, "use")
				for range perCart {
					if _, err := s.put(t.Context(), who, "USD", modeAdd, "A", 1); err != nil {
						t.Fatal(err)
					}
				}
			}
			more := false
			outbox := openStream(s, "a", func() { more = true })
			hold(t, outbox)
			const limit = 10
			last := map[string]int64{}
			for got := 0; got < carts*perCart; {
				more = false
				records := pending(t, outbox, limit)
				if len(records) == 0 || len(records) > limit {
					t.Fatalf("%d events after %d of %d", len(records), got, carts*perCart)
				}
				got += len(records)
				if got < carts*perCart && len(records) < limit && !more {
					t.Fatalf("%d events of %d, and no word of more", got, carts*perCart)
				}
				for _, record := range records {
					if version := record.Event.AggregateVersion; version != last[record.Event.Subject]+1 {
						t.Fatalf("version %d after %d", version, last[record.Event.Subject])
					}
					last[record.Event.Subject] = record.Event.AggregateVersion
				}
				sent(t, outbox, records)
			}
			if left := pending(t, outbox, limit); len(left) != 0 {
				t.Errorf("%d events left", len(left))
			}
		})
	}
}
