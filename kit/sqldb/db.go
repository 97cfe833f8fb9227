// Package sqldb is how services reach the SQL cluster: CockroachDB in production, PostgreSQL on one machine. It keeps in one
// place what differs between them and what must be right everywhere: retries, ambiguous commits, migrations, localities.
package sqldb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
)

// PoolSize is small on purpose: under contention a pool of 8 sold a third more than a pool of 32 (docs/engines.md).
const PoolSize = 8

// DB is one service's own database.
type DB struct {
	pool    *pgxpool.Pool
	retries prometheus.Counter
}

// Open prepares the pool of a service's database. It does not wait for the server: a service starts before its engines are up.
func Open(ctx context.Context, url string, registry prometheus.Registerer) (*DB, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("parse the SQL address: %w", err)
	}
	config.MaxConns = PoolSize
	config.MaxConnIdleTime = 5 * time.Minute
	config.ConnConfig.ConnectTimeout = 3 * time.Second
	config.ConnConfig.Tracer = tracer{}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open the SQL pool: %w", err)
	}
	db := &DB{pool: pool, retries: prometheus.NewCounter(prometheus.CounterOpts{
		Name: "meridian_sql_transaction_retries_total", Help: "Whole transactions run again after a serialization failure.",
	})}
	inUse := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "meridian_sql_connections_in_use", Help: "Connections that a query holds now.",
	}, func() float64 { return float64(pool.Stat().AcquiredConns()) })
	if registry != nil {
		registry.MustRegister(db.retries, inUse)
	}
	return db, nil
}

// Close waits for queries under way and closes the pool.
func (db *DB) Close() { db.pool.Close() }

// Ping asks the server for an answer. With all connections at work it is answer enough that others got theirs while this one waited:
// a service that has much to do must not be taken for one that has lost its engine, and its shoppers be sent where there is as much to do.
func (db *DB) Ping(ctx context.Context) error {
	before := db.pool.Stat().AcquireCount()
	conn, err := db.pool.Acquire(ctx)
	if err != nil {
		if errors.Is(err, context.DeadlineExceeded) && db.pool.Stat().AcquireCount() > before {
			return nil
		}
		return fmt.Errorf("SQL does not answer: %w", err)
	}
	defer conn.Release()
	if err := conn.Ping(ctx); err != nil {
		return fmt.Errorf("SQL does not answer: %w", err)
	}
	return nil
}

// Query runs one statement outside a transaction.
func (db *DB) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	return db.pool.Query(ctx, sql, args...)
}

// QueryRow runs one statement that gives one row outside a transaction.
func (db *DB) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	return db.pool.QueryRow(ctx, sql, args...)
}

// SendBatch runs several reads outside a transaction in one round trip.
func (db *DB) SendBatch(ctx context.Context, batch *pgx.Batch) pgx.BatchResults {
	return db.pool.SendBatch(ctx, batch)
}

// Exec runs one statement outside a transaction: one round trip, one commit.
func (db *DB) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	return db.pool.Exec(ctx, sql, args...)
}
