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

	"github.com/meridian-store/meridian/services/contract"
	"github.com/meridian-store/meridian/services/kit/telemetry"
)

const (
	firstRetry = 50 * time.Millisecond
	lastRetry  = 5 * time.Second
)

// Handler applies one event. It may see an event again and must then change nothing. An error means that the event is tried
// again, and that those behind it in its partition wait.
type Handler func(ctx context.Context, event contract.Event) error

// Consumer hands the events of some topics to a service.
type Consumer struct {
	// Brokers are host:port of the region's broker; Group names the service.
	Brokers []string
	Group   string
	Topics  []string
	Handle  Handler
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
	client, err := kgo.NewClient(
		kgo.SeedBrokers(c.Brokers...), kgo.ConsumerGroup(c.Group), kgo.ConsumeTopics(c.Topics...),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.DisableAutoCommit(), kgo.BlockRebalanceOnPoll(),
		kgo.SessionTimeout(10*time.Second), kgo.FetchMaxWait(500*time.Millisecond),
	)
	if err != nil {
		return fmt.Errorf("make a consumer for %s: %w", c.Group, err)
	}
	defer client.CloseAllowingRebalance()
	for {
		fetches := client.PollFetches(ctx)
		if ctx.Err() != nil {
			return nil
		}
		fetches.EachError(func(topic string, partition int32, err error) {
			c.Log.WarnContext(ctx, "The broker could not be read; it will be tried again.", "topic", topic, "partition", partition, "error", err.Error())
		})
		records := fetches.Records()
		for _, record := range records {
			if !c.apply(ctx, record) {
				return nil
			}
		}
		if err := client.CommitRecords(ctx, records...); err != nil && ctx.Err() == nil {
			c.Log.WarnContext(ctx, "Offsets could not be committed; these events will be seen again.", "error", err.Error())
		}
		client.AllowRebalance()
	}
}

// apply handles one record until it succeeds; false means that the context ended first.
func (c *Consumer) apply(ctx context.Context, record *kgo.Record) bool {
	var event contract.Event
	err := json.Unmarshal(record.Value, &event)
	if err == nil {
		err = event.Validate()
	}
	if err != nil {
		c.Metrics.refused.WithLabelValues(record.Topic).Inc()
		c.Log.ErrorContext(ctx, "A record is not an event and was passed over.", "topic", record.Topic, "partition", record.Partition, "offset", record.Offset, "error", err.Error())
		return true
	}
	ctx, span := c.Tracer.Start(ctx, event.TraceParent, event.Type)
	defer span.End()
	for wait := firstRetry; ; wait = min(2*wait, lastRetry) {
		err := c.Handle(ctx, event)
		if err == nil {
			c.Metrics.applied.WithLabelValues(record.Topic).Inc()
			return true
		}
		if ctx.Err() != nil {
			return false
		}
		c.Metrics.retried.WithLabelValues(record.Topic).Inc()
		c.Log.WarnContext(ctx, "An event could not be applied; it will be tried again.", "type", event.Type, "event_id", event.ID, "error", err.Error())
		select {
		case <-ctx.Done():
			return false
		case <-time.After(wait):
		}
	}
}
