package events_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/events"
	"github.com/meridian-store/meridian/kit/telemetry"
	"github.com/meridian-store/meridian/local/engine/enginetest"
	"github.com/meridian-store/meridian/local/kittest"
)

// Mirrors write in transactions, whose markers have offsets of their own. Two transactions that overlap leave two markers in a row.
func TestConsumer_LagIsZeroBehindTransactionMarkers(t *testing.T) {
	t.Parallel()
	brokers := enginetest.Broker(t)
	if err := events.EnsureTopics(t.Context(), brokers); err != nil {
		t.Fatal(err)
	}
	applied := make(chan string, 10)
	consumer := &events.Consumer{
		Brokers: brokers, Group: "lag", Topics: []string{contract.TopicProducts}, Log: slog.New(slog.DiscardHandler),
		Tracer: telemetry.NewTracer("test"), Metrics: events.NewMetrics(prometheus.NewRegistry()),
		HandleBatch: func(_ context.Context, batch []contract.Event) error {
			for _, event := range batch {
				applied <- event.ID
			}
			return nil
		},
	}
	stop := run(t, consumer.Run)
	defer stop()
	writers := []*kgo.Client{transaction(t, brokers, "first"), transaction(t, brokers, "second")}
	for _, writer := range writers {
		if err := writer.EndTransaction(t.Context(), kgo.TryCommit); err != nil {
			t.Fatal(err)
		}
	}
	for range writers {
		<-applied
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	kittest.Eventually(t, func() error {
		lags, err := kadm.NewClient(client).Lag(t.Context(), "lag")
		if err == nil {
			err = lags.Error()
		}
		if err != nil {
			return err
		}
		group := lags["lag"]
		if lag := group.Lag.Total(); lag != 0 || len(group.Lag) == 0 {
			return fmt.Errorf("lag is %d after every event was applied", lag)
		}
		return nil
	})
}

// transaction writes one event in a transaction and leaves it open.
func transaction(t *testing.T, brokers []string, id string) *kgo.Client {
	t.Helper()
	writer, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.TransactionalID(t.Name()+id))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(writer.Close)
	if err := writer.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := writer.ProduceSync(t.Context(), record(t, id)).FirstErr(); err != nil {
		t.Fatal(err)
	}
	return writer
}
