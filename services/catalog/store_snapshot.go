package catalog

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// What writes are judged by. Categories are shared, so that no one moves or deletes them before the products stand under them;
// they come first, as in a move. Products are locked in the order of their slugs, so that two bulks wait for each other instead
// of ending in a deadlock.
const (
	lockProducts = `
SELECT id, slug, brand, version, content_hash, published, created_at, updated_at FROM products
WHERE slug = ANY($1) OR id = ANY($2) ORDER BY slug FOR UPDATE`
	ownersOfSKUs = `
SELECT sku, product_id FROM variants WHERE sku = ANY($3)
UNION
SELECT sku, product_id FROM variants WHERE product_id IN (SELECT id FROM products WHERE slug = ANY($1) OR id = ANY($2))`
	categoriesOfProducts = `
SELECT product_id, category FROM product_categories
WHERE product_id IN (SELECT id FROM products WHERE slug = ANY($1) OR id = ANY($2))`
	shareCategories = `SELECT slug, lineage FROM categories WHERE slug = ANY($1) ORDER BY slug FOR SHARE`
)

// load reads and locks what wishes are judged by, in one round trip whatever their number.
func load(ctx context.Context, tx pgx.Tx, wishes []wish) (*snapshot, error) {
	slugs, ids, skus, categories := []string{}, []string{}, []string{}, []string{}
	for _, w := range wishes {
		slugs = append(slugs, w.input.Slug)
		if w.id != "" {
			ids = append(ids, w.id)
		}
		for _, variant := range w.input.Variants {
			skus = append(skus, variant.SKU)
		}
		categories = append(categories, w.input.Categories...)
	}
	state := &snapshot{bySlug: map[string]*stored{}, byID: map[string]*stored{}, owners: map[string]string{}, lineages: map[string][]string{}}
	batch := &pgx.Batch{}
	batch.Queue(shareCategories, sortedSet(categories)).Query(state.addLineages)
	batch.Queue(lockProducts, slugs, ids).Query(state.addProducts)
	batch.Queue(ownersOfSKUs, slugs, ids, skus).Query(state.addSKUs)
	batch.Queue(categoriesOfProducts, slugs, ids).Query(state.addCategories)
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return nil, fmt.Errorf("read what is there before writing: %w", err)
	}
	return state, nil
}

func (s *snapshot) addProducts(rows pgx.Rows) error {
	for rows.Next() {
		p := &stored{}
		if err := rows.Scan(&p.id, &p.slug, &p.brand, &p.version, &p.hash, &p.published, &p.createdAt, &p.updatedAt); err != nil {
			return err
		}
		s.bySlug[p.slug], s.byID[p.id] = p, p
	}
	return rows.Err()
}

func (s *snapshot) addSKUs(rows pgx.Rows) error {
	var sku, productID string
	_, err := pgx.ForEachRow(rows, []any{&sku, &productID}, func() error {
		s.owners[sku] = productID
		if p, known := s.byID[productID]; known {
			p.skus = append(p.skus, sku)
		}
		return nil
	})
	return err
}

func (s *snapshot) addCategories(rows pgx.Rows) error {
	var productID, category string
	_, err := pgx.ForEachRow(rows, []any{&productID, &category}, func() error {
		if p, known := s.byID[productID]; known {
			p.categories = append(p.categories, category)
		}
		return nil
	})
	return err
}

func (s *snapshot) addLineages(rows pgx.Rows) error {
	for rows.Next() {
		var slug string
		var lineage []string
		if err := rows.Scan(&slug, &lineage); err != nil {
			return err
		}
		s.lineages[slug] = lineage
	}
	return rows.Err()
}
