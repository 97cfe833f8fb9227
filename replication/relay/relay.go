// Package relay sends the events of an outbox to the region's broker: in order per aggregate, at least once.
package relay

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meridian-store/meridian/contract"
)

const (
	batch = 500
	// idle is how long a relay waits when nobody wakes it; it also renews its hold this often.
	idle            = time.Second
	deliveryTimeout = 10 * time.Second
)

// Record is one event to send.
type Record struct {
	Topic string
	Event contract.Event
	// Position is the source's own; the relay gives it back.
	Position any
}

// Source is an outbox: of SQL rows, or a Redis stream.
type Source interface {
	// Hold takes or renews the right to send; false while another relay has it.
	Hold(ctx context.Context) (bool, error)
	// Pending gives the next events, each aggregate's in order.
	Pending(ctx context.Context, limit int) ([]Record, error)
	// Sent forgets events that the broker has acknowledged.
	Sent(ctx context.Context, records []Record) error
}

// Relay sends what a source holds.
type Relay struct {
	source  Source
	brokers []string
	woken   <-chan struct{}
	log     *slog.Logger
	sent    prometheus.Counter
	waiting prometheus.Gauge
}

// New makes a relay; woken, which may be nil, tells it that there is something to send.
func New(source Source, brokers []string, woken <-chan struct{}, log *slog.Logger, registry prometheus.Registerer) *Relay {
	r := &Relay{source: source, brokers: brokers, woken: woken, log: log,
		sent:    prometheus.NewCounter(prometheus.CounterOpts{Name: "meridian_relay_sent_total", Help: "Events that the broker acknowledged."}),
		waiting: prometheus.NewGauge(prometheus.GaugeOpts{Name: "meridian_relay_oldest_seconds", Help: "Age of the oldest event of the batch that was read last; 0 when the outbox was empty."}),
	}
	registry.MustRegister(r.sent, r.waiting)
	return r
}

// Run sends until the context ends.
func (r *Relay) Run(ctx context.Context) error {
	client, err := connect(r.brokers)
	if err != nil {
		return err
	}
	defer client.Close()
	ticker := time.NewTicker(idle)
	defer ticker.Stop()
	var heldSince time.Time
	for ctx.Err() == nil {
		// The hold is renewed at most once a second, not with every batch.
		if time.Since(heldSince) >= idle {
			held, err := r.source.Hold(ctx)
			if err != nil {
				return err
			}
			heldSince = time.Time{}
			if held {
				heldSince = time.Now()
			}
		}
		full := false
		if !heldSince.IsZero() {
			if full, err = r.pass(ctx, client); err != nil {
				return err
			}
		}
		if full {
			continue
		}
		select {
		case <-ctx.Done():
		case <-ticker.C:
		case <-r.woken:
		}
	}
	return nil
}

// pass sends one batch and says whether there may be more.
func (r *Relay) pass(ctx context.Context, client *kgo.Client) (bool, error) {
	records, err := r.source.Pending(ctx, batch)
	if err != nil || len(records) == 0 {
		r.waiting.Set(0)
		return false, err
	}
	r.waiting.Set(time.Since(records[0].Event.Time).Seconds())
	if err := send(ctx, client, records); err != nil {
		return false, err
	}
	if err := r.source.Sent(ctx, records); err != nil {
		return false, err
	}
	r.sent.Add(float64(len(records)))
	return len(records) == batch, nil
}

func connect(brokers []string) (*kgo.Client, error) {
	client, err := kgo.NewClient(
		kgo.SeedBrokers(brokers...), kgo.RequiredAcks(kgo.AllISRAcks()), kgo.ProducerLinger(0),
		kgo.RecordDeliveryTimeout(deliveryTimeout), kgo.ProducerBatchCompression(kgo.SnappyCompression(), kgo.NoCompression()),
	)
	if err != nil {
		return nil, fmt.Errorf("make a producer: %w", err)
	}
	return client, nil
}

// send returns once the broker has acknowledged every record.
func send(ctx context.Context, client *kgo.Client, records []Record, headers ...kgo.RecordHeader) error {
	headers = append(headers, kgo.RecordHeader{Key: "content-type", Value: []byte(contract.EventContentType)})
	messages := make([]*kgo.Record, 0, len(records))
	for _, record := range records {
		value, err := json.Marshal(record.Event)
		if err != nil {
			return fmt.Errorf("encode event %s: %w", record.Event.ID, err)
		}
		messages = append(messages, &kgo.Record{Topic: record.Topic, Key: []byte(record.Event.Subject), Value: value, Headers: headers})
	}
	if err := client.ProduceSync(ctx, messages...).FirstErr(); err != nil {
		return fmt.Errorf("send events to the broker: %w", err)
	}
	return nil
}
