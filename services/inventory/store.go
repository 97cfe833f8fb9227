package inventory

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/sqldb"
	"github.com/meridian-store/meridian/replication/outbox"
)

// store keeps stock, reservations and bands in SQL. Whatever takes locks takes them in one order, so that nothing deadlocks:
// reservations by (region, saga), stock as inLockOrder says, lines, movements, bands by SKU, outbox.
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

// readBuckets reads what all warehouses hold of some SKUs.
const readBuckets = `
	SELECT s.sku, s.crdb_region, s.warehouse, s.bucket, s.on_hand, s.reserved, s.version FROM stock AS s
	WHERE s.crdb_region = ANY($1) AND s.sku = ANY($2)`

// inLockOrder is the one order in which stock is locked. Bucket 0 of each shelf comes first: whoever makes or drops buckets, or
// needs to see all of them, holds it, and so meets nobody half-way.
const inLockOrder = ` ORDER BY s.bucket, s.crdb_region, s.sku, s.warehouse`

// stock reads the buckets of some SKUs: one round trip.
func (s *store) stock(ctx context.Context, skus []string) ([]bucket, error) {
	rows, err := s.db.Query(ctx, readBuckets, s.regions, skus)
	if err != nil {
		return nil, fmt.Errorf("read stock: %w", err)
	}
	buckets, err := pgx.CollectRows(rows, scanBucket)
	if err != nil {
		return nil, fmt.Errorf("read stock: %w", err)
	}
	inOrder(buckets)
	return buckets, nil
}

// lockStock adds to a batch the reading of all buckets of some SKUs, held until the transaction ends. The first statement waits for
// whoever is making buckets; the second, whose snapshot is newer, then sees them.
func (s *store) lockStock(batch *pgx.Batch, skus []string, into *[]bucket) {
	batch.Queue(readBuckets+` AND s.bucket = 0`+inLockOrder+` FOR UPDATE`, s.regions, skus)
	batch.Queue(readBuckets+inLockOrder+` FOR UPDATE`, s.regions, skus).Query(collectBuckets(into))
}

func collectBuckets(into *[]bucket) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		buckets, err := pgx.CollectRows(rows, scanBucket)
		inOrder(buckets)
		*into = buckets
		return err
	}
}

func scanBucket(row pgx.CollectableRow) (bucket, error) {
	var b bucket
	err := row.Scan(&b.sku, &b.region, &b.warehouse, &b.number, &b.onHand, &b.reserved, &b.version)
	return b, err
}

func inOrder(buckets []bucket) {
	slices.SortFunc(buckets, func(a, b bucket) int {
		return cmp.Or(cmp.Compare(a.region, b.region), cmp.Compare(a.sku, b.sku), cmp.Compare(a.warehouse, b.warehouse), cmp.Compare(a.number, b.number))
	})
}

// columns are rows of units spread into what unnest takes.
type columns struct {
	regions, skus, warehouses []string
	buckets, quantities       []int64
}

func (c *columns) add(region, sku, warehouse string, bucket, quantity int64) {
	c.regions, c.skus, c.warehouses = append(c.regions, region), append(c.skus, sku), append(c.warehouses, warehouse)
	c.buckets, c.quantities = append(c.buckets, bucket), append(c.quantities, quantity)
}

// args gives the parallel arrays that asked takes, and then the rest.
func (c *columns) args(rest ...any) []any {
	return append([]any{c.regions, c.skus, c.warehouses, c.buckets, c.quantities}, rest...)
}

// summed gives one row for each bucket of some reservations, with the units that all of them take from it.
func summed(reservations []reservation) columns {
	at := map[taking]int{}
	var c columns
	for _, r := range reservations {
		for _, t := range r.takings {
			key := t
			key.Quantity = 0
			i, known := at[key]
			if !known {
				i = len(c.regions)
				at[key] = i
				c.add(t.Region, t.SKU, t.Warehouse, t.Bucket, 0)
			}
			c.quantities[i] += t.Quantity
		}
	}
	return c
}

func skusOf(allocations []contract.Allocation) []string {
	skus := make([]string, len(allocations))
	for i, a := range allocations {
		skus[i] = a.SKU
	}
	return skus
}

// asked is the rows that a statement is about, given as the parallel arrays $1 to $5.
const asked = `asked AS (
		SELECT r::crdb_internal_region AS region, k AS sku, w AS warehouse, b AS bucket, q AS quantity
		FROM unnest($1::TEXT[], $2::TEXT[], $3::TEXT[], $4::INT8[], $5::INT8[]) AS u(r, k, w, b, q)
	)`

// locked locks the stock rows of asked in the one order.
const locked = `locked AS (
		SELECT s.crdb_region, s.sku, s.warehouse, s.bucket, a.quantity
		FROM stock AS s JOIN asked AS a ON s.crdb_region = a.region AND s.sku = a.sku AND s.warehouse = a.warehouse AND s.bucket = a.bucket` +
	inLockOrder + ` FOR UPDATE OF s
	)`

const sameBucket = `s.crdb_region = l.crdb_region AND s.sku = l.sku AND s.warehouse = l.warehouse AND s.bucket = l.bucket`

// draftOf gives the event of a reservation's change; its version is the reservation's.
func draftOf(eventType string, r reservation) outbox.Draft {
	return outbox.Draft{
		Topic: contract.TopicInventory, Type: eventType, Aggregate: r.SagaID, Version: r.version,
		Data: contract.ReservationChange{SagaID: r.SagaID, Allocations: r.Allocations}, TraceParent: r.trace,
	}
}
