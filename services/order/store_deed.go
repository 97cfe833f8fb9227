package order

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/sqldb"
	"github.com/meridian-store/meridian/replication/outbox"
)

// action is what someone asked to be done to an order, under a key that makes its repeats one.
type action struct {
	home, orderID string
	key           string
	// hash is of what was asked, by whatever name it was asked.
	hash []byte
	// may refuses whoever may not touch the order; nil lets everyone.
	may func(placed) error
	// ifMatch is the entity tag that the order has to have, "" for any.
	ifMatch string
	decide  func(author) (deed, error)
}

// acted is the answer to an action, the same for each of its repeats.
type acted struct {
	answer  []byte
	version int64
}

// Other deeds wait for the lock, so that each is decided on what the one before left. The lock comes first and in a statement of its
// own: a statement reads what was there when it began, and it may have to wait.
const (
	lockOrder    = `SELECT o.id FROM orders AS o WHERE o.crdb_region = $1 AND o.id = $2 FOR UPDATE`
	selectAction = `SELECT request_hash, answer, order_version FROM order_actions WHERE crdb_region = $1 AND order_id = $2 AND idempotency_key = $3`
	forgetOld    = `
		DELETE FROM order_actions WHERE crdb_region = $1 AND (order_id, idempotency_key) IN (
			SELECT order_id, idempotency_key FROM order_actions WHERE crdb_region = $1 AND created_at < $2 ORDER BY crdb_region, created_at LIMIT $3)`
)

// act does what is asked unless it was done before under its key: the rows, the tasks, the event and the answer in one transaction.
// It costs five round trips (begin, read, write, event, commit) and one commit, whatever the number of lines; a repeat costs three.
func (s *store) act(ctx context.Context, writer *outbox.Writer, wanted action, now time.Time) (acted, error) {
	var done acted
	run := func() error {
		return s.db.InTx(ctx, func(tx pgx.Tx) error {
			order, earlier, err := lockWhole(ctx, tx, wanted)
			if err != nil {
				return err
			}
			if wanted.may != nil {
				if err := wanted.may(order); err != nil {
					return err
				}
			}
			if earlier != nil {
				done = *earlier
				return nil
			}
			if wanted.ifMatch != "" && !matches(wanted.ifMatch, order) {
				return contract.Errorf(contract.CodeStale, "the order has changed since it was read")
			}
			as, err := authorOf(order.Order, now)
			if err != nil {
				return err
			}
			decided, err := wanted.decide(as)
			if err != nil {
				return err
			}
			answer, err := json.Marshal(decided.result)
			if err != nil {
				return fmt.Errorf("encode the answer: %w", err)
			}
			done = acted{answer: answer, version: order.version + 1}
			return s.write(ctx, tx, writer, wanted.home, order, decided, as.now, func(batch *pgx.Batch) {
				batch.Queue(`INSERT INTO order_actions (crdb_region, order_id, idempotency_key, request_hash, answer, order_version, created_at)
					VALUES ($1, $2, $3, $4, $5, $6, $7)`, wanted.home, order.ID, wanted.key, wanted.hash, answer, done.version, as.now)
			})
		})
	}
	err := run()
	if errors.Is(err, sqldb.ErrAmbiguousCommit) {
		err = run() // behind its key: what was committed is found
	}
	if err != nil {
		return acted{}, err
	}
	writer.Wake()
	return done, nil
}

// lockWhole locks an order and reads it, and what the action's key was used for: one round trip.
func lockWhole(ctx context.Context, tx pgx.Tx, wanted action) (order placed, earlier *acted, err error) {
	batch := &pgx.Batch{}
	batch.Queue(lockOrder, wanted.home, wanted.orderID)
	batch.Queue(selectWhole, wanted.home, wanted.orderID).QueryRow(func(row pgx.Row) error { return scanWhole(row, &order) })
	batch.Queue(selectAction, wanted.home, wanted.orderID, wanted.key).QueryRow(func(row pgx.Row) error {
		var found acted
		var hash []byte
		switch err := row.Scan(&hash, &found.answer, &found.version); {
		case errors.Is(err, pgx.ErrNoRows):
			return nil
		case err != nil:
			return err
		case subtle.ConstantTimeCompare(hash, wanted.hash) != 1:
			return errKeyReused()
		}
		earlier = &found
		return nil
	})
	err = tx.SendBatch(ctx, batch).Close()
	if errors.Is(err, pgx.ErrNoRows) {
		return placed{}, nil, errNoOrder()
	}
	return order, earlier, err
}

