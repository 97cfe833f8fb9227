package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// ledger is the least that must be written for an order: rows in a table without any other index, each committed by itself, on the
// SQL server that the shop uses and with the same durability.
type ledger struct {
	pool *pgxpool.Pool
	name string
	next atomic.Int64
}

const closeTimeout = 10 * time.Second

// newLedger makes a database of its own, so that nothing of the shop's is touched.
func newLedger(ctx context.Context, admin *pgxpool.Pool, owner string, clients int) (*ledger, error) {
	l := &ledger{name: fmt.Sprintf("meridian_bench_%d", time.Now().UnixNano())}
	if _, err := admin.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{l.name}.Sanitize()); err != nil {
		return nil, fmt.Errorf("make a database for the bare commits: %w", err)
	}
	opened, err := l.fill(ctx, owner, clients)
	if err != nil {
		return nil, errors.Join(err, l.close(admin))
	}
	l.pool = opened
	return l, nil
}

func (l *ledger) fill(ctx context.Context, owner string, clients int) (*pgxpool.Pool, error) {
	address, err := url.Parse(owner)
	if err != nil {
		return nil, fmt.Errorf("read the owner's SQL address: %w", err)
	}
	address.Path = "/" + l.name
	config, err := pgxpool.ParseConfig(address.String())
	if err != nil {
		return nil, fmt.Errorf("read the owner's SQL address: %w", err)
	}
	// One connection for each client: the bare commits wait for the disk and for nothing else.
	config.MaxConns = int32(clients)
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open the database for the bare commits: %w", err)
	}
	if _, err := pool.Exec(ctx, "CREATE TABLE ledger (id INT8 PRIMARY KEY, written TEXT NOT NULL)"); err != nil {
		pool.Close()
		return nil, fmt.Errorf("make the table for the bare commits: %w", err)
	}
	return pool, nil
}

// commit writes so many rows, each durably before the next.
func (l *ledger) commit(ctx context.Context, rows int) error {
	for range rows {
		if _, err := l.pool.Exec(ctx, "INSERT INTO ledger (id, written) VALUES ($1, $2)", l.next.Add(1), "an order's step"); err != nil {
			return fmt.Errorf("commit a row: %w", err)
		}
	}
	return nil
}

func (l *ledger) close(admin *pgxpool.Pool) error {
	if l.pool != nil {
		l.pool.Close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if _, err := admin.Exec(ctx, "DROP DATABASE IF EXISTS "+pgx.Identifier{l.name}.Sanitize()); err != nil {
		return fmt.Errorf("drop the database of the bare commits: %w", err)
	}
	return nil
}
