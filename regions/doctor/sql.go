package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	partSQL      = "postgres"
	closeTimeout = 200 * time.Millisecond
)

// sql looks at the one SQL server as its owner: who is connected, and who waits for whom.
func sql(s Subject) examination {
	return examination{part: partSQL, remedy: "read " + s.log("", partSQL), ask: func(ctx context.Context, n *notes) error {
		address, err := s.SQLOwner()
		if err != nil {
			return err
		}
		return askSQL(ctx, n, address)
	}}
}

func askSQL(ctx context.Context, n *notes, address string) (err error) {
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return fmt.Errorf("connect as the owner: %w", err)
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout) // a hung server does not take leave
		defer cancel()
		err = errors.Join(err, conn.Close(closing))
	}()
	var version string
	if err := conn.QueryRow(ctx, `SELECT version()`).Scan(&version); err != nil {
		return fmt.Errorf("ask for its version: %w", err)
	}
	if strings.Contains(version, "CockroachDB") {
		// Its sessions and locks are in its own console, and its own tables change with its versions.
		n.fact(partSQL, "sessions and locks: see CockroachDB's console", 0, "not examined")
		return nil
	}
	return errors.Join(connections(ctx, n, conn), waits(ctx, n, conn), sizes(ctx, n, conn))
}

// connections counts what each role holds, against what the server allows.
func connections(ctx context.Context, n *notes, conn *pgx.Conn) error {
	var allowed float64
	if err := conn.QueryRow(ctx, `SELECT current_setting('max_connections')::float8`).Scan(&allowed); err != nil {
		return fmt.Errorf("ask how many connections it allows: %w", err)
	}
	rows, err := conn.Query(ctx, `SELECT usename::text, count(*)::float8,
			COALESCE(max(EXTRACT(epoch FROM now() - xact_start)) FILTER (WHERE state <> 'idle'), 0)::float8
		FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() GROUP BY usename ORDER BY usename`)
	if err != nil {
		return fmt.Errorf("ask who is connected: %w", err)
	}
	var role string
	var held, oldest, total float64
	_, err = pgx.ForEachRow(rows, []any{&role, &held, &oldest}, func() error {
		total += held
		n.fact(partSQL, "connections of "+role, held, "connections")
		if oldest > longTransaction.Seconds() {
			n.find(Finding{partSQL, "a transaction of " + role + " does not end", fmt.Sprintf("it is open for %.0f s", oldest), "end it with pg_terminate_backend, and read the service's log"})
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read who is connected: %w", err)
	}
	n.fact(partSQL, "connections", total, "connections")
	n.fact(partSQL, "connections allowed", allowed, "connections")
	if total > manyConnections*allowed {
		n.find(Finding{partSQL, "its connections run out", fmt.Sprintf("%.0f of %.0f are taken", total, allowed), "raise max_connections, or run fewer services on it"})
	}
	return nil
}

// waits names who waits for a lock, and who holds it up.
func waits(ctx context.Context, n *notes, conn *pgx.Conn) error {
	rows, err := conn.Query(ctx, `SELECT waiting.usename::text, EXTRACT(epoch FROM now() - waiting.query_start)::float8,
			COALESCE((SELECT string_agg(DISTINCT holder.usename::text, ', ') FROM pg_stat_activity holder WHERE holder.pid = ANY (pg_blocking_pids(waiting.pid))), '')
		FROM pg_stat_activity waiting WHERE waiting.wait_event_type = 'Lock' ORDER BY waiting.query_start`)
	if err != nil {
		return fmt.Errorf("ask who waits for a lock: %w", err)
	}
	var waiter, holders string
	var seconds, count float64
	_, err = pgx.ForEachRow(rows, []any{&waiter, &seconds, &holders}, func() error {
		count++
		if waited := time.Duration(seconds * float64(time.Second)); waited > longWait {
			evidence := fmt.Sprintf("for %s, held by %s", waited.Round(time.Millisecond), holders)
			n.find(Finding{partSQL, waiter + " " + ProblemLockWait, evidence,
				"look for a hung process of that service with meridian status; its end releases the lock"})
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read who waits for a lock: %w", err)
	}
	n.fact(partSQL, "waiting for locks", count, "statements")
	return nil
}

func sizes(ctx context.Context, n *notes, conn *pgx.Conn) error {
	rows, err := conn.Query(ctx, `SELECT datname::text, pg_database_size(oid)::float8 FROM pg_database WHERE NOT datistemplate ORDER BY datname`)
	if err != nil {
		return fmt.Errorf("ask for the databases' sizes: %w", err)
	}
	var name string
	var bytes float64
	_, err = pgx.ForEachRow(rows, []any{&name, &bytes}, func() error {
		n.fact(partSQL, "size of "+name, bytes, "bytes")
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the databases' sizes: %w", err)
	}
	return nil
}
