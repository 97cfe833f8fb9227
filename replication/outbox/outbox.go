// Package outbox writes events in the transaction that makes them true. A relay sends them afterwards.
package outbox

import (
	"cmp"
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io/fs"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/kit/telemetry"
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
	// Home is the region whose outbox the event goes to, and which announces it as its own; the writer's when it is the zero Region. A
	// service that changes another region's rows writes their events there: those of one aggregate stay in one order, and who waits
	// for them hears them. Drafts that are written together have one home.
	Home geo.Region
	// TraceParent is the trace of the request that caused it; the context's when empty. Requests that share a transaction need it.
	TraceParent string
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

const insertEvents = `
	INSERT INTO outbox (crdb_region, shard, aggregate, version, topic, event)
	SELECT $1, s, a, v, t, e::JSONB
	FROM unnest($2::INT8[], $3::TEXT[], $4::INT8[], $5::TEXT[], $6::TEXT[]) AS d(s, a, v, t, e)`

// Append writes drafts in the transaction, in one round trip whatever their number.
func (w *Writer) Append(ctx context.Context, tx pgx.Tx, drafts ...Draft) error {
	if len(drafts) == 0 {
		return nil
	}
	columns, err := w.columns(ctx, drafts)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, insertEvents, columns...); err != nil {
		return fmt.Errorf("write events to the outbox: %w", err)
	}
	return nil
}

// Queue adds the writing of drafts to a batch that is sent in the transaction, for those who have all their statements ready at once:
// it costs no round trip of its own.
func (w *Writer) Queue(ctx context.Context, batch *pgx.Batch, drafts ...Draft) error {
	if len(drafts) == 0 {
		return nil
	}
	columns, err := w.columns(ctx, drafts)
	if err != nil {
		return err
	}
	batch.Queue(insertEvents, columns...)
	return nil
}

func (w *Writer) columns(ctx context.Context, drafts []Draft) ([]any, error) {
	var shards, versions []int64
	var aggregates, topics, events []string
	home := w.homeOf(drafts[0])
	for _, draft := range drafts {
		if w.homeOf(draft).Name != home.Name {
			return nil, fmt.Errorf("events of %s and %s are written together", home.Name, w.homeOf(draft).Name)
		}
		event, err := w.Event(ctx, draft)
		if err != nil {
			return nil, err
		}
		body, err := json.Marshal(event)
		if err != nil {
			return nil, fmt.Errorf("encode %s: %w", draft.Type, err)
		}
		shards = append(shards, Shard(draft.Aggregate))
		aggregates, versions = append(aggregates, draft.Aggregate), append(versions, draft.Version)
		topics, events = append(topics, draft.Topic), append(events, string(body))
	}
	return []any{home.Name, shards, aggregates, versions, topics, events}, nil
}

func (w *Writer) homeOf(draft Draft) geo.Region {
	if draft.Home.Name == "" {
		return w.region
	}
	return draft.Home
}

// Event gives a draft its id, time, origin and trace.
func (w *Writer) Event(ctx context.Context, draft Draft) (contract.Event, error) {
	data, err := json.Marshal(draft.Data)
	if err != nil {
		return contract.Event{}, fmt.Errorf("encode the data of %s: %w", draft.Type, err)
	}
	now, home := w.now().UTC(), w.homeOf(draft)
	return contract.Event{
		SpecVersion: "1.0", ID: geo.IDs{Clock: func() time.Time { return now }}.New("evt", home.Code),
		Source: "/" + home.Name + "/" + w.service, Type: draft.Type, Subject: draft.Aggregate, Time: now,
		DataContentType: "application/json", OriginRegion: home.Name, AggregateVersion: draft.Version,
		TraceParent: cmp.Or(draft.TraceParent, telemetry.TraceParent(ctx)), Data: data,
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
