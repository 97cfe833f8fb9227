package catalog

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/contract"
)

// Record is a product as admins read it: all that was written of it, prices in every currency, published or not.
type Record struct {
	ID        string    `json:"id"`
	Version   int64     `json:"version" doc:"Rises with every change of the product"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
	contract.ProductInput
}

const (
	recordSelect = `
SELECT p.id, p.version, p.created_at, p.updated_at, p.slug, p.title, p.description, p.brand, p.categories, p.tags, p.attributes,
	p.options, p.images, p.published,
	(SELECT jsonb_agg(jsonb_build_object(
		'sku', v.sku, 'options', v.options, 'barcode', v.barcode, 'weight_grams', v.weight_grams, 'image', v.image,
		'prices', COALESCE((SELECT jsonb_agg(jsonb_build_object('currency', r.currency, 'amount', r.amount) ORDER BY r.currency)
			FROM prices AS r WHERE r.sku = v.sku), '[]'::JSONB),
		'compare_at_prices', (SELECT jsonb_agg(jsonb_build_object('currency', r.currency, 'amount', r.compare_at) ORDER BY r.currency)
			FROM prices AS r WHERE r.sku = v.sku AND r.compare_at IS NOT NULL)) ORDER BY v.position)
	FROM variants AS v WHERE v.product_id = p.id) AS variants
FROM products AS p WHERE `
	recordByID   = recordSelect + `p.id = $1`
	recordBySlug = recordSelect + `p.slug = $1`
)

// record gives a product by its id or slug as it was written, in one round trip.
func (s *store) record(ctx context.Context, idOrSlug string) (Record, error) {
	sql, err := byName(idOrSlug, recordByID, recordBySlug)
	if err != nil {
		return Record{}, err
	}
	var r Record
	err = s.db.QueryRow(ctx, sql, idOrSlug).Scan(&r.ID, &r.Version, &r.CreatedAt, &r.UpdatedAt, &r.Slug, &r.Title, &r.Description, &r.Brand,
		&r.Categories, &r.Tags, &r.Attributes, &r.Options, &r.Images, &r.Published, &r.Variants)
	if errors.Is(err, pgx.ErrNoRows) {
		return Record{}, noProduct()
	}
	if err != nil {
		return Record{}, fmt.Errorf("read a product's record: %w", err)
	}
	r.CreatedAt, r.UpdatedAt = r.CreatedAt.UTC(), r.UpdatedAt.UTC()
	return r, nil
}
