package kit_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit"
	"github.com/meridian-store/meridian/kit/events"
	"github.com/meridian-store/meridian/kit/httpx"
	"github.com/meridian-store/meridian/local/kittest"
)

// loops is a service that has loops and no routes.
type loops []kit.Loop

func (l loops) Routes(*httpx.API) {}
func (l loops) Loops() []kit.Loop { return l }

// gatherer keeps the batches that it is handed, and fails at some.
type gatherer struct {
	mu       sync.Mutex
	batches  [][]string
	failures int
}

func (g *gatherer) apply(_ context.Context, batch []contract.Event) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	var ids []string
	for _, event := range batch {
		ids = append(ids, event.ID)
	}
	g.batches = append(g.batches, ids)
	if len(g.batches) <= g.failures {
		return errors.New("not at first")
	}
	return nil
}

func (g *gatherer) seen() [][]string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.batches)
}

// A batch that fails comes again as it was, what is no event is passed over, and none is left out or comes out of order.
func TestEventsComeInBatches(t *testing.T) {
	t.Parallel()
	g := &gatherer{failures: 2}
	s := kittest.Start(t, kit.Definition{Name: "gatherer", Broker: kit.Required, New: func(
		_ context.Context, base *kit.Base, _ kit.Lookup,
	) (kit.Service, error) {
		consume, _ := base.ConsumeBatches(g.apply, contract.TopicOrders)
		return loops{consume}, nil
	}})
	s.Stop(t)
	client, err := kgo.NewClient(kgo.SeedBrokers(s.Brokers...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	const count = 2*events.MaxBatch + 500
	records := make([]*kgo.Record, 0, count+1)
	var want []string
	for n := range count {
		id := fmt.Sprintf("evt-%d", n)
		want = append(want, id)
		value := fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":"/us-east/order","type":"T","subject":"one","originregion":"us-east"}`, id)
		records = append(records, &kgo.Record{Topic: contract.TopicOrders, Key: []byte("one"), Value: []byte(value)})
		if n == 7 {
			records = append(records, &kgo.Record{Topic: contract.TopicOrders, Key: []byte("one"), Value: []byte("no event")})
		}
	}
	if err := client.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
	s.Restart(t)
	kittest.Eventually(t, func() error {
		if applied := slices.Concat(g.seen()[min(g.failures, len(g.seen())):]...); len(applied) < count {
			return fmt.Errorf("%d events of %d", len(applied), count)
		}
		return nil
	})
	batches := g.seen()
	if !slices.Equal(batches[0], batches[1]) || !slices.Equal(batches[1], batches[2]) {
		t.Errorf("a batch that failed came again as %d, %d and %d events", len(batches[0]), len(batches[1]), len(batches[2]))
	}
	for _, batch := range batches {
		if len(batch) == 0 || len(batch) > events.MaxBatch {
			t.Errorf("a batch of %d", len(batch))
		}
	}
	if applied := slices.Concat(batches[g.failures:]...); !slices.Equal(applied, want) {
		t.Errorf("%d events were applied, or out of order", len(applied))
	}
	t.Logf("%d events in %d batches", count, len(batches)-g.failures)
}

// Somebody who is gone still holds the group's partitions; what was not applied is applied all the same, up to the end and no further than
// what the group has applied already, although a transaction's end is the last that the topic holds.
func TestAServiceCatchesUpWithoutItsGroup(t *testing.T) {
	t.Parallel()
	g := &gatherer{failures: 1}
	var consumer *events.Consumer
	s := kittest.Start(t, kit.Definition{Name: "catcher", Broker: kit.Required, New: func(
		_ context.Context, base *kit.Base, _ kit.Lookup,
	) (kit.Service, error) {
		var consume kit.Loop
		consume, consumer = base.ConsumeBatches(g.apply, contract.TopicOrders)
		return loops{consume}, nil
	}})
	write := func(from, count int) (want []string) {
		client, err := kgo.NewClient(kgo.SeedBrokers(s.Brokers...), kgo.TransactionalID(fmt.Sprintf("%s-%d", s.Env.Namespace, from)))
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		if err := client.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		for n := range count {
			id := fmt.Sprintf("evt-%d", from+n)
			want = append(want, id)
			value := fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":"/us-east/order","type":"T","subject":"one","originregion":"us-east"}`, id)
			record := &kgo.Record{Topic: contract.TopicOrders, Key: []byte("one"), Value: []byte(value)}
			if err := client.ProduceSync(t.Context(), record).FirstErr(); err != nil {
				t.Fatal(err)
			}
		}
		if err := client.EndTransaction(t.Context(), kgo.TryCommit); err != nil {
			t.Fatal(err)
		}
		return want
	}
	first := write(0, 5)
	kittest.Eventually(t, func() error {
		if batches := g.seen(); !slices.Contains(slices.Concat(batches[min(g.failures, len(batches)):]...), first[4]) {
			return fmt.Errorf("%v are seen, the last %d times applied", batches, len(batches)-g.failures)
		}
		return nil
	})
	s.Stop(t) // which commits what was applied
	before := len(g.seen())
	second := write(5, 5)
	for range 2 { // it leaves the group where it was
		if err := consumer.CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		caught := slices.Concat(g.seen()[before:]...)
		if !slices.Equal(caught, second) {
			t.Errorf("%v were caught up with, want %v", caught, second)
		}
		before = len(g.seen())
	}
}

// What was applied while the service was being stopped is not seen again: its place is kept although the consumer's own time is over.
func TestWhatIsAppliedAtTheStopIsNotSeenAgain(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var seen []string
	applying := make(chan struct{}, 10)
	s := kittest.Start(t, kit.Definition{Name: "stopper", Broker: kit.Required, New: func(
		_ context.Context, base *kit.Base, _ kit.Lookup,
	) (kit.Service, error) {
		return loops{base.Consume(func(ctx context.Context, event contract.Event) error {
			mu.Lock()
			seen = append(seen, event.ID)
			mu.Unlock()
			applying <- struct{}{}
			if event.ID == "evt-1" {
				<-ctx.Done() // the stop, which finds this event under way; it is applied in time
			}
			return nil
		}, contract.TopicOrders)}, nil
	}})
	publish := func(id string) {
		s.Publish(t, contract.TopicOrders, contract.Event{SpecVersion: "1.0", ID: id, Source: "/us-east/order", Type: "T", Subject: "one", OriginRegion: "us-east"})
	}
	for _, id := range []string{"evt-0", "evt-1"} {
		publish(id)
		<-applying
	}
	s.Stop(t)
	publish("evt-2")
	s.Restart(t)
	<-applying
	s.Stop(t)
	if want := []string{"evt-0", "evt-1", "evt-2"}; !slices.Equal(seen, want) {
		t.Errorf("%v were seen, want %v", seen, want)
	}
}
