package sqldb

import (
	"context"
	"strings"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
)

// Counter counts what a path costs the SQL cluster. Tests assert it, because on CockroachDB across regions a path's latency is
// its commits times the round trip between regions.
type Counter struct {
	roundTrips atomic.Int64
	commits    atomic.Int64
}

// RoundTrips is the number of statements and batches sent, BEGIN and COMMIT among them.
func (c *Counter) RoundTrips() int64 { return c.roundTrips.Load() }

// Commits is the number of transactions committed, single writing statements among them.
func (c *Counter) Commits() int64 { return c.commits.Load() }

type counterKey struct{}

// Count gives a context whose statements are counted.
func Count(ctx context.Context) (context.Context, *Counter) {
	counter := &Counter{}
	return context.WithValue(ctx, counterKey{}, counter), counter
}

type tracer struct{}

func (tracer) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	if counter, ok := ctx.Value(counterKey{}).(*Counter); ok {
		counter.roundTrips.Add(1)
		if strings.EqualFold(data.SQL, "commit") {
			counter.commits.Add(1)
		}
	}
	return ctx
}

func (tracer) TraceQueryEnd(ctx context.Context, conn *pgx.Conn, data pgx.TraceQueryEndData) {
	counter, ok := ctx.Value(counterKey{}).(*Counter)
	wrote := data.CommandTag.Insert() || data.CommandTag.Update() || data.CommandTag.Delete()
	if ok && wrote && conn.PgConn().TxStatus() == 'I' {
		counter.commits.Add(1)
	}
}

func (tracer) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	if counter, ok := ctx.Value(counterKey{}).(*Counter); ok {
		counter.roundTrips.Add(1)
	}
	return ctx
}

func (tracer) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}
func (tracer) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData)     {}
