package order

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/replication/outbox"
)

// takeDue moves due tasks to the end of their lease, so that nobody else takes them meanwhile.
const takeDue = `
	UPDATE order_tasks SET due_at = $3, attempts = attempts + 1
	WHERE crdb_region = ANY($1) AND due_at <= $2 AND id IN (
		SELECT id FROM order_tasks WHERE crdb_region = ANY($1) AND due_at <= $2 ORDER BY due_at LIMIT $4)
	RETURNING crdb_region, id, order_id, saga_id, kind, request::TEXT, attempts`

func queueTask(batch *pgx.Batch, home string, order placed, t task, due time.Time) {
	batch.Queue(`INSERT INTO order_tasks (crdb_region, id, order_id, saga_id, kind, request, attempts, due_at, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $7)`, home, t.id, order.ID, order.sagaID, t.kind, t.request, due)
}

// takeTasks takes tasks of some regions that were due before a time: one round trip, one commit.
func (s *store) takeTasks(ctx context.Context, regions []string, before, until time.Time, limit int) ([]task, error) {
	rows, err := s.db.Query(ctx, takeDue, regions, before, until, limit)
	if err != nil {
		return nil, fmt.Errorf("take tasks: %w", err)
	}
	taken, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (task, error) {
		var t task
		err := row.Scan(&t.home, &t.id, &t.orderID, &t.sagaID, &t.kind, &t.request, &t.attempts)
		return t, err
	})
	if err != nil {
		return nil, fmt.Errorf("take tasks: %w", err)
	}
	return taken, nil
}

func (s *store) postponeTask(ctx context.Context, t task, due time.Time) error {
	if _, err := s.db.Exec(ctx, `UPDATE order_tasks SET due_at = $3 WHERE crdb_region = $1 AND id = $2`, t.home, t.id, due); err != nil {
		return fmt.Errorf("postpone a task: %w", err)
	}
	return nil
}

const deleteTask = `DELETE FROM order_tasks WHERE crdb_region = $1 AND id = $2`

func (s *store) endTask(ctx context.Context, t task) error {
	if _, err := s.db.Exec(ctx, deleteTask, t.home, t.id); err != nil {
		return fmt.Errorf("end a task: %w", err)
	}
	return nil
}

// settleRefund keeps payment's word on a refund and ends its task in one transaction. A repeat changes nothing more.
func (s *store) settleRefund(ctx context.Context, writer *outbox.Writer, t task, state, why string, now time.Time) error {
	err := s.db.InTx(ctx, func(tx pgx.Tx) error {
		order, _, err := lockWhole(ctx, tx, action{home: t.home, orderID: t.orderID})
		if err != nil {
			return err
		}
		as, err := authorOf(order.Order, now)
		if err != nil {
			return err
		}
		settled, changed := as.settleRefund(t.id, state, why)
		if !changed {
			_, err := tx.Exec(ctx, deleteTask, t.home, t.id)
			return err
		}
		return s.write(ctx, tx, writer, t.home, order, settled, as.now, func(batch *pgx.Batch) { batch.Queue(deleteTask, t.home, t.id) })
	})
	if err != nil {
		return fmt.Errorf("settle a refund: %w", err)
	}
	writer.Wake()
	return nil
}
