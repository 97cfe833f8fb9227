package catalog

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/kit/sqldb"
)

// A product's variants, prices and places in categories are written anew as a whole: what is left of an older version can then
// only be nothing. Many products are a handful of statements over arrays, sent together.
const (
	deleteVariants   = `DELETE FROM variants WHERE product_id = ANY($1)`
	deleteCategories = `DELETE FROM product_categories WHERE product_id = ANY($1)`
	writeProducts    = `
INSERT INTO products (id, slug, title, description, brand, categories, tags, attributes, options, images, published, version, content_hash, created_at, updated_at)
SELECT id, slug, title, description, brand, categories::JSONB, tags::JSONB, attributes::JSONB, options::JSONB, images::JSONB,
	published, version, content_hash, $14::TIMESTAMPTZ, $14::TIMESTAMPTZ
FROM unnest($1::TEXT[], $2::TEXT[], $3::TEXT[], $4::TEXT[], $5::TEXT[], $6::TEXT[], $7::TEXT[], $8::TEXT[], $9::TEXT[], $10::TEXT[],
	$11::BOOL[], $12::INT8[], $13::BYTEA[])
	AS d(id, slug, title, description, brand, categories, tags, attributes, options, images, published, version, content_hash)
ON CONFLICT (id) DO UPDATE SET slug = excluded.slug, title = excluded.title, description = excluded.description, brand = excluded.brand,
	categories = excluded.categories, tags = excluded.tags, attributes = excluded.attributes, options = excluded.options,
	images = excluded.images, published = excluded.published, version = excluded.version, content_hash = excluded.content_hash,
	updated_at = excluded.updated_at`
	writeVariants = `
INSERT INTO variants (sku, product_id, position, title, options, barcode, weight_grams, image)
SELECT sku, product_id, position, title, options::JSONB, barcode, weight_grams, image::JSONB
FROM unnest($1::TEXT[], $2::TEXT[], $3::INT8[], $4::TEXT[], $5::TEXT[], $6::TEXT[], $7::INT8[], $8::TEXT[])
	AS d(sku, product_id, position, title, options, barcode, weight_grams, image)`
	writePrices = `
INSERT INTO prices (sku, currency, amount, compare_at)
SELECT sku, currency, amount, compare_at
FROM unnest($1::TEXT[], $2::TEXT[], $3::INT8[], $4::INT8[]) AS d(sku, currency, amount, compare_at)`
	writeCategories = `
INSERT INTO product_categories (category, published, product_id, direct)
SELECT category, published, product_id, direct
FROM unnest($1::TEXT[], $2::BOOL[], $3::TEXT[], $4::BOOL[]) AS d(category, published, product_id, direct)`
)

// apply writes changes in one round trip whatever their number. It gives errRaced when another transaction took a slug or a SKU
// since the snapshot.
func apply(ctx context.Context, tx pgx.Tx, changes []*change, now time.Time) error {
	// Always in one order, so that two bulks that add the same slugs wait for each other and do not lock each other out.
	changes = slices.SortedFunc(slices.Values(changes), func(a, b *change) int { return strings.Compare(a.input.Slug, b.input.Slug) })
	products, variants, prices, places := productColumns{}, variantColumns{}, priceColumns{}, placeColumns{}
	var replaced []string
	for _, c := range changes {
		if err := products.add(c); err != nil {
			return err
		}
		if err := variants.add(c); err != nil {
			return err
		}
		prices.add(c)
		places.add(c)
		if c.before != nil {
			replaced = append(replaced, c.id)
		}
	}
	batch := &pgx.Batch{}
	if len(replaced) > 0 {
		batch.Queue(deleteVariants, replaced)
		batch.Queue(deleteCategories, replaced)
	}
	batch.Queue(writeProducts, append(products.arguments(), now)...)
	batch.Queue(writeVariants, variants.arguments()...)
	batch.Queue(writePrices, prices.arguments()...)
	batch.Queue(writeCategories, places.arguments()...)
	err := tx.SendBatch(ctx, batch).Close()
	if sqldb.IsUniqueViolation(err, "") {
		return fmt.Errorf("%w: %w", errRaced, err)
	}
	if err != nil {
		return fmt.Errorf("write products: %w", err)
	}
	return nil
}

// remove deletes a product with all that hangs on it.
func remove(ctx context.Context, tx pgx.Tx, id string) error {
	if _, err := tx.Exec(ctx, `DELETE FROM products WHERE id = $1`, id); err != nil {
		return fmt.Errorf("delete a product: %w", err)
	}
	return nil
}

// asJSON writes a column's value; a nil list or map is written as the empty one.
func asJSON(value any, empty string) (string, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return "", fmt.Errorf("encode a column: %w", err)
	}
	if string(text) == "null" {
		return empty, nil
	}
	return string(text), nil
}
