package inventory

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/sqldb"
)

// rebucket spreads what is available of a SKU over n buckets in each warehouse that has at least least units for each of them:
// begin, lock, one batch, commit. It moves units between rows and is no movement.
func (s *store) rebucket(ctx context.Context, sku string, n, least int64) error {
	err := s.db.InTx(ctx, func(tx pgx.Tx) error {
		var buckets []bucket
		var batch pgx.Batch
		s.lockStock(&batch, []string{sku}, &buckets)
		if err := tx.SendBatch(ctx, &batch).Close(); err != nil {
			return fmt.Errorf("lock stock: %w", err)
		}
		if len(buckets) == 0 {
			return contract.Errorf(contract.CodeNotFound, "no warehouse has ever counted the SKU %s", sku)
		}
		return s.writeBuckets(ctx, tx, buckets, n, least)
	})
	if sqldb.IsUniqueViolation(err, "stock_pkey") {
		return contract.Unavailable(err, "another split the stock of %s at the same time; try again", sku)
	}
	return err
}

func (s *store) writeBuckets(ctx context.Context, tx pgx.Tx, buckets []bucket, n, least int64) error {
	present := map[bucketKey]bool{}
	for _, b := range buckets {
		present[bucketKey{b.shelf, b.number}] = true
	}
	var changed, made, gone columns
	var changedVersions, madeVersions []int64
	for _, shelved := range byShelf(buckets) {
		var available int64
		for _, b := range shelved {
			available += b.available()
		}
		if available < n*least {
			continue
		}
		kept, dropped := spread(shelved, n)
		for _, b := range kept {
			if present[bucketKey{b.shelf, b.number}] {
				changed.add(b.region, b.sku, b.warehouse, b.number, b.onHand)
				changedVersions = append(changedVersions, b.version)
			} else {
				made.add(b.region, b.sku, b.warehouse, b.number, b.onHand)
				madeVersions = append(madeVersions, b.version)
			}
		}
		for _, b := range dropped {
			gone.add(b.region, b.sku, b.warehouse, b.number, 0)
		}
	}
	var batch pgx.Batch
	batch.Queue(`
		UPDATE stock AS s SET on_hand = u.q, version = u.v
		FROM unnest($1::TEXT[], $2::TEXT[], $3::TEXT[], $4::INT8[], $5::INT8[], $6::INT8[]) AS u(r, k, w, b, q, v)
		WHERE s.crdb_region = u.r::crdb_internal_region AND s.sku = u.k AND s.warehouse = u.w AND s.bucket = u.b`, changed.args(changedVersions)...)
	batch.Queue(`
		INSERT INTO stock (crdb_region, sku, warehouse, bucket, on_hand, version)
		SELECT r::crdb_internal_region, k, w, b, q, v
		FROM unnest($1::TEXT[], $2::TEXT[], $3::TEXT[], $4::INT8[], $5::INT8[], $6::INT8[]) AS u(r, k, w, b, q, v)`, made.args(madeVersions)...)
	batch.Queue(`
		DELETE FROM stock AS s USING unnest($1::TEXT[], $2::TEXT[], $3::TEXT[], $4::INT8[]) AS u(r, k, w, b)
		WHERE s.crdb_region = u.r::crdb_internal_region AND s.sku = u.k AND s.warehouse = u.w AND s.bucket = u.b`,
		gone.regions, gone.skus, gone.warehouses, gone.buckets)
	if err := tx.SendBatch(ctx, &batch).Close(); err != nil {
		return fmt.Errorf("write buckets: %w", err)
	}
	return nil
}

type bucketKey struct {
	shelf
	number int64
}
