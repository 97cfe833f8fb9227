package catalog

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/contract"
)

// What documents are made of. All lists in force are taken at once, of every currency and region; a region's own stand before those of
// all regions, then the higher priority, then the one that was made last, as in effectivePrice.
const (
	allListsInForce = `
lists AS MATERIALIZED (
	SELECT id, region, currency, priority, created_at FROM price_lists
	WHERE (starts_at IS NULL OR starts_at <= $1::TIMESTAMPTZ) AND (ends_at IS NULL OR ends_at > $1::TIMESTAMPTZ))`

	documentStates = `
p.id, p.version,
(SELECT ` + bandRank + ` FROM variants AS v LEFT JOIN bands AS b ON b.sku = v.sku WHERE v.product_id = p.id) AS band,
ARRAY(SELECT c.slug || ' ' || c.version::TEXT FROM product_categories AS pc JOIN categories AS c ON c.slug = pc.category
	WHERE pc.product_id = p.id ORDER BY c.slug) AS places,
ARRAY(SELECT l.region || '/' || l.currency || '/' || l.priority::TEXT || '/' || l.id || '/' || lp.amount::TEXT || '/' || lp.sku
	FROM variants AS v JOIN price_list_prices AS lp ON lp.sku = v.sku JOIN lists AS l ON l.id = lp.list
	WHERE v.product_id = p.id ORDER BY l.id, lp.sku) AS offers,
ARRAY(SELECT DISTINCT region || '/' || currency FROM price_lists WHERE region <> '' ORDER BY region || '/' || currency) AS markets`

	documentSelect = `
WITH ` + allListsInForce + `
SELECT ` + documentStates + `,
	p.slug, p.title, p.description, p.brand, p.images->0, p.categories, p.tags, p.attributes, p.options, p.created_at,
	ARRAY(SELECT v.sku FROM variants AS v WHERE v.product_id = p.id ORDER BY v.position),
	(SELECT jsonb_agg(jsonb_build_object('slug', c.slug, 'name', c.name) ORDER BY c.slug)
		FROM product_categories AS pc JOIN categories AS c ON c.slug = pc.category WHERE pc.product_id = p.id),
	(SELECT jsonb_agg(jsonb_build_object('sku', r.sku, 'currency', r.currency, 'amount', r.amount))
		FROM variants AS v JOIN prices AS r ON r.sku = v.sku WHERE v.product_id = p.id),
	(SELECT jsonb_agg(jsonb_build_object('sku', lp.sku, 'region', l.region, 'currency', l.currency, 'amount', lp.amount)
			ORDER BY l.region = '', l.priority DESC, l.created_at DESC, l.id DESC)
		FROM variants AS v JOIN price_list_prices AS lp ON lp.sku = v.sku JOIN lists AS l ON l.id = lp.list WHERE v.product_id = p.id)
FROM products AS p WHERE p.published AND `
	documentsByID   = documentSelect + `p.id = ANY($2) ORDER BY p.id`
	pageOfDocuments = documentSelect + `p.id > $2 ORDER BY p.id LIMIT $3`

	statesOfBucket = `
WITH ` + allListsInForce + `
SELECT ` + documentStates + ` FROM products AS p WHERE right(p.id, 1) = $2 AND p.published`

	idsOfCategory = `
SELECT product_id FROM product_categories WHERE category = $1 AND published AND product_id > $2 ORDER BY product_id LIMIT $3`

	// idsRepriced finds what a list's begin or end has given other prices: in any order, so that it starts from the few lists.
	idsRepriced = `
WITH due AS MATERIALIZED (
	SELECT id FROM price_lists
	WHERE (starts_at > $1::TIMESTAMPTZ AND starts_at <= $2::TIMESTAMPTZ) OR (ends_at > $1::TIMESTAMPTZ AND ends_at <= $2::TIMESTAMPTZ))
SELECT v.product_id FROM due JOIN price_list_prices AS lp ON lp.list = due.id JOIN variants AS v ON v.sku = lp.sku LIMIT $3`
)

// documentsOf gives those of some products that are published, in one round trip.
func (s *store) documentsOf(ctx context.Context, at time.Time, ids []string) ([]contract.ProductDocument, error) {
	return s.documents(ctx, documentsByID, at, ids)
}

// documentPage gives the published products behind an id, in the order of their ids.
func (s *store) documentPage(ctx context.Context, at time.Time, after string, limit int) ([]contract.ProductDocument, error) {
	return s.documents(ctx, pageOfDocuments, at, after, limit)
}

func (s *store) documents(ctx context.Context, sql string, args ...any) ([]contract.ProductDocument, error) {
	rows, err := s.db.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("read documents: %w", err)
	}
	documents, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (contract.ProductDocument, error) {
		var r documentRow
		d, s := &r.doc, &r.state
		err := row.Scan(&d.ID, &s.version, &s.band, &s.places, &s.offers, &s.markets,
			&d.Slug, &d.Title, &d.Description, &d.Brand, &d.Image, &d.Categories, &d.Tags, &d.Attributes, &d.Options, &d.CreatedAt,
			&d.SKUs, &d.Places, &r.prices, &r.listed)
		d.CreatedAt = d.CreatedAt.UTC()
		return r.document(), err
	})
	if err != nil {
		return nil, fmt.Errorf("read documents: %w", err)
	}
	return documents, nil
}

// bucketRevisions gives the revision of every published product whose id ends in a character.
func (s *store) bucketRevisions(ctx context.Context, at time.Time, bucket string) (map[string]string, error) {
	rows, err := s.db.Query(ctx, statesOfBucket, at, bucket)
	if err != nil {
		return nil, fmt.Errorf("read revisions: %w", err)
	}
	revisions, id, state := map[string]string{}, "", documentState{}
	_, err = pgx.ForEachRow(rows, []any{&id, &state.version, &state.band, &state.places, &state.offers, &state.markets}, func() error {
		revisions[id] = state.revision()
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read revisions: %w", err)
	}
	return revisions, nil
}

// ids gives a page of products' ids by one of the statements for them.
func (s *store) ids(ctx context.Context, sql string, args ...any) ([]string, error) {
	rows, err := s.db.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("find products' ids: %w", err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("find products' ids: %w", err)
	}
	return ids, nil
}

// owners gives the product's id of each SKU that is sold.
func (s *store) owners(ctx context.Context, skus []string) (map[string]string, error) {
	rows, err := s.db.Query(ctx, productsOfSKUs, skus)
	if err != nil {
		return nil, fmt.Errorf("find the products of SKUs: %w", err)
	}
	owners, sku, product := map[string]string{}, "", ""
	if _, err := pgx.ForEachRow(rows, []any{&sku, &product}, func() error {
		owners[sku] = product
		return nil
	}); err != nil {
		return nil, fmt.Errorf("find the products of SKUs: %w", err)
	}
	return owners, nil
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
