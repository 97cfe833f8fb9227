package sqldb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/cockroachdb/cockroach-go/v2/crdb"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/meridian-store/meridian/kit/retry"
)

const (
	maxRetries   = 20
	firstBackoff = 4 * time.Millisecond
	maxBackoff   = 125 * time.Millisecond
)

// ErrAmbiguousCommit says that the connection was lost during COMMIT, so that nobody knows whether the transaction took effect.
// Only a caller behind an idempotency key may run it again.
var ErrAmbiguousCommit = errors.New("the commit's outcome is unknown")

// InTx runs fn in a transaction and commits it. On a serialization failure or a deadlock the whole of it runs again, with
// backoff, so fn must do nothing but SQL. Retrying from a savepoint, as crdbpgxv5 does, never succeeds on PostgreSQL, which
// keeps the old snapshot.
func (db *DB) InTx(ctx context.Context, fn func(tx pgx.Tx) error) error {
	attempt := 0
	var pauses *backoff.ExponentialBackOff // made by the first retry: most transactions need none
	return crdb.ExecuteCtx(crdb.WithMaxRetries(ctx, maxRetries), func(ctx context.Context, _ ...any) error {
		if attempt++; attempt > 1 {
			db.retries.Inc()
			if pauses == nil {
				pauses = retry.Backoff(firstBackoff, maxBackoff)
			}
			if err := retry.Pause(ctx, pauses.NextBackOff()); err != nil {
				return err
			}
		}
		return asRetryable(db.once(ctx, fn))
	})
}

func (db *DB) once(ctx context.Context, fn func(tx pgx.Tx) error) error {
	tx, err := db.pool.Begin(ctx)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if err := fn(tx); err != nil {
		// The rollback must reach the server even when the caller has gone, or its locks outlive it.
		if rollback := tx.Rollback(context.WithoutCancel(ctx)); rollback != nil && !errors.Is(rollback, pgx.ErrTxClosed) {
			return errors.Join(err, fmt.Errorf("roll back: %w", rollback))
		}
		return err
	}
	if err := tx.Commit(ctx); err != nil {
		if ambiguous(err) {
			return fmt.Errorf("%w: %w", ErrAmbiguousCommit, err)
		}
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// ambiguous tells a commit whose answer was lost from one that the server refused.
func ambiguous(err error) bool {
	pgErr, refused := AsPgError(err)
	if refused {
		return pgErr.Code == "40003"
	}
	return !errors.Is(err, pgx.ErrTxCommitRollback) && !errors.Is(err, pgx.ErrTxClosed)
}

// deadlock presents PostgreSQL's 40P01 as the serialization failure that it is, which crdb.ExecuteCtx retries.
type deadlock struct{ error }

func (deadlock) SQLState() string { return "40001" }
func (d deadlock) Unwrap() error  { return d.error }

func asRetryable(err error) error {
	if pgErr, ok := AsPgError(err); ok && pgErr.Code == "40P01" {
		return deadlock{err}
	}
	return err
}

// AsPgError finds the server's own error in a chain.
func AsPgError(err error) (*pgconn.PgError, bool) {
	var pgErr *pgconn.PgError
	ok := errors.As(err, &pgErr)
	return pgErr, ok
}

// IsUniqueViolation says whether the server refused a row because another has its key; constraint "" matches any.
func IsUniqueViolation(err error, constraint string) bool {
	pgErr, ok := AsPgError(err)
	return ok && pgErr.Code == "23505" && (constraint == "" || pgErr.ConstraintName == constraint)
}
