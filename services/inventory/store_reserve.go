package inventory

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/services/contract"
	"github.com/meridian-store/meridian/services/kit/sqldb"
)

var (
	// errTaken says that some of the stock went to another between the plan and the hold; nothing is held.
	errTaken = errors.New("the stock was taken meanwhile")
	// errKnown says that the saga has a row already; nothing was changed.
	errKnown = errors.New("the saga has a reservation already")
)

// hold takes what the plan says and records it: begin, one batch, the event, commit. All or nothing.
func (s *store) hold(ctx context.Context, planned reservation) error {
	return s.holding(ctx, func(tx pgx.Tx) error { return s.holdIn(ctx, tx, planned) })
}

// holdLocked makes the plan from stock that nobody else can change meanwhile, so that its answer is final.
func (s *store) holdLocked(ctx context.Context, skus []string, plan func([]contract.StockLevel) (reservation, error)) (planned reservation, err error) {
	err = s.holding(ctx, func(tx pgx.Tx) error {
		levels, err := s.lockedLevels(ctx, tx, skus)
		if err != nil {
			return err
		}
		if planned, err = plan(levels); err != nil {
			return err
		}
		return s.holdIn(ctx, tx, planned)
	})
	return planned, err
}

func (s *store) holding(ctx context.Context, fn func(pgx.Tx) error) error {
	err := s.db.InTx(ctx, fn)
	if sqldb.IsUniqueViolation(err, "reservations_pkey") {
		return errKnown
	}
	if err != nil {
		return err
	}
	s.writer.Wake()
	return nil
}

func (s *store) holdIn(ctx context.Context, tx pgx.Tx, planned reservation) error {
	allocations, err := json.Marshal(planned.Allocations)
	if err != nil {
		return fmt.Errorf("encode allocations: %w", err)
	}
	regions, skus, warehouses, quantities := shelves(planned.Allocations)
	var batch pgx.Batch
	batch.Queue(`
		INSERT INTO reservations (crdb_region, saga_id, state, request_hash, allocations, expires_at, version, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)`,
		planned.region, planned.SagaID, planned.State, planned.requestHash, string(allocations), planned.ExpiresAt, planned.version, s.now())
	var taken int64
	batch.Queue(`
		WITH `+asked+`, `+locked+`
		UPDATE stock AS s SET reserved = s.reserved + l.quantity, version = s.version + 1
		FROM locked AS l WHERE `+sameShelf+` AND s.on_hand - s.reserved >= l.quantity`,
		regions, skus, warehouses, quantities).Exec(affected(&taken))
	batch.Queue(`
		WITH `+asked+`
		INSERT INTO reservation_lines (crdb_region, saga_id, sku, warehouse, quantity)
		SELECT region, $5, sku, warehouse, quantity FROM asked`,
		regions, skus, warehouses, quantities, planned.SagaID)
	if err := tx.SendBatch(ctx, &batch).Close(); err != nil {
		return fmt.Errorf("hold stock: %w", err)
	}
	if taken != int64(len(planned.Allocations)) {
		return errTaken
	}
	return s.writer.Append(ctx, tx, draftOf(contract.InventoryReserved, planned))
}

const readReservation = `
	SELECT crdb_region, saga_id, state, request_hash, allocations, expires_at, version FROM reservations
	WHERE crdb_region = $1 AND saga_id = $2`

// find reads a saga's row; false when it has none. One round trip in the saga's home.
func (s *store) find(ctx context.Context, region, sagaID string) (reservation, bool, error) {
	return readOne(ctx, s.db, readReservation, region, sagaID)
}

func readOne(ctx context.Context, from querier, query, region, sagaID string) (reservation, bool, error) {
	rows, err := from.Query(ctx, query, region, sagaID)
	if err != nil {
		return reservation{}, false, fmt.Errorf("read the reservation of %s: %w", sagaID, err)
	}
	found, err := pgx.CollectExactlyOneRow(rows, scanReservation)
	if errors.Is(err, pgx.ErrNoRows) {
		return reservation{}, false, nil
	}
	if err != nil {
		return reservation{}, false, fmt.Errorf("read the reservation of %s: %w", sagaID, err)
	}
	return found, true, nil
}

func scanReservation(row pgx.CollectableRow) (reservation, error) {
	var r reservation
	var allocations []byte
	err := row.Scan(&r.region, &r.SagaID, &r.State, &r.requestHash, &allocations, &r.ExpiresAt, &r.version)
	if err != nil {
		return reservation{}, err
	}
	r.ExpiresAt = r.ExpiresAt.UTC()
	return r, json.Unmarshal(allocations, &r.Allocations)
}

// expired gives holds of some regions that ran out before a time, oldest first.
func (s *store) expired(ctx context.Context, regions []string, before time.Time, limit int) ([]reservation, error) {
	rows, err := s.db.Query(ctx, `
		SELECT crdb_region, saga_id, state, request_hash, allocations, expires_at, version FROM reservations
		WHERE crdb_region = ANY($1) AND state = 'held' AND expires_at <= $2
		ORDER BY expires_at LIMIT $3`, regions, before, limit)
	if err != nil {
		return nil, fmt.Errorf("read expired holds: %w", err)
	}
	found, err := pgx.CollectRows(rows, scanReservation)
	if err != nil {
		return nil, fmt.Errorf("read expired holds: %w", err)
	}
	return found, nil
}

// extend lets a hold last until a time, if it is still one.
func (s *store) extend(ctx context.Context, r reservation, until time.Time) error {
	_, err := s.db.Exec(ctx, `
		UPDATE reservations SET expires_at = $3, updated_at = $4
		WHERE crdb_region = $1 AND saga_id = $2 AND state = 'held'`, r.region, r.SagaID, until, s.now())
	if err != nil {
		return fmt.Errorf("extend the hold of %s: %w", r.SagaID, err)
	}
	return nil
}
