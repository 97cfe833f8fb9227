package kit_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meridian-store/meridian/services/contract"
	"github.com/meridian-store/meridian/services/kit"
	"github.com/meridian-store/meridian/services/kit/events"
	"github.com/meridian-store/meridian/services/kit/kittest"
)

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
	s := kittest.Start(t, kit.Definition{Name: "gatherer", UsesBroker: true, Setup: func(_ context.Context, base *kit.Base) error {
		base.ConsumeBatches(g.apply, contract.TopicOrders)
		return nil
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
