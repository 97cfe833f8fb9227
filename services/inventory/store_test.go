package inventory

import (
	"context"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/sqldb"
	"github.com/meridian-store/meridian/local/engine/enginetest"
)

// On CockroachDB across regions a step's latency is its commits times the round trip between regions, so neither figure may
// grow with the number of lines.
func TestWhatEachStepCostsInSQL(t *testing.T) {
	t.Parallel()
	shop := start(t)
	for _, size := range []int{1, 100} {
		var counts []contract.StockCount
		var lines []contract.SKUCount
		for i := range size {
			sku := fmt.Sprintf("N%d-%d", size, i)
			counts = append(counts, stock(sku, iad, 10), stock(sku, dub, 10))
			lines = append(lines, line(sku, 15))
		}
		service := shop.service()
		first, second := newSaga(), newSaga()
		cost(t, size, "count", 4, 1, func(ctx context.Context) error { _, err := service.count(ctx, counts); return err })
		reserve := func(saga string) func(context.Context) error {
			return func(ctx context.Context) error {
				_, _, err := service.reserve(ctx, request(saga, "US", lines...))
				return err
			}
		}
		cost(t, size, "reserve", 4, 1, reserve(first))
		cost(t, size, "repeated reserve", 1, 0, reserve(first))
		cost(t, size, "release", 4, 1, func(ctx context.Context) error { _, err := service.release(ctx, first); return err })
		if err := reserve(second)(t.Context()); err != nil {
			t.Fatal(err)
		}
		cost(t, size, "confirm", 4, 1, func(ctx context.Context) error { _, err := service.confirm(ctx, second); return err })
		cost(t, size, "look-up", 1, 0, func(ctx context.Context) error { _, err := service.lookUp(ctx, second); return err })
		cost(t, size, "event of what is sold", 1, 0, func(ctx context.Context) error {
			return service.applyEvents(ctx, []contract.Event{orderEvent(t, contract.OrderConfirmed, second)})
		})
		var failed []contract.Event
		for range 50 {
			failed = append(failed, orderEvent(t, contract.OrderFailed, newSaga()))
		}
		cost(t, size, "50 events of what was never held", 2, 1, func(ctx context.Context) error { return service.applyEvents(ctx, failed) })
	}
	shop.audit(t)
}

func cost(t *testing.T, size int, what string, roundTrips, commits int64, do func(context.Context) error) {
	t.Helper()
	ctx, counter := sqldb.Count(t.Context())
	if err := do(ctx); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if counter.RoundTrips() != roundTrips || counter.Commits() != commits {
		t.Errorf("%s of %d lines took %d round trips and %d commits, want %d and %d",
			what, size, counter.RoundTrips(), counter.Commits(), roundTrips, commits)
	}
}

