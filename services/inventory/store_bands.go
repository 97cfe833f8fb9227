package inventory

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/replication/outbox"
)

// bandNow is the band that was announced for a SKU and the one that its stock is in.
type bandNow struct {
	sku            string
	announced, now contract.Band
	version        int64
}

// readBands compares what was announced with the stock over all regions.
const readBands = `
	SELECT u.k, COALESCE(b.band, ''), COALESCE(b.version, 0), COALESCE((
		SELECT sum(s.on_hand - s.reserved) FROM stock AS s
		WHERE s.crdb_region = ANY($2) AND s.sku = u.k AND s.warehouse = ANY($3)
	), 0)::INT8
	FROM unnest($1::TEXT[]) AS u(k) LEFT JOIN bands AS b ON b.sku = u.k
	ORDER BY u.k`

// staleBands gives those of some SKUs whose announced band is not that of their stock: one round trip, no locks.
func (s *store) staleBands(ctx context.Context, skus []string) ([]string, error) {
	rows, err := s.db.Query(ctx, readBands, skus, s.regions, s.warehouses)
	if err != nil {
		return nil, fmt.Errorf("read bands: %w", err)
	}
	stale, err := collectStale(rows)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(stale))
	for i, band := range stale {
		names[i] = band.sku
	}
	return names, nil
}

func collectStale(rows pgx.Rows) ([]bandNow, error) {
	var stale []bandNow
	var band bandNow
	var available int64
	_, err := pgx.ForEachRow(rows, []any{&band.sku, &band.announced, &band.version, &available}, func() error {
		if band.now = contract.BandOf(available); band.now != band.announced {
			stale = append(stale, band)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read bands: %w", err)
	}
	return stale, nil
}

// announceBands announces the bands that differ from the stock. The band's row is locked before the stock is read, so of two
// that announce at once the later one has seen what the earlier one did.
func (s *store) announceBands(ctx context.Context, skus []string) error {
	err := s.db.InTx(ctx, func(tx pgx.Tx) error {
		var stale []bandNow
		var batch pgx.Batch
		batch.Queue(`
			INSERT INTO bands (sku, band, version) SELECT k, '', 0 FROM unnest($1::TEXT[]) AS u(k) ORDER BY k
			ON CONFLICT (sku) DO NOTHING`, skus)
		batch.Queue(`SELECT sku FROM bands WHERE sku = ANY($1) ORDER BY sku FOR UPDATE`, skus)
		batch.Queue(readBands, skus, s.regions, s.warehouses).Query(func(rows pgx.Rows) (err error) {
			stale, err = collectStale(rows)
			return err
		})
		if err := tx.SendBatch(ctx, &batch).Close(); err != nil {
			return fmt.Errorf("lock bands: %w", err)
		}
		return s.writeBands(ctx, tx, stale)
	})
	if err != nil {
		return err
	}
	s.writer.Wake()
	return nil
}

func (s *store) writeBands(ctx context.Context, tx pgx.Tx, stale []bandNow) error {
	if len(stale) == 0 {
		return nil
	}
	var skus, bands []string
	var drafts []outbox.Draft
	for _, band := range stale {
		skus, bands = append(skus, band.sku), append(bands, string(band.now))
		drafts = append(drafts, outbox.Draft{
			Topic: contract.TopicInventory, Type: contract.StockBandChanged, Aggregate: band.sku, Version: band.version + 1,
			Data: contract.BandChange{SKU: band.sku, Band: band.now, Version: band.version + 1},
		})
	}
	_, err := tx.Exec(ctx, `
		UPDATE bands AS b SET band = u.n, version = b.version + 1
		FROM unnest($1::TEXT[], $2::TEXT[]) AS u(k, n) WHERE b.sku = u.k`, skus, bands)
	if err != nil {
		return fmt.Errorf("write bands: %w", err)
	}
	return s.writer.Append(ctx, tx, drafts...)
}

// skusAfter pages through the SKUs that have stock in a region.
func (s *store) skusAfter(ctx context.Context, region, after string, limit int) ([]string, error) {
	rows, err := s.db.Query(ctx, `
		SELECT DISTINCT sku FROM stock WHERE crdb_region = $1 AND sku > $2 ORDER BY sku LIMIT $3`, region, after, limit)
	if err != nil {
		return nil, fmt.Errorf("list SKUs: %w", err)
	}
	skus, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("list SKUs: %w", err)
	}
	return skus, nil
}
