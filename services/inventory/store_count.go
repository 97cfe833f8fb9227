package inventory

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/services/contract"
)

// count applies absolute counts and fills in their results: begin, two batches, commit, whatever the number of lines.
func (s *store) count(ctx context.Context, lines []countLine, results []contract.StockResult) error {
	if len(lines) == 0 {
		return nil
	}
	return s.db.InTx(ctx, func(tx pgx.Tx) error {
		levels, known, err := s.lockCounted(ctx, tx, lines)
		if err != nil {
			return err
		}
		return s.adjust(ctx, tx, judgeCounts(lines, levels, known, results))
	})
}

// lockCounted makes the stock rows that are missing, locks all that are counted and finds the references that were applied.
func (s *store) lockCounted(ctx context.Context, tx pgx.Tx, lines []countLine) (map[shelfKey]contract.StockLevel, map[shelfKey]bool, error) {
	var regions, skus, warehouses, references []string
	for _, line := range lines {
		regions, skus = append(regions, line.region), append(skus, line.SKU)
		warehouses, references = append(warehouses, line.Warehouse), append(references, line.Reference)
	}
	levels, known := make(map[shelfKey]contract.StockLevel, len(lines)), map[shelfKey]bool{}
	var batch pgx.Batch
	batch.Queue(`
		INSERT INTO stock (crdb_region, sku, warehouse)
		SELECT r::crdb_internal_region, k, w FROM unnest($1::TEXT[], $2::TEXT[], $3::TEXT[]) AS u(r, k, w) ORDER BY r, k, w
		ON CONFLICT (crdb_region, sku, warehouse) DO NOTHING`, regions, skus, warehouses)
	batch.Queue(`
		SELECT s.sku, s.crdb_region, s.warehouse, s.on_hand, s.reserved
		FROM stock AS s JOIN unnest($1::TEXT[], $2::TEXT[], $3::TEXT[]) AS u(r, k, w)
		ON s.crdb_region = u.r::crdb_internal_region AND s.sku = u.k AND s.warehouse = u.w
		ORDER BY s.crdb_region, s.sku, s.warehouse FOR UPDATE OF s`, regions, skus, warehouses).Query(func(rows pgx.Rows) error {
		found, err := pgx.CollectRows(rows, scanLevel)
		for _, level := range found {
			levels[shelfKey{level.SKU, level.Warehouse}] = level
		}
		return err
	})
	batch.Queue(`
		SELECT m.sku, m.warehouse
		FROM movements AS m JOIN unnest($1::TEXT[], $2::TEXT[], $3::TEXT[], $4::TEXT[]) AS u(r, k, w, f)
		ON m.crdb_region = u.r::crdb_internal_region AND m.sku = u.k AND m.warehouse = u.w AND m.reference = u.f
		WHERE m.kind = $5`, regions, skus, warehouses, references, movementAdjusted).Query(func(rows pgx.Rows) error {
		var key shelfKey
		_, err := pgx.ForEachRow(rows, []any{&key.sku, &key.warehouse}, func() error { known[key] = true; return nil })
		return err
	})
	if err := tx.SendBatch(ctx, &batch).Close(); err != nil {
		return nil, nil, fmt.Errorf("lock the counted stock: %w", err)
	}
	return levels, known, nil
}

// adjust moves locked stock and records each movement, those of nothing too, so that their references are known.
func (s *store) adjust(ctx context.Context, tx pgx.Tx, adjustments []adjustment) error {
	if len(adjustments) == 0 {
		return nil
	}
	var regions, skus, warehouses, references []string
	var deltas []int64
	for _, a := range adjustments {
		regions, skus = append(regions, a.region), append(skus, a.SKU)
		warehouses, references, deltas = append(warehouses, a.Warehouse), append(references, a.Reference), append(deltas, a.delta)
	}
	var batch pgx.Batch
	batch.Queue(`
		WITH `+asked+`
		UPDATE stock AS s SET on_hand = s.on_hand + l.quantity, version = s.version + 1
		FROM asked AS l WHERE s.crdb_region = l.region AND s.sku = l.sku AND s.warehouse = l.warehouse AND l.quantity <> 0`,
		regions, skus, warehouses, deltas)
	batch.Queue(`
		INSERT INTO movements (crdb_region, sku, warehouse, kind, reference, quantity, at)
		SELECT r::crdb_internal_region, k, w, $6, f, q, $7
		FROM unnest($1::TEXT[], $2::TEXT[], $3::TEXT[], $4::INT8[], $5::TEXT[]) AS u(r, k, w, q, f)`,
		regions, skus, warehouses, deltas, references, movementAdjusted, s.now())
	if err := tx.SendBatch(ctx, &batch).Close(); err != nil {
		return fmt.Errorf("apply counts: %w", err)
	}
	return nil
}
