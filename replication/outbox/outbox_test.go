package outbox_test

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/kit/sqldb"
	"github.com/meridian-store/meridian/local/engine/enginetest"
	"github.com/meridian-store/meridian/local/kittest"
	"github.com/meridian-store/meridian/replication/outbox"
	"github.com/meridian-store/meridian/replication/relay"
)

func TestMain(m *testing.M) { kittest.Main(m) }

const home = "us-east"

func database(t *testing.T) *sqldb.DB {
	t.Helper()
	admin := enginetest.Postgres(t).SuperuserURL()
	name := "test_outbox_" + strings.ToLower(geo.NewID("test", "use")[9:])
	if err := sqldb.Provision(t.Context(), admin, name, name, "unimportant"); err != nil {
		t.Fatal(err)
	}
	owner, err := url.Parse(admin)
	if err != nil {
		t.Fatal(err)
	}
	owner.Path = "/" + name
	schema := sqldb.Schema{Migrations: outbox.Migrations(), RegionalByRow: outbox.Tables()}
	if err := sqldb.Migrate(t.Context(), owner.String(), schema, name, []string{home}); err != nil {
		t.Fatal(err)
	}
	db, err := sqldb.Open(t.Context(), owner.String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return db
}

func writer() *outbox.Writer {
	return outbox.NewWriter("test", geo.Region{Name: home, Code: "use"}, time.Now)
}

func write(t *testing.T, db *sqldb.DB, drafts ...outbox.Draft) {
	t.Helper()
	if err := db.InTx(t.Context(), func(tx pgx.Tx) error { return writer().Append(t.Context(), tx, drafts...) }); err != nil {
		t.Fatal(err)
	}
}

func draft(aggregate string, version int64) outbox.Draft {
	return outbox.Draft{Topic: contract.TopicOrders, Type: contract.OrderConfirmed, Aggregate: aggregate, Version: version, Data: contract.OrderChange{OrderID: aggregate}}
}

func hold(t *testing.T, source *outbox.Source) bool {
	t.Helper()
	held, err := source.Hold(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return held
}

func pending(t *testing.T, source *outbox.Source, limit int) []relay.Record {
	t.Helper()
	records, err := source.Pending(t.Context(), limit)
	if err != nil {
		t.Fatal(err)
	}
	return records
}

func TestAnEventExistsOnlyWithItsTransaction(t *testing.T) {
	t.Parallel()
	db := database(t)
	undone := errors.New("undone")
	err := db.InTx(t.Context(), func(tx pgx.Tx) error {
		if err := writer().Append(t.Context(), tx, draft("a", 1)); err != nil {
			return err
		}
		return undone
	})
	if !errors.Is(err, undone) {
		t.Fatal(err)
	}
	write(t, db, draft("b", 1))
	source := outbox.NewSource(db, home, "one")
	if !hold(t, source) {
		t.Fatal("a free outbox could not be held")
	}
	records := pending(t, source, 10)
	if len(records) != 1 || records[0].Event.Subject != "b" {
		t.Fatalf("pending: %+v", records)
	}
	event := records[0].Event
	if err := event.Validate(); err != nil || event.OriginRegion != home || event.AggregateVersion != 1 || records[0].Topic != contract.TopicOrders {
		t.Fatalf("%+v (%v)", event, err)
	}
}

func TestAppendIsOneRoundTripWhateverTheNumber(t *testing.T) {
	t.Parallel()
	db := database(t)
	for _, n := range []int{1, 100} {
		var drafts []outbox.Draft
		for i := range n {
			drafts = append(drafts, draft(fmt.Sprintf("of-%d-%d", n, i), 1))
		}
		ctx, counter := sqldb.Count(t.Context())
		if err := db.InTx(ctx, func(tx pgx.Tx) error { return writer().Append(ctx, tx, drafts...) }); err != nil {
			t.Fatal(err)
		}
		if counter.RoundTrips() != 3 || counter.Commits() != 1 { // begin, append, commit
			t.Errorf("%d events: %d round trips, %d commits", n, counter.RoundTrips(), counter.Commits())
		}
	}
}

func TestAnAggregatesEventsComeInOrderWhateverTheLimit(t *testing.T) {
	t.Parallel()
	db := database(t)
	source := outbox.NewSource(db, home, "one")
	rapid.Check(t, func(rt *rapid.T) {
		run := geo.NewID("run", "use")
		next := map[string]int64{}
		for range rapid.IntRange(1, 20).Draw(rt, "events") {
			aggregate := run + rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, "aggregate")
			next[aggregate]++
			write(t, db, draft(aggregate, next[aggregate]))
		}
		if !hold(t, source) {
			rt.Fatal("not held")
		}
		seen := map[string]int64{}
		for {
			records := pending(t, source, rapid.IntRange(1, 5).Draw(rt, "limit"))
			if len(records) == 0 {
				break
			}
			for _, record := range records {
				if seen[record.Event.Subject]++; record.Event.AggregateVersion != seen[record.Event.Subject] {
					rt.Fatalf("%s: version %d came as number %d", record.Event.Subject, record.Event.AggregateVersion, seen[record.Event.Subject])
				}
			}
			if err := source.Sent(t.Context(), records); err != nil {
				rt.Fatal(err)
			}
		}
		for aggregate, count := range next {
			if seen[aggregate] != count {
				rt.Fatalf("%s: %d of %d events came", aggregate, seen[aggregate], count)
			}
		}
	})
}

func TestARelayIsFencedWhenAnotherTakesOver(t *testing.T) {
	t.Parallel()
	db := database(t)
	write(t, db, draft("a", 1))
	first, second := outbox.NewSource(db, home, "one"), outbox.NewSource(db, home, "two")
	if !hold(t, first) || hold(t, second) {
		t.Fatal("the lease is not exclusive")
	}
	read := pending(t, first, 10)
	if _, err := db.Exec(t.Context(), `UPDATE outbox_leases SET expires_at = now() - INTERVAL '1 second' WHERE crdb_region = $1`, home); err != nil {
		t.Fatal(err)
	}
	if !hold(t, second) {
		t.Fatal("an expired lease could not be taken over")
	}
	if err := first.Sent(t.Context(), read); err != nil {
		t.Fatal(err)
	}
	if left := pending(t, second, 10); len(left) != 1 {
		t.Fatalf("a relay that lost its lease deleted %d events", 1-len(left))
	}
	if hold(t, first) {
		t.Fatal("the relay that lost its lease renewed it")
	}
}

func TestTheSameHolderTakesItsOwnLeaseOverAtOnce(t *testing.T) {
	t.Parallel()
	db := database(t)
	write(t, db, draft("a", 1))
	before := outbox.NewSource(db, home, "one")
	if !hold(t, before) {
		t.Fatal("not held")
	}
	read := pending(t, before, 10)
	after := outbox.NewSource(db, home, "one") // the same process, restarted
	if !hold(t, after) {
		t.Fatal("a restarted relay has to wait for itself")
	}
	if err := before.Sent(t.Context(), read); err != nil {
		t.Fatal(err)
	}
	if left := pending(t, after, 10); len(left) != 1 {
		t.Fatal("the relay from before the restart was not fenced off")
	}
}

func TestShardsCoverAllAggregatesEvenly(t *testing.T) {
	t.Parallel()
	counts := make([]int, outbox.Shards)
	for range 4000 {
		counts[outbox.Shard(geo.NewID("ord", "use"))]++
	}
	if slices.Min(counts) < 700 {
		t.Fatalf("4000 aggregates fall into shards as %v", counts)
	}
}
