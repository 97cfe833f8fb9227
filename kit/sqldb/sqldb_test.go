package sqldb_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/meridian-store/meridian/kit/sqldb"
	"github.com/meridian-store/meridian/local/engine/enginetest"
	"github.com/meridian-store/meridian/local/kittest"
)

func TestMain(m *testing.M) { enginetest.Main(m) }

func open(t *testing.T) *sqldb.DB {
	t.Helper()
	db, err := sqldb.Open(t.Context(), enginetest.Postgres(t).NewDatabase(t), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return db
}

func exec(t *testing.T, db *sqldb.DB, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if _, err := db.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
}

// Write skew is what a savepoint's retry gets wrong: every success reported must be a row that exists.
func TestInTxRetriesWholeTransactions(t *testing.T) {
	t.Parallel()
	db := open(t)
	exec(t, db, `CREATE TABLE counters (id INT8 PRIMARY KEY, n INT8 NOT NULL)`, `INSERT INTO counters VALUES (1, 0)`)
	const workers, rounds = 8, 10
	var wait sync.WaitGroup
	for range workers {
		wait.Go(func() {
			for range rounds {
				err := db.InTx(t.Context(), func(tx pgx.Tx) error {
					if _, err := tx.Exec(t.Context(), `SET TRANSACTION ISOLATION LEVEL SERIALIZABLE`); err != nil {
						return err
					}
					var n int64
					if err := tx.QueryRow(t.Context(), `SELECT n FROM counters WHERE id = 1`).Scan(&n); err != nil {
						return err
					}
					_, err := tx.Exec(t.Context(), `UPDATE counters SET n = $1 WHERE id = 1`, n+1)
					return err
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	var n int64
	if err := db.QueryRow(t.Context(), `SELECT n FROM counters WHERE id = 1`).Scan(&n); err != nil || n != workers*rounds {
		t.Fatalf("%d increments were acknowledged, the counter says %d (%v)", workers*rounds, n, err)
	}
}

func TestInTxRetriesDeadlocks(t *testing.T) {
	t.Parallel()
	db := open(t)
	exec(t, db, `CREATE TABLE pairs (id INT8 PRIMARY KEY, n INT8 NOT NULL)`, `INSERT INTO pairs VALUES (1, 0), (2, 0)`)
	var met sync.WaitGroup
	met.Add(2)
	var wait sync.WaitGroup
	for _, order := range [][2]int{{1, 2}, {2, 1}} {
		wait.Go(func() {
			first := true
			err := db.InTx(t.Context(), func(tx pgx.Tx) error {
				for i, id := range order {
					if _, err := tx.Exec(t.Context(), `UPDATE pairs SET n = n + 1 WHERE id = $1`, id); err != nil {
						return err
					}
					if i == 0 && first {
						first = false
						met.Done()
						met.Wait() // both hold their first row, so that a deadlock is certain
					}
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	var sum int64
	if err := db.QueryRow(t.Context(), `SELECT sum(n) FROM pairs`).Scan(&sum); err != nil || sum != 4 {
		t.Fatalf("sum %d (%v)", sum, err)
	}
}

func TestInTxRollsBackWhenTheCallerHasGone(t *testing.T) {
	t.Parallel()
	db := open(t)
	exec(t, db, `CREATE TABLE things (id INT8 PRIMARY KEY)`)
	ctx, cancel := context.WithCancel(t.Context())
	err := db.InTx(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO things VALUES (1)`); err != nil {
			return err
		}
		cancel()
		return ctx.Err()
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	exec(t, db, `INSERT INTO things VALUES (1)`) // would wait for ever behind a transaction left open
}

func TestCountSeesRoundTripsAndCommits(t *testing.T) {
	t.Parallel()
	db := open(t)
	exec(t, db, `CREATE TABLE things (id INT8 PRIMARY KEY)`)
	ctx, counter := sqldb.Count(t.Context())
	if _, err := db.Exec(ctx, `INSERT INTO things VALUES (1)`); err != nil {
		t.Fatal(err)
	}
	if counter.RoundTrips() != 1 || counter.Commits() != 1 {
		t.Fatalf("one statement: %d round trips, %d commits", counter.RoundTrips(), counter.Commits())
	}
	err := db.InTx(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO things VALUES (2)`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if counter.RoundTrips() != 4 || counter.Commits() != 2 {
		t.Fatalf("after a transaction of one statement: %d round trips, %d commits", counter.RoundTrips(), counter.Commits())
	}
}

func TestMigrateGivesTheRoleRowsAndNotTables(t *testing.T) {
	t.Parallel()
	admin := enginetest.Postgres(t).SuperuserURL()
	const name, password = "test_migrate_roles", "not a secret"
	if err := sqldb.Provision(t.Context(), admin, name, name, password); err != nil {
		t.Fatal(err)
	}
	owner := strings.Replace(admin, "/postgres?", "/"+name+"?", 1)
	schema := sqldb.Schema{RegionalByRow: []string{"things"}, Migrations: fstest.MapFS{
		"00010_things.sql": {Data: []byte("-- +goose Up\nCREATE TABLE things (crdb_region crdb_internal_region NOT NULL, id INT8 NOT NULL, PRIMARY KEY (crdb_region, id));\n-- +goose Down\nDROP TABLE things;\n")},
	}}
	for range 2 { // a second run changes nothing
		if err := sqldb.Migrate(t.Context(), owner, schema, name, []string{"us-east"}); err != nil {
			t.Fatal(err)
		}
	}
	config, err := pgx.ParseConfig(owner)
	if err != nil {
		t.Fatal(err)
	}
	config.User, config.Password = name, password
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	if _, err := conn.Exec(t.Context(), `INSERT INTO things VALUES ('us-east', 1)`); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), `DROP TABLE things`); err == nil {
		t.Fatal("the service's role could drop its table")
	}
	config.Database = "postgres"
	if outside, err := pgx.ConnectConfig(t.Context(), config); err == nil {
		defer outside.Close(t.Context())
		if _, err := outside.Exec(t.Context(), `CREATE TABLE public.mine (id INT8)`); err == nil {
			t.Fatal("the service's role could write outside its database")
		}
	}
}

func TestCheckCurrentNamesTheCommand(t *testing.T) {
	t.Parallel()
	db := open(t)
	err := db.CheckCurrent(t.Context(), fstest.MapFS{"00010_things.sql": {Data: []byte("-- +goose Up\n")}})
	if err == nil || !strings.Contains(err.Error(), "meridian migrate") {
		t.Fatalf("got %v", err)
	}
}

func TestOpenKeepsThePasswordToItself(t *testing.T) {
	t.Parallel()
	_, err := sqldb.Open(t.Context(), "postgres://me:hunter2@127.0.0.1:1/db?sslmode=wrong", nil)
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Fatalf("got %v", err)
	}
	db, err := sqldb.Open(t.Context(), "postgres://me:hunter2@127.0.0.1:1/db?sslmode=disable", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Ping(t.Context()); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Fatalf("got %v", err)
	}
}

// Many wait for the few connections. While they come and go the server lives; when each is held and none comes back it is as good as gone.
func TestPingTellsBusyFromGone(t *testing.T) {
	t.Parallel()
	db := open(t)
	ping := func(within time.Duration) error {
		ctx, cancel := context.WithTimeout(t.Context(), within)
		defer cancel()
		return db.Ping(ctx)
	}
	crowd := func(members int, statement string) (leave func()) {
		ctx, cancel := context.WithCancel(t.Context())
		var group sync.WaitGroup
		for range members {
			group.Go(func() {
				for ctx.Err() == nil {
					if _, err := db.Exec(ctx, statement); err != nil && ctx.Err() == nil {
						t.Error(err)
						return
					}
				}
			})
		}
		return func() { cancel(); group.Wait() }
	}
	full := func() {
		for held := 0; held < sqldb.PoolSize; {
			if err := db.QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'SELECT pg_sleep%'`).Scan(&held); err != nil {
				t.Fatal(err)
			}
			held++ // who asks has one too
		}
	}
	// 500 who each hold a connection for 50 ms: a newcomer's turn comes after three seconds.
	leave := crowd(500, `SELECT pg_sleep(0.05)`)
	full()
	if err := ping(time.Second); err != nil {
		t.Errorf("a busy server: %v", err)
	}
	leave()
	leave = crowd(sqldb.PoolSize-1, `SELECT pg_sleep(60)`)
	full()
	leaveToo := crowd(1, `SELECT pg_sleep(60)`)
	kittest.Eventually(t, func() error {
		if ping(100*time.Millisecond) == nil {
			return errors.New("a server that answers nobody is taken for a living one")
		}
		return nil
	})
	leave()
	leaveToo()
	if err := ping(10 * time.Second); err != nil {
		t.Errorf("a server that has come back: %v", err)
	}
}
