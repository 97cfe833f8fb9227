// Package events is how services hear of each other's changes: consumer groups on the region's broker, in order per aggregate,
// at least once.
package events

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/retry"
	"github.com/meridian-store/meridian/kit/telemetry"
)

const (
	firstRetry = 50 * time.Millisecond
	lastRetry  = 5 * time.Second
	// commitWithin bounds the wait for a broker that does not answer: a service that stops has other things to end.
	commitWithin = 2 * time.Second
)

// Handler applies one event. It may see an event again and must then change nothing. An error means that the event is tried
// again, and that those behind it in its partition wait.
type Handler func(ctx context.Context, event contract.Event) error

// BatchHandler applies some events at once, each partition's in order: at most MaxBatch, at least one. It may see any of them again. An
// error means that all of them are tried again.
type BatchHandler func(ctx context.Context, events []contract.Event) error

// MaxBatch is the largest number of events that a BatchHandler is handed.
const MaxBatch = 1000

// Consumer hands the events of some topics to a service.
type Consumer struct {
	// Brokers are host:port of the region's broker; Group names the service.
	Brokers []string
	Group   string
	Topics  []string
	// Handle applies events one by one, HandleBatch many at once; one of the two is set.
	Handle      Handler
	HandleBatch BatchHandler

	// Instead, when set, is done once in place of applying all events from before the group's first start, which begins at their end.
	Instead func(ctx context.Context) error

	Log     *slog.Logger
	Tracer  *telemetry.Tracer
	Metrics *Metrics
}

// Metrics counts what consumers do.
type Metrics struct {
	applied, retried, refused *prometheus.CounterVec
}

// NewMetrics registers the counters.
func NewMetrics(registry prometheus.Registerer) *Metrics {
	vec := func(name, help string) *prometheus.CounterVec {
		counter := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{"topic"})
		registry.MustRegister(counter)
		return counter
	}
	return &Metrics{
		applied: vec("meridian_events_applied_total", "Events handled."),
		retried: vec("meridian_events_retried_total", "Attempts to handle an event that failed and were made again."),
		refused: vec("meridian_events_refused_total", "Records that are not events and were passed over."),
	}
}

// Run consumes until the context ends. Offsets are committed only behind handled events.
func (c *Consumer) Run(ctx context.Context) error {
	if err := EnsureTopics(ctx, c.Brokers); err != nil {
		return err
	}
	if err := c.beginAtEnd(ctx); err != nil {
		return err
	}
	client, err := kgo.NewClient(
		kgo.SeedBrokers(c.Brokers...), kgo.ConsumerGroup(c.Group), kgo.ConsumeTopics(c.Topics...),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.DisableAutoCommit(), kgo.BlockRebalanceOnPoll(),
		// A group waits for members that were killed as long as for those that are still at work: 25 s at most for both.
		kgo.SessionTimeout(10*time.Second), kgo.RebalanceTimeout(15*time.Second), kgo.FetchMaxWait(500*time.Millisecond),
		// Transaction markers have offsets: a group that does not commit past them has lag for ever.
		kgo.KeepControlRecords(),
	)
	if err != nil {
		return fmt.Errorf("make a consumer for %s: %w", c.Group, err)
	}
	defer client.CloseAllowingRebalance()
	for {
		fetches := client.PollRecords(ctx, MaxBatch)
		if ctx.Err() != nil {
			return nil
		}
		fetches.EachError(func(topic string, partition int32, err error) {
			c.Log.WarnContext(ctx, "The broker could not be read; it will be tried again.", "topic", topic, "partition", partition, "error", err.Error())
		})
		records := fetches.Records()
		applied := c.applyAll(ctx, records)
		c.commit(ctx, client, records[:applied])
		if applied < len(records) {
			return nil
		}
		client.AllowRebalance()
	}
}

// commit tells the group how far it has come. A consumer that is stopped tells it all the same: what it has applied need not be seen again.
func (c *Consumer) commit(ctx context.Context, client *kgo.Client, applied []*kgo.Record) {
	if len(applied) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitWithin)
	defer cancel()
	if err := client.CommitRecords(ctx, applied...); err != nil {
		c.Log.WarnContext(ctx, "Offsets could not be committed; these events will be seen again.", "events", len(applied), "error", err.Error())
	}
}

// applyAll handles records until all are, and gives how many: fewer when the context ended first.
func (c *Consumer) applyAll(ctx context.Context, records []*kgo.Record) int {
	if c.HandleBatch != nil {
		if !c.applyBatch(ctx, records) {
			return 0
		}
		return len(records)
	}
	for i, record := range records {
		event, readable := c.read(ctx, record)
		if !readable {
			continue
		}
		spanned, span := c.Tracer.Start(ctx, event.TraceParent, event.Type)
		done := c.persist(spanned, func(ctx context.Context) error { return c.Handle(ctx, event) }, event, record.Topic)
		span.End()
		if !done {
			return i
		}
	}
	return len(records)
}

// applyBatch hands over all that is readable at once. Its span is its own: the events come from many traces.
func (c *Consumer) applyBatch(ctx context.Context, records []*kgo.Record) bool {
	batch, topics := make([]contract.Event, 0, len(records)), make([]string, 0, len(records))
	for _, record := range records {
		if event, readable := c.read(ctx, record); readable {
			batch, topics = append(batch, event), append(topics, record.Topic)
		}
	}
	if len(batch) == 0 {
		return true
	}
	ctx, span := c.Tracer.Start(ctx, "", "batch of events")
	defer span.End()
	return c.persist(ctx, func(ctx context.Context) error { return c.HandleBatch(ctx, batch) }, batch[0], topics...)
}

// read decodes a record; false for one that is no event, now or ever.
func (c *Consumer) read(ctx context.Context, record *kgo.Record) (contract.Event, bool) {
	if record.Attrs.IsControl() {
		return contract.Event{}, false // a transaction marker
	}
	var event contract.Event
	err := json.Unmarshal(record.Value, &event)
	if err == nil {
		err = event.Validate()
	}
	if err != nil {
		c.Metrics.refused.WithLabelValues(record.Topic).Inc()
		c.Log.ErrorContext(ctx, "A record is not an event and was passed over.", "topic", record.Topic, "partition", record.Partition, "offset", record.Offset, "error", err.Error())
		return contract.Event{}, false
	}
	return event, true
}

// persist calls handle for events, one of each topic named, until it succeeds; false means that the context ended first.
func (c *Consumer) persist(ctx context.Context, handle func(context.Context) error, first contract.Event, topics ...string) bool {
	err := retry.Until(ctx, firstRetry, lastRetry, handle, func(err error, _ time.Duration) {
		count(c.Metrics.retried, topics)
		c.Log.WarnContext(ctx, "Events could not be applied; they will be tried again.",
			"type", first.Type, "event_id", first.ID, "events", len(topics), "error", err.Error())
	})
	if err == nil {
		count(c.Metrics.applied, topics)
	}
	return err == nil
}

func count(counter *prometheus.CounterVec, topics []string) {
	for _, topic := range topics {
		counter.WithLabelValues(topic).Inc()
	}
}