func errKeyReused() error {
	return contract.Errorf(contract.CodeKeyReused, "this %s was used for another request; take a new one", contract.HeaderIdempotencyKey)
}

// write keeps a deed: two round trips, and one more when an order that used promotions is cancelled as a whole.
func (s *store) write(ctx context.Context, tx pgx.Tx, writer *outbox.Writer, home string, order placed, d deed, at time.Time, more func(*pgx.Batch)) error {
	after := d.applied(order, at)
	if !mayBecome(order.Status, after.Status) {
		return fmt.Errorf("the order %s would go from %s to %s", order.ID, order.Status, after.Status)
	}
	if after.Status == contract.OrderStatusCancelled && len(order.Quote.Promotions) > 0 {
		if err := giveBackUses(ctx, tx, home, order.ID); err != nil {
			return err
		}
	}
	batch := &pgx.Batch{}
	batch.Queue(`UPDATE orders SET status = $3, version = $4, updated_at = $5 WHERE crdb_region = $1 AND id = $2`,
		home, order.ID, after.Status, after.version, after.UpdatedAt)
	if err := d.queue(batch, home, order); err != nil {
		return err
	}
	if more != nil {
		more(batch)
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("write what became of an order: %w", err)
	}
	if d.event == "" {
		return nil
	}
	change := after.change()
	change.Part = d.part
	if d.event == contract.OrderRefunded {
		change.Refunded = &d.refund.Amount
	}
	return writer.Append(ctx, tx, outbox.Draft{Topic: contract.TopicOrders, Type: d.event, Aggregate: order.ID, Version: after.version, Data: change})
}

// queue writes a deed's rows and its tasks.
func (d deed) queue(batch *pgx.Batch, home string, order placed) error {
	var failed error
	encode := func(value any) string {
		text, err := json.Marshal(value)
		failed = errors.Join(failed, err)
		return string(text)
	}
	if c := d.cancellation; c != nil {
		batch.Queue(`INSERT INTO order_cancellations (crdb_region, order_id, id, lines, reason, refund_id, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			home, order.ID, c.ID, encode(c.Lines), c.Reason, c.RefundID, c.CreatedAt)
	}
	if f := d.fulfilment; f != nil {
		batch.Queue(`INSERT INTO order_fulfilments (crdb_region, order_id, id, lines, tracking, created_at) VALUES ($1, $2, $3, $4, $5, $6)`,
			home, order.ID, f.ID, encode(f.Lines), encode(f.Tracking), f.CreatedAt)
	}
	if r := d.returned; r != nil {
		batch.Queue(`INSERT INTO order_returns (crdb_region, order_id, id, lines, state, reason, note, restocked, refund_id, created_at, updated_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
			ON CONFLICT (crdb_region, order_id, id) DO UPDATE SET state = excluded.state, note = excluded.note, restocked = excluded.restocked,
				refund_id = excluded.refund_id, updated_at = excluded.updated_at`,
			home, order.ID, r.ID, encode(r.Lines), r.State, r.Reason, r.Note, r.Restocked, r.RefundID, r.CreatedAt, r.UpdatedAt)
	}
	if r := d.refund; r != nil {
		batch.Queue(`INSERT INTO order_refunds (crdb_region, order_id, id, amount, currency, state, reason, created_at, updated_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
			ON CONFLICT (crdb_region, order_id, id) DO UPDATE SET state = excluded.state, reason = excluded.reason, updated_at = excluded.updated_at`,
			home, order.ID, r.ID, r.Amount.Amount, r.Amount.Currency, r.State, r.Reason, r.CreatedAt, r.UpdatedAt)
		if r.State == contract.RefundStatePending {
			queueTask(batch, home, order, task{id: r.ID, kind: taskRefund, request: encode(contract.RefundRequest{RefundID: r.ID, Amount: r.Amount})}, r.CreatedAt)
		}
	}
	if r := d.restock; r != nil {
		queueTask(batch, home, order, task{id: r.ReturnID, kind: taskRestock, request: encode(r)}, order.UpdatedAt)
	}
	return failed
}

// forgetActions drops answers from before a time; it says how many.
func (s *store) forgetActions(ctx context.Context, home string, before time.Time, limit int) (int64, error) {
	tag, err := s.db.Exec(ctx, forgetOld, home, before, limit)
	if err != nil {
		return 0, fmt.Errorf("forget old answers: %w", err)
	}
	return tag.RowsAffected(), nil
}
