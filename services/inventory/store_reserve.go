package inventory

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/sqldb"
	"github.com/meridian-store/meridian/replication/outbox"
)

var (
	// errTaken says that some of the stock went to another between the plan and the hold; nothing is held.
	errTaken = errors.New("the stock was taken meanwhile")
	// errKnown says that the saga has a row already; nothing was changed.
	errKnown = errors.New("the saga has a reservation already")
)

// holdSeen decides a plan from stock that nobody holds still, and holds what it takes: one read, begin, one batch, commit. All
// or nothing; a plan that creates nothing needs no transaction.
func (s *store) holdSeen(ctx context.Context, p *plan) error {
	var batch pgx.Batch
	var buckets []bucket
	batch.Queue(readBuckets, s.regions, p.skus()).Query(collectBuckets(&buckets))
	known := s.queueKnown(&batch, p.asks)
	if err := s.db.SendBatch(ctx, &batch).Close(); err != nil {
		return fmt.Errorf("read stock: %w", err)
	}
	if p.make(known, buckets); len(p.holds) == 0 {
		return nil
	}
	return s.holding(ctx, func(tx pgx.Tx) error { return s.holdIn(ctx, tx, p.holds) })
}

// holdLocked decides from stock that nobody else can change meanwhile, so that its answers are final.
func (s *store) holdLocked(ctx context.Context, p *plan) error {
	return s.holding(ctx, func(tx pgx.Tx) error {
		var batch pgx.Batch
		var buckets []bucket
		s.lockStock(&batch, p.skus(), &buckets)
		known := s.queueKnown(&batch, p.asks)
		if err := tx.SendBatch(ctx, &batch).Close(); err != nil {
			return fmt.Errorf("lock stock: %w", err)
		}
		if p.make(known, buckets); len(p.holds) == 0 {
			return nil
		}
		return s.holdIn(ctx, tx, p.holds)
	})
}

// queueKnown adds to a batch the reading of the rows that the asks' sagas have already.
func (s *store) queueKnown(batch *pgx.Batch, asks []ask) map[string]reservation {
	known := map[string]reservation{}
	homes := map[string]bool{}
	var regions, sagas []string
	for _, a := range asks {
		sagas = append(sagas, a.saga)
		if !homes[a.region] {
			homes[a.region] = true
			regions = append(regions, a.region)
		}
	}
	batch.Queue(readReservations, regions, sagas).Query(func(rows pgx.Rows) error {
		found, err := pgx.CollectRows(rows, scanReservation)
		for _, r := range found {
			known[r.SagaID] = r
		}
		return err
	})
	return known
}

func (s *store) holding(ctx context.Context, fn func(pgx.Tx) error) error {
	if err := s.db.InTx(ctx, fn); err != nil {
		return err
	}
	s.writer.Wake()
	return nil
}

// holdIn records reservations and takes their units: one batch, the events among it.
func (s *store) holdIn(ctx context.Context, tx pgx.Tx, holds []reservation) error {
	slices.SortFunc(holds, func(a, b reservation) int {
		return cmp.Or(cmp.Compare(a.region, b.region), cmp.Compare(a.SagaID, b.SagaID))
	})
	rows, err := reservationColumns(holds)
	if err != nil {
		return err
	}
	var batch pgx.Batch
	var made, taken int64
	batch.Queue(`
		INSERT INTO reservations (crdb_region, saga_id, state, request_hash, allocations, expires_at, version, created_at, updated_at)
		SELECT r::crdb_internal_region, g, 'held', h, a::JSONB, e, 1, $6, $6
		FROM unnest($1::TEXT[], $2::TEXT[], $3::TEXT[], $4::TEXT[], $5::TIMESTAMPTZ[]) AS u(r, g, h, a, e)
		ON CONFLICT (crdb_region, saga_id) DO NOTHING`, append(rows, s.now())...).Exec(affected(&made))
	units := summed(holds)
	batch.Queue(`
		WITH `+asked+`, `+locked+`
		UPDATE stock AS s SET reserved = s.reserved + l.quantity, version = s.version + 1
		FROM locked AS l WHERE `+sameBucket+` AND s.on_hand - s.reserved >= l.quantity`, units.args()...).Exec(affected(&taken))
	var lines columns
	var sagas []string
	var drafts []outbox.Draft
	for _, r := range holds {
		for _, t := range r.takings {
			lines.add(t.Region, t.SKU, t.Warehouse, t.Bucket, t.Quantity)
			sagas = append(sagas, r.SagaID)
		}
		drafts = append(drafts, draftOf(contract.InventoryReserved, r))
	}
	batch.Queue(`
		INSERT INTO reservation_lines (crdb_region, saga_id, sku, warehouse, bucket, quantity)
		SELECT r::crdb_internal_region, g, k, w, b, q
		FROM unnest($1::TEXT[], $2::TEXT[], $3::TEXT[], $4::INT8[], $5::INT8[], $6::TEXT[]) AS u(r, k, w, b, q, g)
		ON CONFLICT (crdb_region, saga_id, sku, warehouse, bucket) DO NOTHING`, lines.args(sagas)...)
	if err := s.writer.Queue(ctx, &batch, drafts...); err != nil {
		return err
	}
	err = tx.SendBatch(ctx, &batch).Close()
	switch {
	case sqldb.IsUniqueViolation(err, "outbox_pkey"), err == nil && made != int64(len(holds)):
		return errKnown
	case err != nil:
		return fmt.Errorf("hold stock: %w", err)
	case taken != int64(len(units.skus)):
		return errTaken
	}
	return nil
}

func reservationColumns(holds []reservation) ([]any, error) {
	var regions, sagas, hashes, allocations []string
	var expiries []time.Time
	for _, r := range holds {
		taken, err := json.Marshal(r.takings)
		if err != nil {
			return nil, fmt.Errorf("encode allocations: %w", err)
		}
		regions, sagas, hashes = append(regions, r.region), append(sagas, r.SagaID), append(hashes, r.requestHash)
		allocations, expiries = append(allocations, string(taken)), append(expiries, r.ExpiresAt)
	}
	return []any{regions, sagas, hashes, allocations, expiries}, nil
}

const readReservations = `
	SELECT crdb_region, saga_id, state, request_hash, allocations, expires_at, version FROM reservations
	WHERE crdb_region = ANY($1) AND saga_id = ANY($2)`

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
	if err := json.Unmarshal(allocations, &r.takings); err != nil {
		return reservation{}, fmt.Errorf("decode the allocations of %s: %w", r.SagaID, err)
	}
	r.Allocations = merged(r.takings)
	return r, nil
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