// The plan that is made from locked rows is the last resort under contention; its answers are the same.
func TestThePlanFromLockedStock(t *testing.T) {
	t.Parallel()
	shop := start(t)
	shop.count(t, stock("A", iad, 3))
	service := shop.service()
	first, second := newSaga(), newSaga()
	for _, want := range []struct {
		saga    string
		created bool
		code    contract.Code
	}{{first, true, ""}, {second, false, contract.CodeOutOfStock}, {first, false, ""}} {
		a, err := service.prepare(t.Context(), request(want.saga, "US", line("A", 2)))
		if err != nil {
			t.Fatal(err)
		}
		p := plan{asks: []ask{a}, results: make([]result[held], 1)}
		if err := service.store.holdLocked(t.Context(), &p); err != nil {
			t.Fatal(err)
		}
		if got := p.results[0]; got.out.created != want.created || contract.CodeOf(got.err) != want.code {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	shop.audit(t)
}

func TestHotQueriesUseTheirIndexes(t *testing.T) {
	t.Parallel()
	shop := start(t)
	regions := []string{"us-east", "eu-west", "ap-southeast"}
	for _, seed := range []string{
		`INSERT INTO stock (crdb_region, sku, warehouse, on_hand) SELECT r, 'S' || n, 'w', 9 FROM generate_series(1, 2000) AS g(n), unnest($1::TEXT[]) AS u(r)`,
		`INSERT INTO reservations (crdb_region, saga_id, state, request_hash, allocations, expires_at, version, created_at, updated_at)
			SELECT r, 'sga_' || n, CASE WHEN n % 50 = 0 THEN 'held' ELSE 'sold' END, '', '[]', now() + n * INTERVAL '1 second', 1, now(), now()
			FROM generate_series(1, 2000) AS g(n), unnest($1::TEXT[]) AS u(r)`,
		`INSERT INTO reservation_lines (crdb_region, saga_id, sku, warehouse, quantity) SELECT r, 'sga_' || n, 'S', 'w', 1 FROM generate_series(1, 2000) AS g(n), unnest($1::TEXT[]) AS u(r)`,
		`INSERT INTO movements (crdb_region, sku, warehouse, kind, reference, quantity, at) SELECT r, 'S' || n, 'w', 'adjusted', 'r', 9, now() FROM generate_series(1, 2000) AS g(n), unnest($1::TEXT[]) AS u(r)`,
		`INSERT INTO movements (crdb_region, sku, warehouse, kind, reference, quantity, at) SELECT r, 'HOT', 'w', 'sold', 'r' || n, -1, now() - n * INTERVAL '1 second'
			FROM generate_series(1, 6000) AS g(n), unnest($1::TEXT[]) AS u(r)`,
	} {
		if _, err := shop.DB.Exec(t.Context(), seed, regions); err != nil {
			t.Fatal(err)
		}
	}
	shop.analyse(t)
	one := []string{"us-east"}
	asking := []any{one, []string{"S7"}, []string{"w"}, []int64{0}, []int64{1}}
	plans := []struct {
		what, query, index string
		args               []any
	}{
		{"stock", readBuckets, "stock_pkey", []any{regions, []string{"S1", "S2"}}},
		{"hold", `WITH ` + asked + `, ` + locked + ` UPDATE stock AS s SET reserved = s.reserved + l.quantity FROM locked AS l WHERE ` + sameBucket, "stock_pkey", asking},
		{"reservation", readReservation, "reservations_pkey", []any{"us-east", "sga_7"}},
		{"known sagas", readReservations, "reservations_pkey", []any{one, []string{"sga_7", "sga_8"}}},
		{"returns", readReturns, "returns_pkey", []any{"us-east", "sga_7"}},
		{"ledger", readLedger, "movements_for_ledger", []any{one, "HOT", time.Now(), "", "", "", "", 50}},
		{"sweeper", `SELECT saga_id FROM reservations WHERE crdb_region = ANY($1) AND state = 'held' AND expires_at <= $2 ORDER BY expires_at LIMIT 100`, "reservations_for_sweeper", []any{one, time.Now()}},
		{"end of lines", `DELETE FROM reservation_lines WHERE crdb_region = ANY($1) AND saga_id = $2`, "reservation_lines_pkey", []any{regions, "sga_7"}},
		{"known movements", readMovements, "movements_pkey", []any{one, []string{"HOT"}, []string{"w"}, []string{"sold"}, []string{"r7"}}},
		{"bands", readBands, "stock_pkey", []any{[]string{"S1"}, regions, []string{"w"}}},
		{"SKUs", `SELECT DISTINCT sku FROM stock WHERE crdb_region = $1 AND sku > $2 ORDER BY sku LIMIT 500`, "stock_pkey", []any{"us-east", "S5"}},
	}
	for _, plan := range plans {
		text := explain(t, shop.DB, plan.query, plan.args)
		if !strings.Contains(text, plan.index) || !regionFirst.MatchString(text) {
			t.Errorf("%s does not use %s by region:\n%s", plan.what, plan.index, text)
		}
	}
}

// analyse lets the planner know what the tables hold, as the server does by itself after some seconds.
func (s shop) analyse(t *testing.T) {
	t.Helper()
	owner, err := url.Parse(enginetest.Postgres(t).SuperuserURL())
	if err != nil {
		t.Fatal(err)
	}
	own, err := url.Parse(s.Env.SQLURL.Current())
	if err != nil {
		t.Fatal(err)
	}
	owner.Path = own.Path
	conn, err := pgx.Connect(t.Context(), owner.String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := conn.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	if _, err := conn.Exec(t.Context(), `ANALYZE`); err != nil {
		t.Fatal(err)
	}
}

// regionFirst matches an index condition that begins with the region, as PostgreSQL writes it for a domain over text.
var regionFirst = regexp.MustCompile(`Index Cond: \(\(+\w*\.?crdb_region\)?(::text)? = `)

func explain(t *testing.T, db *sqldb.DB, query string, args []any) string {
	t.Helper()
	var lines []string
	err := db.InTx(t.Context(), func(tx pgx.Tx) error {
		if _, err := tx.Exec(t.Context(), `SET LOCAL enable_seqscan = off`); err != nil {
			return err
		}
		rows, err := tx.Query(t.Context(), `EXPLAIN `+query, args...)
		if err != nil {
			return err
		}
		lines, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, "\n")
}
