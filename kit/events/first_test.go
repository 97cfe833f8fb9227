package events_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/events"
	"github.com/meridian-store/meridian/kit/telemetry"
	"github.com/meridian-store/meridian/local/engine/enginetest"
)

func TestMain(m *testing.M) { enginetest.Main(m) }

const patience = 30 * time.Second

func publish(t *testing.T, brokers []string, id string) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.ProduceSync(t.Context(), record(t, id)).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// record returns a record of an event of one product.
func record(t *testing.T, id string) *kgo.Record {
	t.Helper()
	value, err := json.Marshal(contract.Event{
		SpecVersion: "1.0", ID: id, Source: "/x", Type: "X", Subject: "x", OriginRegion: "us-east",
	})
	if err != nil {
		t.Fatal(err)
	}
	return &kgo.Record{Topic: contract.TopicProducts, Key: []byte("x"), Value: value}
}

// run starts a loop and gives its end.
func run(t *testing.T, loop func(context.Context) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := loop(ctx); err != nil && ctx.Err() == nil {
			t.Errorf("the loop ended: %v", err)
		}
	})
	return func() {
		cancel()
		running.Wait()
	}
}

func await(t *testing.T, heard <-chan string, want string) {
	t.Helper()
	select {
	case got := <-heard:
		if got != want {
			t.Fatalf("heard %q, want %q", got, want)
		}
	case <-time.After(patience):
		t.Fatalf("waited in vain for %q", want)
	}
}

// A group that never was begins at the end, with one thing done in place of all that was before; and never again.
func TestAFirstStartDoesOneThingInPlaceOfAllEventsBefore(t *testing.T) {
	t.Parallel()
	brokers := enginetest.Broker(t)
	if err := events.EnsureTopics(t.Context(), brokers); err != nil {
		t.Fatal(err)
	}
	publish(t, brokers, "before")
	heard := make(chan string, 10)
	consumer := func() *events.Consumer {
		return &events.Consumer{
			Brokers: brokers, Group: "g", Topics: []string{contract.TopicProducts}, Log: slog.New(slog.DiscardHandler), Tracer: telemetry.NewTracer("test"),
			Metrics: events.NewMetrics(prometheus.NewRegistry()), Instead: func(context.Context) error { heard <- "instead"; return nil },
			HandleBatch: func(_ context.Context, batch []contract.Event) error {
				for _, event := range batch {
					heard <- event.ID
				}
				return nil
			},
		}
	}
	stop := run(t, consumer().Run)
	await(t, heard, "instead")
	publish(t, brokers, "first")
	await(t, heard, "first")
	stop()
	publish(t, brokers, "meanwhile")
	stop = run(t, consumer().Run)
	defer stop()
	// What was heard just before the end may be heard again: it was stopped between the handling and the commit.
	for got := "first"; got != "meanwhile"; {
		if got != "first" {
			t.Fatalf("heard %q again", got)
		}
		select {
		case got = <-heard:
		case <-time.After(patience):
			t.Fatal("waited in vain for what came meanwhile")
		}
	}
}

// A tail hears what comes, drops what was kept before it began, and is not believed any more once it has ended.
func TestATailKnowsWhetherItMissesSomething(t *testing.T) {
	t.Parallel()
	brokers := enginetest.Broker(t)
	heard, told := make(chan string, 10), make(chan string, 1000)
	tail := &events.Tail{
		Brokers: brokers, Topics: []string{contract.TopicProducts}, Log: slog.New(slog.DiscardHandler),
		Begin: func() { told <- "begun" }, Handle: func(event contract.Event) { heard <- event.ID },
		Until: func(until time.Time) {
			told <- map[bool]string{true: "not believed", false: "believed"}[until.IsZero()]
		},
	}
	stop := run(t, tail.Run)
	await(t, told, "begun")
	await(t, told, "believed")
	publish(t, brokers, "one")
	await(t, heard, "one")
	stop()
	last := ""
	for len(told) > 0 {
		last = <-told
	}
	if last != "not believed" {
		t.Errorf("at its end it is %s", last)
	}
}
