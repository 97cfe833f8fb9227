package events_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/events"
	"github.com/meridian-store/meridian/kit/telemetry"
)

// A broker that has much to do answers late. Nobody may take its silence for the end of what there is.
func TestABrokersSilenceIsNotTheEnd(t *testing.T) {
	t.Parallel()
	broker, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "t"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	client, err := kgo.NewClient(kgo.SeedBrokers(broker.ListenAddrs()...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	const count = 3
	for n := range count {
		value := fmt.Sprintf(`{"specversion":"1.0","id":"evt-%d","source":"/us-east/order","type":"T","subject":"one","originregion":"us-east"}`, n)
		if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: "t", Value: []byte(value)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	beginning := kadm.Offsets{}
	beginning.AddOffset("t", 0, 0, -1)
	if err := kadm.NewClient(client).CommitAllOffsets(t.Context(), "g", beginning); err != nil {
		t.Fatal(err)
	}
	silent := time.NewTimer(2500 * time.Millisecond) // longer than quiet is waited for
	defer silent.Stop()
	broker.ControlKey(int16(kmsg.Fetch), func(kmsg.Request) (kmsg.Response, error, bool) {
		broker.SleepControl(func() { <-silent.C })
		return nil, nil, false
	})
	applied := 0
	consumer := &events.Consumer{
		Brokers: broker.ListenAddrs(), Group: "g", Topics: []string{"t"}, Log: slog.New(slog.DiscardHandler),
		Tracer: telemetry.NewTracer("catcher"), Metrics: events.NewMetrics(prometheus.NewRegistry()),
		HandleBatch: func(_ context.Context, batch []contract.Event) error {
			applied += len(batch)
			return nil
		},
	}
	if err := consumer.CatchUp(t.Context()); err != nil || applied != count {
		t.Errorf("%d of %d events were caught up with (%v)", applied, count, err)
	}
}
