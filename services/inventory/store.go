package inventory

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/replication/outbox"
	"github.com/meridian-store/meridian/services/contract"
	"github.com/meridian-store/meridian/services/kit/sqldb"
)

// store keeps stock, reservations and bands in SQL. Whatever takes locks takes them in one order, so that nothing deadlocks:
// reservation, stock by (region, SKU, warehouse), lines, movements, bands by SKU, outbox.
type store struct {
	db     *sqldb.DB
	writer *outbox.Writer
	now    func() time.Time
	// regions and warehouses are the names of all of them: each query names the regions that it reads.
	regions, warehouses []string
}

func newStore(db *sqldb.DB, writer *outbox.Writer, now func() time.Time, regions []contract.Region) *store {
	s := &store{db: db, writer: writer, now: now}
	for _, region := range regions {
		s.regions = append(s.regions, region.Name)
		for _, warehouse := range region.Warehouses {
			s.warehouses = append(s.warehouses, warehouse.Code)
		}
	}
	return s
}

// querier is what reads need: the pool, or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

const readLevels = `
	SELECT sku, crdb_region, warehouse, on_hand, reserved FROM stock
	WHERE crdb_region = ANY($1) AND sku = ANY($2)
	ORDER BY crdb_region, sku, warehouse`

// levels reads what all warehouses hold of some SKUs: one round trip.
func (s *store) levels(ctx context.Context, skus []string) ([]contract.StockLevel, error) {
	return s.readLevels(ctx, s.db, readLevels, skus)
}

// lockedLevels reads the same and holds the rows until the transaction ends.
func (s *store) lockedLevels(ctx context.Context, tx pgx.Tx, skus []string) ([]contract.StockLevel, error) {
	return s.readLevels(ctx, tx, readLevels+` FOR UPDATE`, skus)
}

func (s *store) readLevels(ctx context.Context, from querier, query string, skus []string) ([]contract.StockLevel, error) {
	rows, err := from.Query(ctx, query, s.regions, skus)
	if err != nil {
		return nil, fmt.Errorf("read stock: %w", err)
	}
	levels, err := pgx.CollectRows(rows, scanLevel)
	if err != nil {
		return nil, fmt.Errorf("read stock: %w", err)
	}
	return levels, nil
}

func scanLevel(row pgx.CollectableRow) (contract.StockLevel, error) {
	var level contract.StockLevel
	err := row.Scan(&level.SKU, &level.Region, &level.Warehouse, &level.OnHand, &level.Reserved)
	return level, err
}

// shelves spreads allocations into the columns that unnest takes.
func shelves(allocations []contract.Allocation) (regions, skus, warehouses []string, quantities []int64) {
	for _, a := range allocations {
		regions, skus, warehouses = append(regions, a.Region), append(skus, a.SKU), append(warehouses, a.Warehouse)
		quantities = append(quantities, a.Quantity)
	}
	return regions, skus, warehouses, quantities
}

func skusOf(allocations []contract.Allocation) []string {
	skus := make([]string, len(allocations))
	for i, a := range allocations {
		skus[i] = a.SKU
	}
	return skus
}

// asked is the rows that a statement is about, given as the parallel arrays $1 to $4.
const asked = `asked AS (
		SELECT r::crdb_internal_region AS region, k AS sku, w AS warehouse, q AS quantity
		FROM unnest($1::TEXT[], $2::TEXT[], $3::TEXT[], $4::INT8[]) AS u(r, k, w, q)
	)`

// locked locks the stock rows of asked in the one order.
const locked = `locked AS (
		SELECT s.crdb_region, s.sku, s.warehouse, a.quantity
		FROM stock AS s JOIN asked AS a ON s.crdb_region = a.region AND s.sku = a.sku AND s.warehouse = a.warehouse
		ORDER BY s.crdb_region, s.sku, s.warehouse FOR UPDATE OF s
	)`

const sameShelf = `s.crdb_region = l.crdb_region AND s.sku = l.sku AND s.warehouse = l.warehouse`

// drafts gives the event of a reservation's change; its version is the reservation's.
func draftOf(eventType string, r reservation) outbox.Draft {
	return outbox.Draft{
		Topic: contract.TopicInventory, Type: eventType, Aggregate: r.SagaID, Version: r.version,
		Data: contract.ReservationChange{SagaID: r.SagaID, Allocations: r.Allocations},
	}
}
