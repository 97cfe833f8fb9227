package inventory

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/sqldb"
	"github.com/meridian-store/meridian/kit/telemetry"
)

const readReturns = `SELECT return_id, request_hash, allocations FROM returns WHERE crdb_region = $1 AND saga_id = $2`

// takeBack applies a return: begin, lock and read, one batch, commit; a hold that was not sold yet is sold in the same transaction
// by one batch more. sold tells that, and back is what came back, nothing for a return that was applied before.
func (s *store) takeBack(ctx context.Context, region, sagaID string, c comeBack) (r reservation, sold bool, back []contract.Allocation, err error) {
	err = s.db.InTx(ctx, func(tx pgx.Tx) error {
		sold, back = false, nil
		var known bool
		var before []contract.Allocation
		if r, before, known, err = s.lockSale(ctx, tx, region, sagaID, c); err != nil || known {
			return err
		}
		if back, err = c.allot(r.Allocations, before); err != nil {
			return err
		}
		if sold = r.State == contract.ReservationHeld; sold {
			if err := s.settleIn(ctx, tx, &r, contract.ReservationSold); err != nil {
				return err
			}
		}
		return s.putBack(ctx, tx, &r, c, back)
	})
	if sqldb.IsUniqueViolation(err, "movements_pkey") {
		return reservation{}, false, nil, contract.Errorf(contract.CodeConflict, "the return %s was applied to another saga's sale", c.id)
	}
	if err != nil {
		return reservation{}, false, nil, err
	}
	s.writer.Wake()
	return r, sold, back, nil
}

// lockSale locks a saga's row and reads what came back before. known is true when this return did.
func (s *store) lockSale(ctx context.Context, tx pgx.Tx, region, sagaID string, c comeBack) (r reservation, before []contract.Allocation, known bool, err error) {
	var found []reservation
	reused := false
	var batch pgx.Batch
	batch.Queue(readReservation+` FOR UPDATE`, region, sagaID).Query(func(rows pgx.Rows) (err error) {
		found, err = pgx.CollectRows(rows, scanReservation)
		return err
	})
	batch.Queue(readReturns, region, sagaID).Query(func(rows pgx.Rows) error {
		var id, hash string
		var allocations []byte
		_, err := pgx.ForEachRow(rows, []any{&id, &hash, &allocations}, func() error {
			known = known || id == c.id
			reused = reused || id == c.id && hash != c.hash
			var part []contract.Allocation
			err := json.Unmarshal(allocations, &part)
			before = append(before, part...)
			return err
		})
		return err
	})
	if err := tx.SendBatch(ctx, &batch).Close(); err != nil {
		return reservation{}, nil, false, fmt.Errorf("lock the sale of %s: %w", sagaID, err)
	}
	switch {
	case len(found) == 0:
		return reservation{}, nil, false, contract.Errorf(contract.CodeNotFound, "%s has no reservation", sagaID)
	case found[0].State == contract.ReservationReleased:
		return reservation{}, nil, false, contract.Errorf(contract.CodeConflict, "the reservation of %s was released, so nothing of it can come back", sagaID)
	case reused:
		return reservation{}, nil, false, contract.Errorf(contract.CodeConflict, "the return %s was applied with other lines", c.id)
	}
	return found[0], before, known, nil
}

// putBack writes the return, its units, its movements and its event.
func (s *store) putBack(ctx context.Context, tx pgx.Tx, r *reservation, c comeBack, back []contract.Allocation) error {
	allocations, err := json.Marshal(back)
	if err != nil {
		return fmt.Errorf("encode what comes back: %w", err)
	}
	r.version++
	var rows columns
	for _, a := range back {
		rows.add(a.Region, a.SKU, a.Warehouse, 0, a.Quantity)
	}
	var put int64
	var batch pgx.Batch
	batch.Queue(`
		INSERT INTO returns (crdb_region, saga_id, return_id, request_hash, allocations, at) VALUES ($1, $2, $3, $4, $5, $6)`,
		r.region, r.SagaID, c.id, c.hash, string(allocations), s.now())
	batch.Queue(`UPDATE reservations SET version = $3, updated_at = $4 WHERE crdb_region = $1 AND saga_id = $2`, r.region, r.SagaID, r.version, s.now())
	batch.Queue(`
		WITH `+asked+`, `+locked+`
		UPDATE stock AS s SET on_hand = s.on_hand + l.quantity, version = s.version + 1
		FROM locked AS l WHERE `+sameBucket, rows.args()...).Exec(affected(&put))
	s.queueSagaMovements(&batch, back, 1, movementReturned, c.id)
	event := *r
	event.Allocations, event.trace = back, telemetry.TraceParent(ctx)
	if err := s.writer.Queue(ctx, &batch, draftOf(contract.InventoryReturned, event)); err != nil {
		return err
	}
	if err := tx.SendBatch(ctx, &batch).Close(); err != nil {
		return fmt.Errorf("put back what %s returns: %w", r.SagaID, err)
	}
	if put != int64(len(back)) {
		return fmt.Errorf("%d of the %d shelves that %s returns to are gone", int64(len(back))-put, len(back), r.SagaID)
	}
	return nil
}
