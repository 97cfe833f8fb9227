package catalog

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/replication/outbox"
)

// writeBands writes what is newer than what is known, and gives the published products that show something else now. What a band was is
// kept in its row by the statement that changes it: a writer that waited for another region's has not seen what that one left. Of the
// regions that hear the same, only the one that changes the row gets it back.
const writeBands = `
WITH heard AS (
	SELECT sku, band, version FROM unnest($1::TEXT[], $2::TEXT[], $3::INT8[]) AS d(sku, band, version)),
written AS (
	INSERT INTO bands (sku, band, version)
	SELECT sku, band, version FROM heard
	ON CONFLICT (sku) DO UPDATE SET band = excluded.band, version = excluded.version, former = bands.band
	WHERE bands.version < excluded.version
	RETURNING sku, band, former, version)
SELECT w.sku, w.version, p.id, p.slug, p.version
FROM written AS w
JOIN variants AS v ON v.sku = w.sku
JOIN products AS p ON p.id = v.product_id AND p.published
WHERE w.former <> w.band
ORDER BY w.sku`

// setBands notes what the inventory said of SKUs, unless something newer is known, and announces what shoppers see of it: one commit,
// whatever their number.
func (s *store) setBands(ctx context.Context, writer *outbox.Writer, changes []contract.BandChange) error {
	if len(changes) == 0 {
		return nil
	}
	newest := newestBands(changes)
	skus, bands, versions := make([]string, len(newest)), make([]string, len(newest)), make([]int64, len(newest))
	for i, change := range newest {
		skus[i], bands[i], versions[i] = change.SKU, string(change.Band), change.Version
	}
	announced := 0
	err := s.db.InTx(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, writeBands, skus, bands, versions)
		if err != nil {
			return err
		}
		drafts, err := pgx.CollectRows(rows, scanBandDraft)
		if err != nil {
			return err
		}
		announced = len(drafts)
		return writer.Append(ctx, tx, drafts...)
	})
	if err != nil {
		return fmt.Errorf("set the bands of %d SKUs: %w", len(newest), err)
	}
	if announced > 0 {
		writer.Wake()
	}
	return nil
}

// scanBandDraft makes the event of a row of writeBands. Its aggregate is the SKU's stock, apart from the product, whose version a sale
// does not change.
func scanBandDraft(row pgx.CollectableRow) (outbox.Draft, error) {
	var sku string
	var version int64
	change := contract.ProductChange{Published: true, Categories: []string{}}
	err := row.Scan(&sku, &version, &change.ProductID, &change.Slug, &change.Version)
	change.SKUs = []string{sku}
	return outbox.Draft{Topic: contract.TopicProducts, Type: contract.ProductStockChanged, Aggregate: "stock:" + sku, Version: version, Data: change}, err
}

// newestBands keeps of each SKU what one after the other would have left, for a statement must not touch a row twice; in the order of the
// SKUs, so that the regions, which all write this table, wait for each other and do not lock each other out.
func newestBands(changes []contract.BandChange) []contract.BandChange {
	newest := map[string]contract.BandChange{}
	for _, change := range changes {
		if known, before := newest[change.SKU]; !before || known.Version < change.Version {
			newest[change.SKU] = change
		}
	}
	return slices.SortedFunc(maps.Values(newest), func(a, b contract.BandChange) int { return strings.Compare(a.SKU, b.SKU) })
}
