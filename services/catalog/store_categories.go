package catalog

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/kit/sqldb"
)

const (
	readCategories = `SELECT slug, id, name, COALESCE(parent, ''), position, version, lineage FROM categories`
	// lockCategories takes the whole tree: two moves that are each right may together make a circle. Products that are being
	// written share the categories they are put in, so that a move waits for them and then finds them. The tree is read by a
	// second statement, because the first does not see the categories that were added while it waited.
	lockCategories = `SELECT slug FROM categories ORDER BY slug FOR UPDATE`
	addCategory    = `
INSERT INTO categories (slug, id, name, parent, position, lineage, version, updated_at)
VALUES ($1, $2, $3, NULLIF($4, ''), $5, $6, $7, $8)`
	changeCategory = `
UPDATE categories SET name = $3, parent = NULLIF($4, ''), position = $5, lineage = $6, version = $7, updated_at = $8
WHERE slug = $1 AND id = $2`
	// A product that stands directly in a moved category leaves all places that it only has through others, and takes them anew.
	leavePlaces = `
DELETE FROM product_categories WHERE NOT direct AND product_id IN (
	SELECT product_id FROM product_categories WHERE direct AND category = ANY($1))`
	takePlaces = `
INSERT INTO product_categories (category, published, product_id, direct)
SELECT DISTINCT a.slug, pc.published, pc.product_id, false
FROM product_categories AS pc
JOIN categories AS c ON c.slug = pc.category
CROSS JOIN LATERAL unnest(c.lineage) AS a(slug)
WHERE pc.direct AND pc.product_id IN (SELECT product_id FROM product_categories WHERE direct AND category = ANY($1))
ON CONFLICT (category, published, product_id) DO NOTHING`
)

// tree reads all categories in one round trip.
func (s *store) tree(ctx context.Context) (*tree, error) {
	rows, err := s.db.Query(ctx, readCategories)
	if err != nil {
		return nil, fmt.Errorf("read categories: %w", err)
	}
	return collectTree(rows)
}

// lockTree reads all categories for a change, in one round trip.
func lockTree(ctx context.Context, tx pgx.Tx) (locked *tree, err error) {
	batch := &pgx.Batch{}
	batch.Queue(lockCategories)
	batch.Queue(readCategories).Query(func(rows pgx.Rows) error {
		locked, err = collectTree(rows)
		return err
	})
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return nil, fmt.Errorf("lock categories: %w", err)
	}
	return locked, nil
}

func collectTree(rows pgx.Rows) (*tree, error) {
	nodes, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (node, error) {
		var n node
		err := row.Scan(&n.slug, &n.id, &n.name, &n.parent, &n.position, &n.version, &n.lineage)
		return n, err
	})
	if err != nil {
		return nil, fmt.Errorf("read categories: %w", err)
	}
	return newTree(nodes), nil
}

// applyTree writes a changed tree, and moves products with their categories, in one round trip. It gives errRaced when another
// transaction has added the same category to an empty tree.
func applyTree(ctx context.Context, tx pgx.Tx, change treeChange, now time.Time) error {
	batch := &pgx.Batch{}
	for _, n := range change.rows {
		statement := changeCategory
		if n.version == 1 {
			statement = addCategory
		}
		batch.Queue(statement, n.slug, n.id, n.name, n.parent, n.position, n.lineage, n.version, now)
	}
	if len(change.moved) > 0 {
		batch.Queue(leavePlaces, change.moved)
		batch.Queue(takePlaces, change.moved)
	}
	if batch.Len() == 0 {
		return nil
	}
	err := tx.SendBatch(ctx, batch).Close()
	if sqldb.IsUniqueViolation(err, "") {
		return fmt.Errorf("%w: %w", errRaced, err)
	}
	if err != nil {
		return fmt.Errorf("write categories: %w", err)
	}
	return nil
}

// hasProducts says whether any product stands in a category or below it.
func hasProducts(ctx context.Context, tx pgx.Tx, slug string) (bool, error) {
	var has bool
	err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM product_categories WHERE category = $1)`, slug).Scan(&has)
	if err != nil {
		return false, fmt.Errorf("look for products of a category: %w", err)
	}
	return has, nil
}

func removeCategory(ctx context.Context, tx pgx.Tx, slug string) error {
	if _, err := tx.Exec(ctx, `DELETE FROM categories WHERE slug = $1`, slug); err != nil {
		return fmt.Errorf("delete a category: %w", err)
	}
	return nil
}
