// Package outbox writes events in the transaction that makes them true. A relay sends them afterwards.
package outbox

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io/fs"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/services/contract"
	"github.com/meridian-store/meridian/services/kit/telemetry"
)

// Shards is the number of parts that an outbox's aggregates are split in; each part has one relay at a time.
const Shards = 4

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations makes the outbox's tables; a service merges them with its own, which count from 00010.
func Migrations() fs.FS {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // only a wrong constant above could cause it
	}
	return sub
}

// Tables are those that Migrations makes, all homed row by row.
func Tables() []string { return []string{"outbox", "outbox_leases"} }

// Draft is an event before it has an id and a time.
type Draft struct {
	Topic, Type string
	// Aggregate is the event's subject and its key in the broker; Version rises with each of its events.
	Aggregate string
	Version   int64
	Data      any
}

// Writer writes one service's events in one region.
type Writer struct {
	service string
	region  geo.Region
	now     func() time.Time
	wake    chan struct{}
}

// NewWriter makes the writer of a service.
func NewWriter(service string, region geo.Region, now func() time.Time) *Writer {
	return &Writer{service: service, region: region, now: now, wake: make(chan struct{}, 1)}
}

// Append writes drafts in the transaction, in one round trip whatever their number.
func (w *Writer) Append(ctx context.Context, tx pgx.Tx, drafts ...Draft) error {
	if len(drafts) == 0 {
		return nil
	}
	var shards, versions []int64
	var aggregates, topics, events []string
	for _, draft := range drafts {
		event, err := w.Event(ctx, draft)
		if err != nil {
			return err
		}
		body, err := json.Marshal(event)
		if err != nil {
			return fmt.Errorf("encode %s: %w", draft.Type, err)
		}
		shards = append(shards, Shard(draft.Aggregate))
		aggregates, versions = append(aggregates, draft.Aggregate), append(versions, draft.Version)
		topics, events = append(topics, draft.Topic), append(events, string(body))
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO outbox (crdb_region, shard, aggregate, version, topic, event)
		SELECT $1, s, a, v, t, e::JSONB
		FROM unnest($2::INT8[], $3::TEXT[], $4::INT8[], $5::TEXT[], $6::TEXT[]) AS d(s, a, v, t, e)`,
		w.region.Name, shards, aggregates, versions, topics, events)
	if err != nil {
		return fmt.Errorf("write events to the outbox: %w", err)
	}
	return nil
}

// Event gives a draft its id, time, origin and trace.
func (w *Writer) Event(ctx context.Context, draft Draft) (contract.Event, error) {
	data, err := json.Marshal(draft.Data)
	if err != nil {
		return contract.Event{}, fmt.Errorf("encode the data of %s: %w", draft.Type, err)
	}
	now := w.now().UTC()
	return contract.Event{
		SpecVersion: "1.0", ID: geo.IDs{Clock: func() time.Time { return now }}.New("evt", w.region.Code),
		Source: "/" + w.region.Name + "/" + w.service, Type: draft.Type, Subject: draft.Aggregate, Time: now,
		DataContentType: "application/json", OriginRegion: w.region.Name, AggregateVersion: draft.Version,
		TraceParent: telemetry.TraceParent(ctx), Data: data,
	}, nil
}

// Wake tells the relay, after the commit, that there is something to send; without it the relay finds out within a second.
func (w *Writer) Wake() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// Woken is what the relay waits on.
func (w *Writer) Woken() <-chan struct{} { return w.wake }

// Shard gives the part of the outbox that an aggregate's events belong to.
func Shard(aggregate string) int64 {
	hash := fnv.New32a()
	hash.Write([]byte(aggregate)) // an fnv hash never fails
	return int64(hash.Sum32() % Shards)
}
