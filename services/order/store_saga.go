package order

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/replication/outbox"
)

// errFenced says that a saga belongs to another holder by now, or has ended: whoever gets it stops and changes nothing more.
var errFenced = errors.New("the saga belongs to another holder, or has ended")

const (
	sagaColumns = `id, cart_id, order_id, direction, epoch, payment_token, EXTRACT(EPOCH FROM deadline - now())::FLOAT8`

	// The lease is judged twice: PostgreSQL looks at a row again only after it has waited for another claimant's lock.
	claimExpired = `
		UPDATE sagas SET epoch = epoch + 1, lease_holder = $2, lease_until = now() + $3::FLOAT8 * INTERVAL '1 second'
		WHERE crdb_region = $1 AND state = 'running' AND lease_until < now() - $5::FLOAT8 * INTERVAL '1 second' AND id IN (
			SELECT id FROM sagas WHERE crdb_region = $1 AND state = 'running' AND lease_until < now() - $5::FLOAT8 * INTERVAL '1 second'
			ORDER BY crdb_region, lease_until LIMIT $4)
		RETURNING ` + sagaColumns
	claimSaga = `
		UPDATE sagas SET epoch = epoch + 1, lease_holder = $3, lease_until = now() + $4::FLOAT8 * INTERVAL '1 second'
		WHERE crdb_region = $1 AND id = $2 AND state = 'running' AND lease_until < now()
		RETURNING ` + sagaColumns
	forgetEnded = `
		WITH gone AS (
			DELETE FROM sagas WHERE crdb_region = $1 AND id IN (
				SELECT id FROM sagas WHERE crdb_region = $1 AND state <> 'running' AND finished_at < $2
				ORDER BY crdb_region, finished_at LIMIT $3)
			RETURNING order_id
		)
		UPDATE orders AS o SET answer_status = 0, answer_body = ''::BYTEA FROM gone WHERE o.crdb_region = $1 AND o.id = gone.order_id`
)

// claim takes on running sagas of a region whose lease has been over for a grace period, the longest waiting first. Each epoch
// rises by one.
func (s *store) claim(ctx context.Context, home string, grace time.Duration, holder string, lease time.Duration, limit int) ([]saga, error) {
	rows, err := s.db.Query(ctx, claimExpired, home, holder, lease.Seconds(), limit, grace.Seconds())
	return collectSagas(home, rows, err)
}

// claimOne takes on one saga if its lease is over; none when it is not.
func (s *store) claimOne(ctx context.Context, home, id, holder string, lease time.Duration) ([]saga, error) {
	rows, err := s.db.Query(ctx, claimSaga, home, id, holder, lease.Seconds())
	return collectSagas(home, rows, err)
}

func collectSagas(home string, rows pgx.Rows, err error) ([]saga, error) {
	if err != nil {
		return nil, fmt.Errorf("take sagas on: %w", err)
	}
	sagas, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (saga, error) {
		taken := saga{home: home}
		var left float64
		err := row.Scan(&taken.id, &taken.cartID, &taken.orderID, &taken.direction, &taken.epoch, &taken.token, &left)
		taken.left = time.Duration(left * float64(time.Second))
		return taken, err
	})
	if err != nil {
		return nil, fmt.Errorf("take sagas on: %w", err)
	}
	return sagas, nil
}

// abandoned says whether a saga runs and nobody holds it.
func (s *store) abandoned(ctx context.Context, home, id string) (bool, error) {
	var abandoned bool
	err := s.db.QueryRow(ctx, `SELECT state = 'running' AND lease_until < now() FROM sagas WHERE crdb_region = $1 AND id = $2`, home, id).Scan(&abandoned)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return false, fmt.Errorf("look at a saga: %w", err)
	}
	return abandoned, nil
}

// ended says whether a saga has ended in an epoch: what is known of a commit whose answer was lost.
func (s *store) ended(ctx context.Context, held saga) (bool, error) {
	var ended bool
	err := s.db.QueryRow(ctx, `SELECT state <> 'running' AND epoch = $3 FROM sagas WHERE crdb_region = $1 AND id = $2`, held.home, held.id, held.epoch).Scan(&ended)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return false, fmt.Errorf("look at a saga: %w", err)
	}
	return ended, nil
}

// renew keeps the lease for another while and writes what has happened meanwhile.
func (s *store) renew(ctx context.Context, held saga, lease time.Duration, step Step, first int, log []entry) error {
	steps, outcomes, times := columnsOf(log)
	var rows int64
	err := s.db.QueryRow(ctx, `
		WITH held AS (
			UPDATE sagas SET step = $4, lease_until = now() + $5::FLOAT8 * INTERVAL '1 second'
			WHERE crdb_region = $1 AND id = $2 AND epoch = $3 AND state = 'running' RETURNING id
		), logged AS (`+insertSteps+`)
		SELECT count(*) FROM held`,
		held.home, held.id, held.epoch, step, lease.Seconds(), first, steps, outcomes, times).Scan(&rows)
	return fenced("renew the lease", rows, err)
}

