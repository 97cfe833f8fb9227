package catalog

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/contract"
)

// listQuery asks for a page of published products, in the order of their ids. Empty strings filter nothing.
type listQuery struct {
	market
	category, brand string
	// after is the id that the page begins behind; "" for the first page.
	after string
	limit int
}

// listPage is one page; more says that another one follows.
type listPage struct {
	items []contract.Summary
	more  bool
	// until is when prices may be others; nil when no list of prices begins or ends, and for a page without products.
	until *time.Time
}

// Where pages are found, each a range of one index in the order of paging; then what a list shows of each product on one. A
// category's page is cut before its products are looked up, unless the brand has to be read from them.
const (
	shown     = `p.id, p.slug, p.title, p.brand, p.images->0 AS image, p.categories`
	pageOfAll = `SELECT ` + shown + ` FROM products AS p WHERE p.published AND p.id > $4 ORDER BY p.id LIMIT `

	pageOfBrand = `SELECT ` + shown + ` FROM products AS p
	WHERE p.published AND p.brand = $5 AND p.id > $4 ORDER BY p.id LIMIT `

	pageOfCategory = `SELECT ` + shown + ` FROM products AS p WHERE p.id IN (
	SELECT c.product_id FROM product_categories AS c
	WHERE c.category = $5 AND c.published AND c.product_id > $4 ORDER BY c.product_id LIMIT `

	pageOfCategoryAndBrand = `SELECT ` + shown + ` FROM product_categories AS c JOIN products AS p ON p.id = c.product_id
	WHERE c.category = $5 AND c.published AND c.product_id > $4 AND p.id > $4 AND p.published AND p.brand = $6
	ORDER BY c.product_id LIMIT `

	summaries = `
SELECT page.id, page.slug, page.title, page.brand, page.image, page.categories, offers.amount, offers.band, ` + nextPrices + `
FROM page CROSS JOIN LATERAL (
	SELECT min(` + effectiveAmount + `) AS amount, ` + bandRank + ` AS band
	FROM variants AS v ` + effectivePrice + `
	LEFT JOIN bands AS b ON b.sku = v.sku
	WHERE v.product_id = page.id) AS offers
ORDER BY page.id`
)

// statement gives the SQL of a list and its arguments. The limit stands in the text: a plan that is kept for any limit reads and
// sorts a whole category for the sake of its first page.
func (q listQuery) statement() (string, []any) {
	limit, args := strconv.Itoa(q.limit+1), q.arguments(q.after)
	page := pageOfAll + limit
	switch {
	case q.category != "" && q.brand != "":
		page, args = pageOfCategoryAndBrand+limit, append(args, q.category, q.brand)
	case q.category != "":
		page, args = pageOfCategory+limit+`)`, append(args, q.category)
	case q.brand != "":
		page, args = pageOfBrand+limit, append(args, q.brand)
	}
	return `WITH ` + listsInForce + `, page AS (` + page + `)` + summaries, args
}

// list gives a page in one round trip, two when a category's page is empty: an empty category is no mistyped one.
func (s *store) list(ctx context.Context, query listQuery) (listPage, error) {
	sql, args := query.statement()
	rows, err := s.db.Query(ctx, sql, args...)
	if err != nil {
		return listPage{}, fmt.Errorf("list products: %w", err)
	}
	var until *time.Time
	items, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (contract.Summary, error) {
		var item contract.Summary
		var amount, band *int64
		err := row.Scan(&item.ID, &item.Slug, &item.Title, &item.Brand, &item.Image, &item.Categories, &amount, &band, &until)
		item.PriceFrom, item.Stock = moneyOf(amount, query.currency), bandOf(band)
		return item, err
	})
	if err != nil {
		return listPage{}, fmt.Errorf("list products: %w", err)
	}
	if len(items) == 0 && query.category != "" {
		return listPage{items: items}, s.checkCategoryExists(ctx, query.category)
	}
	if len(items) > query.limit {
		return listPage{items: items[:query.limit], more: true, until: until}, nil
	}
	return listPage{items: items, until: until}, nil
}

func (s *store) checkCategoryExists(ctx context.Context, slug string) error {
	var exists bool
	err := s.db.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM categories WHERE slug = $1)`, slug).Scan(&exists)
	if err != nil {
		return fmt.Errorf("look for a category: %w", err)
	}
	if !exists {
		missing := contract.Invalid("category", "there is no category %q", slug)
		missing.Code = contract.CodeNotFound
		return missing
	}
	return nil
}
