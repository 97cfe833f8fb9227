package main

import (
	"context"
	"fmt"
	"os"
	"time"
)

const (
	// A second at least: PostgreSQL's own counts lag by as much.
	settleWindow = 1200 * time.Millisecond
	settleLimit  = 20 * time.Second
)

// settle waits until what the orders left behind has been done: events on their way, reservations that become sales. A baseline
// that ran beside that would look slower than it is.
func (w *world) settle(ctx context.Context) error {
	for begun := time.Now(); time.Since(begun) < settleLimit; {
		now, err := w.commitsPerSecond(ctx)
		if err != nil {
			return err
		}
		if now <= 1.5*w.idle+20 {
			return nil
		}
	}
	fmt.Fprintf(os.Stderr, "The shop had not settled after %s; the turn that follows is measured beside its work.\n", settleLimit)
	return nil
}

// commitsPerSecond watches the whole SQL server for a while.
func (w *world) commitsPerSecond(ctx context.Context) (float64, error) {
	count := func() (commits int64, err error) {
		err = w.watch.QueryRow(ctx, "SELECT sum(xact_commit)::INT8 FROM pg_stat_database").Scan(&commits)
		if err != nil {
			return 0, fmt.Errorf("count the SQL server's transactions: %w", err)
		}
		return commits, nil
	}
	before, err := count()
	if err != nil {
		return 0, err
	}
	begun := time.Now()
	select {
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-time.After(settleWindow):
	}
	after, err := count()
	return float64(after-before) / time.Since(begun).Seconds(), err
}
