package postgres_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/meridian-store/meridian/local/engine/enginetest"
)

// What Meridian relies on in a SQL engine, for PostgreSQL and CockroachDB alike
// (MERIDIAN_TEST_SQL_URL).

func sqlState(err error) string {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return refused.Code
	}
	return ""
}

func TestConformsSerializableRefusesWriteSkew(t *testing.T) {
	t.Parallel()
	address := enginetest.Postgres(t).NewDatabase(t)
	a, b := connect(t, address), connect(t, address)
	execute(t, a, "create table on_call (name text primary key, here bool not null)")
	execute(t, a, "insert into on_call values ('ada', true), ('bob', true)")

	// Each reads that the other is here and leaves. One of them must fail.
	leave := func(conn *pgx.Conn, name string, read, other *sync.WaitGroup) error {
		tx, err := conn.BeginTx(t.Context(), pgx.TxOptions{IsoLevel: pgx.Serializable})
		if err != nil {
			read.Done()
			return err
		}
		var here int
		err = tx.QueryRow(t.Context(), "select count(*) from on_call where here").Scan(&here)
		read.Done()
		other.Wait()
		if err == nil {
			_, err = tx.Exec(t.Context(), "update on_call set here = false where name = $1", name)
		}
		if err != nil {
			return errors.Join(err, tx.Rollback(context.WithoutCancel(t.Context())))
		}
		return tx.Commit(t.Context())
	}
	var aRead, bRead sync.WaitGroup
	aRead.Add(1)
	bRead.Add(1)
	results := make(chan error, 2)
	go func() { results <- leave(a, "ada", &aRead, &bRead) }()
	go func() { results <- leave(b, "bob", &bRead, &aRead) }()
	failures := 0
	for range 2 {
		if err := <-results; err != nil {
			failures++
			if sqlState(err) != "40001" {
				t.Errorf("got %v, want a serialization failure", err)
			}
		}
	}
	if left := count(t, connect(t, address), "select count(*) from on_call where here"); failures == 0 || left == 0 {
		t.Errorf("%d transactions failed and %d people are left", failures, left)
	}
}

func TestConformsRegionLeadsEveryKey(t *testing.T) {
	t.Parallel()
	server := enginetest.Postgres(t)
	conn := connect(t, server.NewDatabase(t))
	if !server.Cockroach() { // which brings the type itself, with a database's regions
		execute(t, conn, "create domain crdb_internal_region as text")
	} else {
		execute(t, conn, "create type crdb_internal_region as enum ('us-east', 'eu-west')")
	}
	execute(t, conn, `create table orders (crdb_region crdb_internal_region not null, id text not null,
		primary key (crdb_region, id))`)
	execute(t, conn, `create table line (crdb_region crdb_internal_region not null, order_id text not null, no int not null,
		primary key (crdb_region, order_id, no),
		foreign key (crdb_region, order_id) references orders (crdb_region, id))`)
	execute(t, conn, "insert into orders (crdb_region, id) values ($1, $2)", "us-east", "ord_1")
	execute(t, conn, "insert into line (crdb_region, order_id, no) values ('us-east', 'ord_1', 1)")
	_, err := conn.Exec(t.Context(), "insert into line (crdb_region, order_id, no) values ('eu-west', 'ord_1', 1)")
	if sqlState(err) != "23503" {
		t.Errorf("a line of another region's order: got %v, want a foreign key violation", err)
	}
}

func TestConformsConditionalUpdateNeverOversells(t *testing.T) {
	t.Parallel()
	const stock, buyers = 10, 4
	address := enginetest.Postgres(t).NewDatabase(t)
	conn := connect(t, address)
	execute(t, conn, "create table stock (sku text primary key, on_hand int not null, reserved int not null)")
	execute(t, conn, "create table reservation (id text primary key, sku text not null, quantity int not null)")
	execute(t, conn, "insert into stock values ('tee', $1, 0)", stock)

	var wg sync.WaitGroup
	errs := make([]error, buyers)
	for i := range buyers {
		own := connect(t, address)
		wg.Go(func() {
			for range stock {
				_, err := own.Exec(t.Context(), `with taken as (
					update stock set reserved = reserved + 1 where sku = $1 and on_hand - reserved >= 1 returning sku)
					insert into reservation (id, sku, quantity) select gen_random_uuid()::text, sku, 1 from taken`, "tee")
				// CockroachDB is serializable by default and may ask for another try.
				if err != nil && sqlState(err) != "40001" {
					errs[i] = err
					return
				}
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	reserved := count(t, conn, "select reserved from stock where sku = 'tee'")
	rows := count(t, conn, "select count(*) from reservation")
	if reserved != stock || rows != stock {
		t.Errorf("reserved %d with %d reservations, want %d of both", reserved, rows, stock)
	}
}

func TestConformsQueueAndIdempotency(t *testing.T) {
	t.Parallel()
	address := enginetest.Postgres(t).NewDatabase(t)
	conn := connect(t, address)
	execute(t, conn, "create table job (id int primary key, done timestamptz)")
	for range 2 { // the second time inserts nothing
		execute(t, conn, "insert into job (id) values (1), (2) on conflict (id) do nothing")
	}
	first, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	const claim = "select id from job where done is null order by id limit 1 for update skip locked"
	var mine, theirs int
	if err := first.QueryRow(t.Context(), claim).Scan(&mine); err != nil {
		t.Fatal(err)
	}
	if err := connect(t, address).QueryRow(t.Context(), claim).Scan(&theirs); err != nil {
		t.Fatal(err)
	}
	if mine != 1 || theirs != 2 {
		t.Errorf("claimed %d and %d, want 1 and 2", mine, theirs)
	}
	if err := first.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err = conn.Exec(t.Context(), "insert into job (id) values (1)")
	if sqlState(err) != "23505" {
		t.Errorf("got %v, want a unique violation", err)
	}
}
