package inventory

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/contract"
)

// queueMovements adds entries of the ledger to a batch; each has its own kind, reference and reason.
func queueMovements(batch *pgx.Batch, rows columns, kinds, references, reasons []string, at time.Time) {
	batch.Queue(`
		INSERT INTO movements (crdb_region, sku, warehouse, kind, reference, quantity, reason, at)
		SELECT r::crdb_internal_region, k, w, d, f, q, n, $8
		FROM unnest($1::TEXT[], $2::TEXT[], $3::TEXT[], $4::INT8[], $5::TEXT[], $6::TEXT[], $7::TEXT[]) AS u(r, k, w, q, d, f, n)`,
		rows.regions, rows.skus, rows.warehouses, rows.quantities, kinds, references, reasons, at)
}

// readLedger takes the newest of each region, in the order of the index, and of those the newest.
const readLedger = `
	SELECT m.crdb_region, m.sku, m.warehouse, m.kind, m.reference, m.quantity, m.reason, m.at
	FROM unnest($1::TEXT[]) AS u(r) CROSS JOIN LATERAL (
		SELECT m.crdb_region, m.sku, m.warehouse, m.kind, m.reference, m.quantity, m.reason, m.at FROM movements AS m
		WHERE m.crdb_region = u.r::crdb_internal_region AND m.sku = $2 AND m.at <= $3
		AND (m.at, u.r, m.warehouse, m.kind, m.reference) < ($3, $4, $5, $6, $7)
		ORDER BY m.at DESC, m.warehouse DESC, m.kind DESC, m.reference DESC LIMIT $8
	) AS m
	ORDER BY m.at DESC, u.r DESC, m.warehouse DESC, m.kind DESC, m.reference DESC LIMIT $8`

// ledger gives the movements of a SKU that come after a place in the ledger, newest first.
func (s *store) ledger(ctx context.Context, sku string, after ledgerPlace, limit int) ([]contract.StockMovement, error) {
	rows, err := s.db.Query(ctx, readLedger, s.regions, sku, after.At, after.Region, after.Warehouse, after.Kind, after.Reference, limit)
	if err != nil {
		return nil, fmt.Errorf("read the ledger: %w", err)
	}
	movements, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (contract.StockMovement, error) {
		var m contract.StockMovement
		err := row.Scan(&m.Region, &m.SKU, &m.Warehouse, &m.Kind, &m.Reference, &m.Quantity, &m.Reason, &m.At)
		m.At = m.At.UTC()
		return m, err
	})
	if err != nil {
		return nil, fmt.Errorf("read the ledger: %w", err)
	}
	return movements, nil
}
