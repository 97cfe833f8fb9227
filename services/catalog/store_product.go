package catalog

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/contract"
)

// A product with its variants, prices and bands is one statement, so that it shows one moment and costs one round trip.
const (
	productSelect = `
WITH ` + listsInForce + `
SELECT p.id, p.slug, p.title, p.description, p.brand, p.categories, p.tags, p.attributes, p.options, p.images, p.version, p.updated_at,
	(SELECT jsonb_agg(jsonb_build_object(
		'sku', v.sku, 'title', v.title, 'options', v.options, 'barcode', v.barcode, 'weight_grams', v.weight_grams,
		'image', v.image, 'amount', ` + effectiveAmount + `, 'compare_at', ` + effectiveCompareAt + `, 'band', b.band) ORDER BY v.position)
	FROM variants AS v ` + effectivePrice + `
	LEFT JOIN bands AS b ON b.sku = v.sku
	WHERE v.product_id = p.id) AS variants, ` + nextPrices + ` AS next_prices
FROM products AS p WHERE p.published AND `
	productByID   = productSelect + `p.id = $4`
	productBySlug = productSelect + `p.slug = $4`

	// pricedSKUs takes the first picture of the product for a variant that has none of its own.
	pricedSKUs = `
WITH ` + listsInForce + `
SELECT v.sku, p.id, p.slug, p.title, v.title, COALESCE(v.image, p.images->0), ` + effectiveAmount + `, COALESCE(b.band, 'out')
FROM variants AS v
JOIN products AS p ON p.id = v.product_id ` + effectivePrice + `
LEFT JOIN bands AS b ON b.sku = v.sku
WHERE p.published AND v.sku `

	// mostSpelled is the largest number of SKUs that a statement names one by one.
	mostSpelled = 32
)

// pricedStatement gives the SQL that prices SKUs, of which there is at least one, and its arguments. A cart's SKUs are named one by
// one, the last again and again up to the next power of two: PostgreSQL plans an array of few elements anew each time, which takes
// ten times as long as finding them, and keeps the plan of a list. For many SKUs the work outweighs the planning.
func pricedStatement(skus []string, in market) (string, []any) {
	if len(skus) > mostSpelled {
		return pricedSKUs + `= ANY($4) ORDER BY v.sku`, in.arguments(skus)
	}
	size := 1
	for size < len(skus) {
		size *= 2
	}
	args, places := in.arguments(), make([]string, 0, size)
	for i := range size {
		args, places = append(args, skus[min(i, len(skus)-1)]), append(places, "$"+strconv.Itoa(i+4))
	}
	return pricedSKUs + `IN (` + strings.Join(places, ", ") + `) ORDER BY v.sku`, args
}

// variantRow is a variant as productSelect writes it in JSON.
type variantRow struct {
	SKU         string            `json:"sku"`
	Title       string            `json:"title"`
	Options     map[string]string `json:"options"`
	Barcode     string            `json:"barcode"`
	WeightGrams int64             `json:"weight_grams"`
	Image       *contract.Image   `json:"image"`
	Amount      *int64            `json:"amount"`
	CompareAt   *int64            `json:"compare_at"`
	Band        contract.Band     `json:"band"`
}

// product gives a published product by its id or slug with its prices in a market, and when they may be others, in one round trip.
func (s *store) product(ctx context.Context, idOrSlug string, in market) (contract.Product, *time.Time, error) {
	sql, err := byName(idOrSlug, productByID, productBySlug)
	if err != nil {
		return contract.Product{}, nil, err
	}
	var until *time.Time
	product := contract.Product{Published: true}
	var variants []variantRow
	err = s.db.QueryRow(ctx, sql, in.arguments(idOrSlug)...).Scan(&product.ID, &product.Slug, &product.Title, &product.Description, &product.Brand,
		&product.Categories, &product.Tags, &product.Attributes, &product.Options, &product.Images, &product.Version, &product.UpdatedAt, &variants, &until)
	if errors.Is(err, pgx.ErrNoRows) {
		return contract.Product{}, nil, noProduct()
	}
	if err != nil {
		return contract.Product{}, nil, fmt.Errorf("read a product: %w", err)
	}
	product.UpdatedAt = product.UpdatedAt.UTC()
	product.Stock = contract.BandOut
	for _, row := range variants {
		variant := row.variant(in.currency)
		product.Variants = append(product.Variants, variant)
		product.Stock = betterBand(product.Stock, variant.Stock)
		if price := variant.Price; price != nil && (product.PriceFrom == nil || price.Amount < product.PriceFrom.Amount) {
			product.PriceFrom = price
		}
	}
	return product, until, nil
}

// byName chooses the statement for what may name a product, and spares SQL what can name none.
func byName(idOrSlug, byID, bySlug string) (string, error) {
	switch {
	case isProductID(idOrSlug):
		return byID, nil
	case slugForm.MatchString(idOrSlug):
		return bySlug, nil
	default:
		return "", noProduct()
	}
}

func noProduct() error { return contract.Errorf(contract.CodeNotFound, "there is no such product") }

func (r variantRow) variant(currency string) contract.Variant {
	if r.Band == "" {
		r.Band = contract.BandOut
	}
	return contract.Variant{
		SKU: r.SKU, Title: r.Title, Options: r.Options, Barcode: r.Barcode, WeightGrams: r.WeightGrams, Image: r.Image,
		Price: moneyOf(r.Amount, currency), CompareAtPrice: moneyOf(r.CompareAt, currency), Stock: r.Band,
	}
}

func betterBand(a, b contract.Band) contract.Band {
	for _, band := range []contract.Band{contract.BandInStock, contract.BandLow} {
		if a == band || b == band {
			return band
		}
	}
	return contract.BandOut
}

// priced gives what the cart and the order need to know of SKUs, in one round trip.
func (s *store) priced(ctx context.Context, skus []string, in market) ([]contract.PricedSKU, error) {
	if len(skus) == 0 {
		return nil, nil
	}
	sql, args := pricedStatement(skus, in)
	rows, err := s.db.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("price SKUs: %w", err)
	}
	items, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (contract.PricedSKU, error) {
		var item contract.PricedSKU
		var amount *int64
		err := row.Scan(&item.SKU, &item.ProductID, &item.Slug, &item.Title, &item.VariantTitle, &item.Image, &amount, &item.Stock)
		item.Price = moneyOf(amount, in.currency)
		return item, err
	})
	if err != nil {
		return nil, fmt.Errorf("price SKUs: %w", err)
	}
	return items, nil
}
