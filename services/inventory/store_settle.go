package inventory

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/telemetry"
)

// release ends a hold and gives its stock back: begin, lock, one batch, commit. A saga without a row gets a
// tombstone. changed is false when there was nothing to give back. A sold reservation stays and comes back as it is.
func (s *store) release(ctx context.Context, region, sagaID string) (r reservation, changed bool, err error) {
	err = s.db.InTx(ctx, func(tx pgx.Tx) error {
		// Writing the row that is there already locks it, so that one statement serves both cases.
		changed = false
		rows, err := tx.Query(ctx, `
			INSERT INTO reservations AS r (crdb_region, saga_id, state, request_hash, allocations, expires_at, version, created_at, updated_at)
			VALUES ($1, $2, 'released', '', '[]', $3, 1, $3, $3)
			ON CONFLICT (crdb_region, saga_id) DO UPDATE SET saga_id = r.saga_id
			RETURNING r.crdb_region, r.saga_id, r.state, r.request_hash, r.allocations, r.expires_at, r.version`, region, sagaID, s.now())
		if err != nil {
			return fmt.Errorf("lock the reservation of %s: %w", sagaID, err)
		}
		if r, err = pgx.CollectExactlyOneRow(rows, scanReservation); err != nil {
			return fmt.Errorf("lock the reservation of %s: %w", sagaID, err)
		}
		if r.State != contract.ReservationHeld {
			return nil
		}
		changed = true
		return s.settleIn(ctx, tx, &r, contract.ReservationReleased)
	})
	if err != nil {
		return reservation{}, false, err
	}
	s.writer.Wake()
	return r, changed, nil
}

// sell turns a hold into a sale: the same four round trips. found is false for a saga that has no row; a reservation that is
// not held comes back as it is.
func (s *store) sell(ctx context.Context, region, sagaID string) (r reservation, found, changed bool, err error) {
	err = s.db.InTx(ctx, func(tx pgx.Tx) error {
		var err error
		changed = false
		if r, found, err = readOne(ctx, tx, readReservation+` FOR UPDATE`, region, sagaID); err != nil || r.State != contract.ReservationHeld {
			return err
		}
		changed = true
		return s.settleIn(ctx, tx, &r, contract.ReservationSold)
	})
	if err != nil {
		return reservation{}, false, false, err
	}
	s.writer.Wake()
	return r, found, changed, nil
}

// settleIn moves a locked hold to its last state, with all that follows from it, in one batch.
func (s *store) settleIn(ctx context.Context, tx pgx.Tx, r *reservation, state string) error {
	r.State, r.version, r.trace = state, r.version+1, telemetry.TraceParent(ctx)
	units := summed([]reservation{*r})
	sold := state == contract.ReservationSold
	var lines, rows int64
	var batch pgx.Batch
	batch.Queue(`
		UPDATE reservations SET state = $3, version = $4, updated_at = $5 WHERE crdb_region = $1 AND saga_id = $2`,
		r.region, r.SagaID, r.State, r.version, s.now())
	batch.Queue(`
		WITH `+asked+`, `+locked+`
		UPDATE stock AS s SET reserved = s.reserved - l.quantity, version = s.version + 1,
			on_hand = s.on_hand - CASE WHEN $6::BOOL THEN l.quantity ELSE 0 END
		FROM locked AS l WHERE `+sameBucket, units.args(sold)...).Exec(affected(&rows))
	batch.Queue(`DELETE FROM reservation_lines WHERE crdb_region = ANY($1) AND saga_id = $2`, units.regions, r.SagaID).Exec(affected(&lines))
	eventType := contract.InventoryReleased
	if sold {
		eventType = contract.InventorySold
		s.queueSagaMovements(&batch, r.Allocations, -1, movementSold, r.SagaID)
	}
	if err := s.writer.Queue(ctx, &batch, draftOf(eventType, *r)); err != nil {
		return err
	}
	if err := tx.SendBatch(ctx, &batch).Close(); err != nil {
		return fmt.Errorf("settle the reservation of %s: %w", r.SagaID, err)
	}
	if want := int64(len(r.takings)); lines != want || rows != want {
		return fmt.Errorf("the reservation of %s takes from %d buckets, but has %d lines and %d stock rows", r.SagaID, want, lines, rows)
	}
	return nil
}

// queueSagaMovements adds what a saga moves to a batch: one entry for each shelf, whatever the buckets.
func (s *store) queueSagaMovements(batch *pgx.Batch, allocations []contract.Allocation, sign int64, kind, reference string) {
	var rows columns
	for _, a := range allocations {
		rows.add(a.Region, a.SKU, a.Warehouse, 0, sign*a.Quantity)
	}
	n := len(allocations)
	queueMovements(batch, rows, slices.Repeat([]string{kind}, n), slices.Repeat([]string{reference}, n), make([]string, n), s.now())
}

// affected keeps the number of rows that a statement of a batch changed.
func affected(into *int64) func(pgconn.CommandTag) error {
	return func(tag pgconn.CommandTag) error {
		*into = tag.RowsAffected()
		return nil
	}
}
