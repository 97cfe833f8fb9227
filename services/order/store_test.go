package order

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/kit"
	"github.com/meridian-store/meridian/kit/secret"
	"github.com/meridian-store/meridian/kit/sqldb"
	"github.com/meridian-store/meridian/local/kittest"
	"github.com/meridian-store/meridian/replication/outbox"
)

// quiet is a configuration under which nobody but the test touches a saga.
func quiet() Config {
	return Config{
		Budget: time.Second, Lease: time.Hour, Renew: time.Minute, Sweep: time.Hour, Forward: time.Minute, Hold: time.Hour, Provider: time.Second, Drain: time.Second, Keep: time.Hour,
		AfterSale:   AfterSale{Tasks: time.Hour, Archive: time.Hour, ArchiveAfter: time.Hour},
		CustomerKey: secret.New(strings.Repeat("ab", 32)),
	}
}

type bench struct {
	*store
	writer *outbox.Writer
	config Config
}

func newBench(t *testing.T) bench {
	t.Helper()
	service := kittest.Start(t, Definition().With(kit.WithConfig(quiet(), New)))
	return bench{store: &store{db: service.DB, lease: quiet().Lease}, writer: outbox.NewWriter("order", service.Region.Region, time.Now), config: quiet()}
}

// place opens the saga of a cart with so many lines.
func (b bench) place(ctx context.Context, t *testing.T, lines int) (saga, placed) {
	t.Helper()
	ref, err := parseCartRef(geo.NewID("crt", "use") + ".0123456789abcdef0123456789abcdef")
	if err != nil {
		t.Fatal(err)
	}
	cart := contract.CartContents{CartID: ref.id, Version: 1, Currency: "USD"}
	var priced []contract.PricedSKU
	for i := range lines {
		sku := fmt.Sprintf("SKU-%d", i)
		cart.Lines = append(cart.Lines, contract.SKUCount{SKU: sku, Quantity: 1})
		priced = append(priced, contract.PricedSKU{SKU: sku, Price: usd(100)})
	}
	quote, err := price(cart, priced, added(600), "standard", offers{})
	if err != nil {
		t.Fatal(err)
	}
	order := newPlaced("use", ref, cart, quote, Request{Email: "a@example.com"}, time.Now())
	s := saga{id: order.sagaID, home: "us-east", cartID: ref.id, orderID: order.ID, key: "key", requestHash: []byte("hash"), direction: forward, epoch: 1, token: "tok"}
	if err := b.open(ctx, s, &order, b.config, "first"); err != nil {
		t.Fatal(err)
	}
	return s, order
}

func (b bench) end(ctx context.Context, s saga, order placed, state string) error {
	order.Status, order.version, order.answer = state, 2, answer{status: 201, body: []byte("{}")}
	event := outbox.Draft{Topic: contract.TopicOrders, Type: contract.OrderConfirmed, Aggregate: order.ID, Version: 2, Data: order.change()}
	return b.finish(ctx, s, ending{state: state, order: order, event: event}, b.writer, 1, []entry{{StepConfirm, outcomeConfirmed, time.Now()}})
}

// TestCostOfACheckout holds the figures in store.go: constant in the number of lines.
func TestCostOfACheckout(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, lines := range []int{1, contract.MaxCartLines} {
		for _, test := range []struct {
			name                string
			roundTrips, commits int64
			turn                bool
			state               string
		}{
			{"confirmed", 6, 2, false, stateConfirmed},
			{"out of stock", 6, 2, false, stateFailed},
			{"declined", 7, 3, true, stateFailed},
		} {
			ctx, cost := sqldb.Count(t.Context())
			if earlier, err := b.byKey(ctx, "us-east", "crt_use_01ARZ3NDEKTSV4RRFFQ69G5FAV", "key"); earlier != nil || err != nil {
				t.Fatal(earlier, err)
			}
			s, order := b.place(ctx, t, lines)
			if test.turn {
				if err := b.turn(ctx, s, contract.ReasonDeclined, answer{402, []byte("{}")}, time.Now(), 1, []entry{{StepTurn, outcomeCompensating, time.Now()}}); err != nil {
					t.Fatal(err)
				}
			}
			if err := b.end(ctx, s, order, test.state); err != nil {
				t.Fatal(err)
			}
			if cost.RoundTrips() != test.roundTrips || cost.Commits() != test.commits {
				t.Errorf("%s with %d lines: %d round trips and %d commits, not %d and %d", test.name, lines, cost.RoundTrips(), cost.Commits(), test.roundTrips, test.commits)
			}
			ctx, cost = sqldb.Count(t.Context())
			if earlier, err := b.byKey(ctx, "us-east", s.cartID, "key"); err != nil || earlier == nil || earlier.state != test.state {
				t.Fatalf("%+v, %v", earlier, err)
			}
			if cost.RoundTrips() != 1 || cost.Commits() != 0 {
				t.Errorf("a repeat: %d round trips and %d commits", cost.RoundTrips(), cost.Commits())
			}
		}
	}
}

func TestWhoLostTheLeaseWritesNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ctx := t.Context()
	s, order := b.place(ctx, t, 1)
	if taken, err := b.claim(ctx, "us-east", 0, "second", time.Hour, 10); err != nil || len(taken) != 0 {
		t.Fatalf("a lease that is not over was taken: %+v, %v", taken, err)
	}
	if err := b.yield(ctx, s); err != nil {
		t.Fatal(err)
	}
	if taken, err := b.claim(ctx, "eu-west", 0, "second", time.Hour, 10); err != nil || len(taken) != 0 {
		t.Fatalf("another region's claim took it: %+v, %v", taken, err)
	}
	taken, err := b.claim(ctx, "us-east", 0, "second", time.Hour, 10)
	if err != nil || len(taken) != 1 || taken[0].epoch != 2 || taken[0].token != "tok" || taken[0].left <= 0 || taken[0].orderID != order.ID {
		t.Fatalf("%+v, %v", taken, err)
	}
	before, err := b.order(ctx, "us-east", order.ID)
	if err != nil {
		t.Fatal(err)
	}
	late := []entry{{StepReserve, outcomeReserved, time.Now()}}
	for name, err := range map[string]error{
		"renew":   b.renew(ctx, s, time.Hour, StepReserve, 1, late),
		"turn":    b.turn(ctx, s, contract.ReasonDeclined, answer{402, []byte("{}")}, time.Now(), 1, late),
		"confirm": b.end(ctx, s, order, stateConfirmed),
		"fail":    b.end(ctx, s, order, stateFailed),
	} {
		if !errors.Is(err, errFenced) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := b.yield(ctx, s); err != nil {
		t.Fatal(err)
	}
	if again, err := b.claim(ctx, "us-east", 0, "third", time.Hour, 10); err != nil || len(again) != 0 {
		t.Errorf("the first holder gave the second's lease away: %+v, %v", again, err)
	}
	after, err := b.order(ctx, "us-east", order.ID)
	if err != nil || !reflect.DeepEqual(after, before) {
		t.Errorf("it was %+v and is %+v (%v)", before, after, err)
	}
	// The second holder turns it; then nobody can sell it any more.
	if err := b.turn(ctx, taken[0], contract.ReasonDeclined, answer{402, []byte("{}")}, time.Now(), 0, late); err != nil {
		t.Fatal(err)
	}
	if err := b.end(ctx, taken[0], order, stateConfirmed); !errors.Is(err, errFenced) {
		t.Errorf("confirmed after the turn: %v", err)
	}
	if err := b.end(ctx, taken[0], order, stateFailed); err != nil {
		t.Fatal(err)
	}
	if ended, err := b.ended(ctx, taken[0]); err != nil || !ended {
		t.Errorf("ended is %v (%v)", ended, err)
	}
}

func TestManyClaimantsOneHolder(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ctx := t.Context()
	const sagas, claimants = 20, 8
	for range sagas {
		s, _ := b.place(ctx, t, 1)
		if err := b.yield(ctx, s); err != nil {
			t.Fatal(err)
		}
	}
	type claimed struct {
		sagas []saga
		err   error
	}
	results := make(chan claimed)
	for i := range claimants {
		go func() {
			var mine []saga
			for {
				taken, err := b.claim(ctx, "us-east", 0, fmt.Sprint(i), time.Hour, 3)
				mine = append(mine, taken...)
				if err != nil || len(taken) == 0 {
					results <- claimed{mine, err}
					return
				}
			}
		}()
	}
	seen := map[string]bool{}
	for range claimants {
		result := <-results
		if result.err != nil {
			t.Fatal(result.err)
		}
		for _, s := range result.sagas {
			if seen[s.id] || s.epoch != 2 {
				t.Errorf("%s was taken twice, or is in epoch %d", s.id, s.epoch)
			}
			seen[s.id] = true
		}
	}
	// A claimant may have found nothing while others held rows that they took: what is left is taken now.
	rest, err := b.claim(ctx, "us-east", 0, "last", time.Hour, sagas)
	if err != nil || len(seen)+len(rest) != sagas {
		t.Errorf("%d and %d of %d were taken (%v)", len(seen), len(rest), sagas, err)
	}
}

func TestOldKeysAreForgotten(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ctx := t.Context()
	ended, order := b.place(ctx, t, 1)
	running, _ := b.place(ctx, t, 1)
	if err := b.end(ctx, ended, order, stateConfirmed); err != nil {
		t.Fatal(err)
	}
	if gone, err := b.forget(ctx, "us-east", time.Now().Add(-time.Hour), 10); err != nil || gone != 0 {
		t.Errorf("%d gone within their time (%v)", gone, err)
	}
	if gone, err := b.forget(ctx, "us-east", time.Now().Add(time.Hour), 10); err != nil || gone != 1 {
		t.Errorf("%d gone (%v)", gone, err)
	}
	if earlier, err := b.byKey(ctx, "us-east", ended.cartID, "key"); err != nil || earlier != nil {
		t.Errorf("the key is known as %+v (%v)", earlier, err)
	}
	if earlier, err := b.byKey(ctx, "us-east", running.cartID, "key"); err != nil || earlier == nil {
		t.Errorf("a running saga was forgotten (%v)", err)
	}
	left, err := b.order(ctx, "us-east", order.ID)
	if err != nil || left.answer.status != 0 || len(left.answer.body) != 0 || len(left.History) != 2 {
		t.Errorf("the order is %+v (%v)", left, err)
	}
}
