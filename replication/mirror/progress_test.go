package mirror_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/local/kittest"
	"github.com/meridian-store/meridian/replication/mirror"
)

// gauges sums a metric's samples.
func gauges(registry *prometheus.Registry, name string) (sum float64, samples int, err error) {
	families, err := registry.Gather()
	for _, family := range families {
		if family.GetName() == name {
			for _, sample := range family.GetMetric() {
				sum += sample.GetGauge().GetValue()
				samples++
			}
		}
	}
	return sum, samples, err
}

// A mirror knows that it has everything, also where the ends of transactions, which are no events, are the last that a source holds.
func TestAMirrorTellsUpToWhenItHasEverything(t *testing.T) {
	t.Parallel()
	east, west := regions(t)
	createTopic(t, east, topic, 2)
	createTopic(t, east, "gift-events", 1) // nothing is ever in it
	begin := func(end kgo.TransactionEndTry) {
		writer := connect(t, east, kgo.TransactionalID(fmt.Sprint("test-", bool(end))))
		if err := writer.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		for i := range 100 {
			record := eventOf(t, "us-east", topic, fmt.Sprintf("ord_use_%d_%t", i, bool(end)), 1)
			if err := writer.ProduceSync(t.Context(), record).FirstErr(); err != nil {
				t.Fatal(err)
			}
		}
		if err := writer.EndTransaction(t.Context(), end); err != nil {
			t.Fatal(err)
		}
	}
	begin(kgo.TryCommit)
	begin(kgo.TryAbort)
	registry := prometheus.NewRegistry()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- mirror.New(east, west, slog.New(slog.DiscardHandler), mirror.NewMetrics(registry)).Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	since := func(moment time.Time) {
		kittest.Eventually(t, func() error {
			upTo, _, err := gauges(registry, "meridian_mirror_copied_up_to_seconds")
			behind, partitions, other := gauges(registry, "meridian_mirror_behind_records")
			if err := errors.Join(err, other); err != nil {
				return err
			}
			if behind != 0 || partitions != 3 || upTo < float64(moment.UnixMilli())/1000 {
				return fmt.Errorf("%.0f records behind in %d partitions, whole up to %.3f, want %.3f", behind, partitions, upTo, float64(moment.UnixMilli())/1000)
			}
			return nil
		})
	}
	since(time.Now())
	read(t, west, topic, func(s seen) bool { return len(s.times) >= 100 }).check(t, 100)
	send(t, east, eventOf(t, "us-east", topic, "ord_use_late", 1))
	since(time.Now())
	read(t, west, topic, func(s seen) bool { return len(s.times) >= 101 }).check(t, 101)
}

func TestAMirrorSaysWhatItHasTakenInSinceItsStart(t *testing.T) {
	t.Parallel()
	east, west := regions(t)
	createTopic(t, east, topic, 2)
	send(t, east, eventOf(t, "us-east", topic, "ord_use_before", 1))
	open, tried := make(chan struct{}), make(chan struct{}, 1)
	far := east
	far.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		select {
		case tried <- struct{}{}:
		default:
		}
		select {
		case <-open:
			return new(net.Dialer).DialContext(ctx, network, address)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	m := mirror.New(far, west, slog.New(slog.DiscardHandler), mirror.NewMetrics(prometheus.NewRegistry()))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	<-tried
	if got := m.Progress(); got != (contract.MirrorProgress{Source: "us-east"}) {
		t.Errorf("of a region that does not answer it says %+v", got)
	}
	close(open)
	kittest.Eventually(t, func() error {
		if got := m.Progress(); got != (contract.MirrorProgress{Source: "us-east", Reached: true, CaughtUp: true}) {
			return fmt.Errorf("it says %+v", got)
		}
		return nil
	})
	read(t, west, topic, func(s seen) bool { return len(s.times) >= 1 }).check(t, 1)
}