// insertSteps writes log entries numbered from $6 where the statement's `held` is not empty. A write whose answer was lost is
// made again, so what is there already stays.
const insertSteps = `
	INSERT INTO saga_steps (crdb_region, saga_id, epoch, seq, step, outcome, at)
	SELECT $1, $2, $3, $6::INT8 + e.n, e.step, e.outcome, e.at
	FROM held, unnest($7::TEXT[], $8::TEXT[], $9::TIMESTAMPTZ[]) WITH ORDINALITY AS e(step, outcome, at, n)
	ON CONFLICT (crdb_region, saga_id, epoch, seq) DO NOTHING
	RETURNING seq`

func columnsOf(log []entry) (steps, outcomes []string, times []time.Time) {
	for _, e := range log {
		steps, outcomes, times = append(steps, string(e.step)), append(outcomes, e.outcome), append(times, e.at)
	}
	return steps, outcomes, times
}

func fenced(what string, rows int64, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if rows == 0 {
		return fmt.Errorf("%s: %w", what, errFenced)
	}
	return nil
}

// yield ends the lease at once, so that another goes on without waiting for it.
func (s *store) yield(ctx context.Context, held saga) error {
	_, err := s.db.Exec(ctx, `UPDATE sagas SET lease_until = now() - INTERVAL '1 second'
		WHERE crdb_region = $1 AND id = $2 AND epoch = $3 AND state = 'running'`, held.home, held.id, held.epoch)
	if err != nil {
		return fmt.Errorf("give the lease up: %w", err)
	}
	return nil
}

// turn commits that a saga gives back, for which reason and with which answer: one round trip, one commit.
func (s *store) turn(ctx context.Context, held saga, reason string, final answer, at time.Time, first int, log []entry) error {
	steps, outcomes, times := columnsOf(log)
	tag, err := s.db.Exec(ctx, `
		WITH held AS (
			UPDATE sagas SET direction = 'compensate', step = 'void', lease_until = now() + $4::FLOAT8 * INTERVAL '1 second'
			WHERE crdb_region = $1 AND id = $2 AND epoch = $3 AND state = 'running' RETURNING order_id
		), logged AS (`+insertSteps+`)
		UPDATE orders AS o SET reason = $5, answer_status = $10, answer_body = $11, updated_at = $12
		FROM held WHERE o.crdb_region = $1 AND o.id = held.order_id`,
		held.home, held.id, held.epoch, s.lease.Seconds(), reason, first, steps, outcomes, times, final.status, final.body, at)
	return fenced("turn the saga", tag.RowsAffected(), err)
}

// ending is how a saga and its order end.
type ending struct {
	state string
	order placed
	event outbox.Draft
}

// finish ends a saga: the order's last state, the final answer and the event in one transaction; the payment token is wiped,
// and what a failed order used of promotions is given back.
func (s *store) finish(ctx context.Context, held saga, end ending, writer *outbox.Writer, first int, log []entry) error {
	steps, outcomes, times := columnsOf(log)
	direction, giveBack := forward, ""
	if end.state == stateFailed {
		direction, giveBack = compensate, givingBack
	}
	err := s.db.InTx(ctx, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `
			WITH held AS (
				UPDATE sagas SET state = $4, direction = $5, step = 'end', payment_token = '', lease_until = now(), finished_at = $10
				WHERE crdb_region = $1 AND id = $2 AND epoch = $3 AND state = 'running' AND (direction = $5 OR direction = 'forward')
				RETURNING order_id
			), logged AS (`+insertSteps+`)`+giveBack+`
			UPDATE orders AS o SET status = $11, reason = $12, version = $13, payment_id = $14, answer_status = $15, answer_body = $16, updated_at = $10
			FROM held WHERE o.crdb_region = $1 AND o.id = held.order_id`,
			held.home, held.id, held.epoch, end.state, direction, first, steps, outcomes, times, end.order.UpdatedAt,
			end.order.Status, end.order.Reason, end.order.version, end.order.PaymentID, end.order.answer.status, end.order.answer.body)
		if err := fenced("end the saga", tag.RowsAffected(), err); err != nil {
			return err
		}
		return writer.Append(ctx, tx, end.event)
	})
	if err != nil {
		return fmt.Errorf("end the saga: %w", err)
	}
	return nil
}

// forget drops keys whose saga ended before a time, and the answers kept for them; it says how many.
func (s *store) forget(ctx context.Context, home string, before time.Time, limit int) (int64, error) {
	tag, err := s.db.Exec(ctx, forgetEnded, home, before, limit)
	if err != nil {
		return 0, fmt.Errorf("forget old keys: %w", err)
	}
	return tag.RowsAffected(), nil
}
