package inventory

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/contract"
)

// move applies counts and adjustments and fills in their results: begin, two batches, commit, whatever the number of lines.
func (s *store) move(ctx context.Context, lines []stockLine, results []contract.StockResult) error {
	if len(lines) == 0 {
		return nil
	}
	return s.db.InTx(ctx, func(tx pgx.Tx) error {
		shelves, known, err := s.lockShelves(ctx, tx, lines)
		if err != nil {
			return err
		}
		return s.write(ctx, tx, judge(lines, shelves, known, results))
	})
}

// readMovements finds movements that were made before.
const readMovements = `
	SELECT m.crdb_region, m.sku, m.warehouse, m.kind, m.reference
	FROM movements AS m JOIN unnest($1::TEXT[], $2::TEXT[], $3::TEXT[], $4::TEXT[], $5::TEXT[]) AS u(r, k, w, d, f)
	ON m.crdb_region = u.r::crdb_internal_region AND m.sku = u.k AND m.warehouse = u.w AND m.kind = u.d AND m.reference = u.f`

// lockShelves makes the stock rows that are missing, locks all buckets of the lines' shelves and finds the movements that were
// made before.
func (s *store) lockShelves(ctx context.Context, tx pgx.Tx, lines []stockLine) (map[shelf][]bucket, map[movementKey]bool, error) {
	var rows columns
	var kinds, references []string
	for _, line := range lines {
		rows.add(line.region, line.sku, line.warehouse, 0, 0)
		kinds, references = append(kinds, line.kind), append(references, line.reference)
	}
	known := map[movementKey]bool{}
	var buckets []bucket
	var batch pgx.Batch
	batch.Queue(`
		INSERT INTO stock (crdb_region, sku, warehouse)
		SELECT DISTINCT r::crdb_internal_region, k, w FROM unnest($1::TEXT[], $2::TEXT[], $3::TEXT[]) AS u(r, k, w) ORDER BY 1, 2, 3
		ON CONFLICT (crdb_region, sku, warehouse, bucket) DO NOTHING`, rows.regions, rows.skus, rows.warehouses)
	const ofShelves = `
		SELECT s.sku, s.crdb_region, s.warehouse, s.bucket, s.on_hand, s.reserved, s.version FROM stock AS s
		JOIN (SELECT DISTINCT r::crdb_internal_region AS r, k, w FROM unnest($1::TEXT[], $2::TEXT[], $3::TEXT[]) AS u(r, k, w)) AS u
		ON s.crdb_region = u.r AND s.sku = u.k AND s.warehouse = u.w`
	batch.Queue(ofShelves+` AND s.bucket = 0`+inLockOrder+` FOR UPDATE OF s`, rows.regions, rows.skus, rows.warehouses)
	batch.Queue(ofShelves+inLockOrder+` FOR UPDATE OF s`, rows.regions, rows.skus, rows.warehouses).Query(collectBuckets(&buckets))
	batch.Queue(readMovements, rows.regions, rows.skus, rows.warehouses, kinds, references).Query(func(rows pgx.Rows) error {
		var key movementKey
		_, err := pgx.ForEachRow(rows, []any{&key.region, &key.sku, &key.warehouse, &key.kind, &key.reference}, func() error { known[key] = true; return nil })
		return err
	})
	if err := tx.SendBatch(ctx, &batch).Close(); err != nil {
		return nil, nil, fmt.Errorf("lock the stock that moves: %w", err)
	}
	return byShelf(buckets), known, nil
}

// write moves locked stock and records each movement, those of nothing too, so that their references are known.
func (s *store) write(ctx context.Context, tx pgx.Tx, movements []movement) error {
	if len(movements) == 0 {
		return nil
	}
	var moved, recorded columns
	var kinds, references, reasons []string
	for _, m := range movements {
		for _, c := range m.buckets {
			moved.add(m.region, m.sku, m.warehouse, c.number, c.delta)
		}
		recorded.add(m.region, m.sku, m.warehouse, 0, m.delta)
		kinds, references, reasons = append(kinds, m.kind), append(references, m.reference), append(reasons, m.reason)
	}
	var batch pgx.Batch
	// Several movements of one shelf are one update of its row.
	batch.Queue(`
		WITH `+asked+`, l AS (SELECT region, sku, warehouse, bucket, sum(quantity)::INT8 AS quantity FROM asked GROUP BY region, sku, warehouse, bucket)
		UPDATE stock AS s SET on_hand = s.on_hand + l.quantity, version = s.version + 1
		FROM l WHERE s.crdb_region = l.region AND s.sku = l.sku AND s.warehouse = l.warehouse AND s.bucket = l.bucket AND l.quantity <> 0`, moved.args()...)
	queueMovements(&batch, recorded, kinds, references, reasons, s.now())
	if err := tx.SendBatch(ctx, &batch).Close(); err != nil {
		return fmt.Errorf("move stock: %w", err)
	}
	return nil
}
