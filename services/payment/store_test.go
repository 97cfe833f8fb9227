package payment

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/kit/sqldb"
	"github.com/meridian-store/meridian/local/sandbox"
	"github.com/meridian-store/meridian/replication/outbox"
)

func storeOf(s shop) *store {
	return newStore(s.DB, outbox.NewWriter(s.Name, s.Region.Region, time.Now), []contract.Region{s.Region}, time.Now)
}

// A charge's SQL is one commit before the provider and one after; on CockroachDB across regions its latency is 2 round trips
// between regions and the provider's own time.
func TestWhatAChargeCostsInSQL(t *testing.T) {
	t.Parallel()
	shop := newRig(t).start(t)
	store := storeOf(shop)
	due := time.Now().Add(time.Hour)
	p := newPayment(requestFor(sandbox.TokenVisa), "us-east", "use")
	cost(t, "open", 1, 1, func(ctx context.Context) error { _, err := store.open(ctx, p, &due); return err })
	// The counter takes the insert that finds the row there already for a commit, although it writes nothing.
	cost(t, "open again", 2, 1, func(ctx context.Context) error { _, err := store.open(ctx, p, &due); return err })
	cost(t, "settle", 4, 1, func(ctx context.Context) error {
		_, _, err := store.settle(ctx, p, result{state: contract.PaymentStateCaptured})
		return err
	})
	cost(t, "mark for void", 1, 1, func(ctx context.Context) error {
		_, err := store.openVoid(ctx, newTombstone(p.SagaID, "us-east", "use"), &due)
		return err
	})
}

func cost(t *testing.T, what string, roundTrips, commits int64, do func(context.Context) error) {
	t.Helper()
	ctx, counter := sqldb.Count(t.Context())
	if err := do(ctx); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if counter.RoundTrips() != roundTrips || counter.Commits() != commits {
		t.Errorf("%s took %d round trips and %d commits, want %d and %d", what, counter.RoundTrips(), counter.Commits(), roundTrips, commits)
	}
}

func TestACaptureIsNotRecordedDuringAVoid(t *testing.T) {
	t.Parallel()
	shop := newRig(t).start(t)
	store := storeOf(shop)
	due := time.Now().Add(time.Hour)
	p, err := store.open(t.Context(), newPayment(requestFor(sandbox.TokenVisa), "us-east", "use"), &due)
	if err != nil {
		t.Fatal(err)
	}
	if p, err = store.openVoid(t.Context(), newTombstone(p.SagaID, "us-east", "use"), &due); err != nil || !p.voiding {
		t.Fatalf("got %+v, %v, want it marked", p, err)
	}
	after, changed, err := store.settle(t.Context(), p, result{state: contract.PaymentStateCaptured})
	if err != nil || changed || after.State != "pending" || !after.voiding {
		t.Errorf("got %+v, %v, %v, want it left as it was", after, changed, err)
	}
	after, changed, err = store.settle(t.Context(), p, result{state: contract.PaymentStateVoided})
	if err != nil || !changed || after.State != "voided" || after.voiding {
		t.Errorf("got %+v, %v, %v, want it voided", after, changed, err)
	}
}

// byRegion is the plan of a query that says its region to the index.
var byRegion = regexp.MustCompile(`Index Cond: \(+crdb_region`)

func TestHotQueriesUseTheirIndexes(t *testing.T) {
	t.Parallel()
	shop := newRig(t).start(t)
	_, err := shop.DB.Exec(t.Context(), `
		INSERT INTO payments (`+columns+`, updated_at, next_ask_at)
		SELECT r, 'sga_' || n, 'pay_' || n, '', 1, 'USD', '', 'captured', '', FALSE, 1, now(), 'pi_' || n, 0, now(),
			CASE WHEN n % 100 = 0 THEN now() + n * INTERVAL '1 minute' END
		FROM generate_series(1, 2000) AS g(n), unnest($1::TEXT[]) AS u(r)`, []string{"us-east", "eu-west", "ap-southeast"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = shop.DB.Exec(t.Context(), `
		INSERT INTO refunds (`+refundColumns+`, updated_at, next_ask_at)
		SELECT crdb_region, saga_id, 'ref', 1, 'USD', 'succeeded', '', '', '', now(), now(), next_ask_at FROM payments`)
	if err != nil {
		t.Fatal(err)
	}
	plans := []struct {
		query, index string
		args         []any
	}{
		{`SELECT id FROM payments WHERE crdb_region = $1 AND saga_id = $2`, "payments_pkey", []any{"us-east", geo.NewID("sga", "use")}},
		{`SELECT id FROM payments WHERE crdb_region = ANY($1) AND next_ask_at <= $2 ORDER BY next_ask_at LIMIT 100`, "payments_for_reconcile", []any{[]string{"us-east"}, time.Now()}},
		{`SELECT id FROM refunds WHERE crdb_region = $1 AND saga_id = $2 AND id = $3`, "refunds_pkey", []any{"us-east", "sga", "ref"}},
		{`SELECT id FROM refunds WHERE crdb_region = ANY($1) AND next_ask_at <= $2 ORDER BY next_ask_at LIMIT 100`, "refunds_for_reconcile", []any{[]string{"us-east"}, time.Now()}},
	}
	for _, plan := range plans {
		err := shop.DB.InTx(t.Context(), func(tx pgx.Tx) error {
			if _, err := tx.Exec(t.Context(), `SET LOCAL enable_seqscan = off`); err != nil {
				return err
			}
			rows, err := tx.Query(t.Context(), `EXPLAIN `+plan.query, plan.args...)
			if err != nil {
				return err
			}
			lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
			if err != nil {
				return err
			}
			text := strings.Join(lines, "\n")
			if !strings.Contains(text, plan.index) || !byRegion.MatchString(text) {
				t.Errorf("%s does not use %s by region:\n%s", plan.query, plan.index, text)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
