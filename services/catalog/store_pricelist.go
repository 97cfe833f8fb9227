package catalog

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/contract"
)

const (
	priceListColumns = `SELECT id, name, currency, region, priority, starts_at, ends_at, version, created_at, updated_at FROM price_lists`
	readPriceList    = priceListColumns + ` WHERE id = $1`
	readPriceLists   = priceListColumns + ` ORDER BY id`
	lockPriceList    = readPriceList + ` FOR UPDATE`
	addPriceList     = `
INSERT INTO price_lists (id, name, currency, region, priority, starts_at, ends_at, version, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)`
	changePriceList = `
UPDATE price_lists SET name = $2, currency = $3, region = $4, priority = $5, starts_at = $6, ends_at = $7, version = $8, updated_at = $9 WHERE id = $1`
	deletePriceList = `DELETE FROM price_lists WHERE id = $1`

	pricesOfSKUs   = `SELECT sku, amount, compare_at FROM price_list_prices WHERE list = $1 AND sku = ANY($2)`
	productsOfSKUs = `SELECT sku, product_id FROM variants WHERE sku = ANY($1)`
	setListPrices  = `
INSERT INTO price_list_prices (list, sku, amount, compare_at)
SELECT $1, sku, amount, compare_at FROM unnest($2::TEXT[], $3::INT8[], $4::INT8[]) AS d(sku, amount, compare_at)
ON CONFLICT (list, sku) DO UPDATE SET amount = excluded.amount, compare_at = excluded.compare_at`
	removeListPrices = `DELETE FROM price_list_prices WHERE list = $1 AND sku = ANY($2)`
	pageOfListPrices = `SELECT sku, amount, compare_at FROM price_list_prices WHERE list = $1 AND sku > $2 ORDER BY sku LIMIT $3`
)

func scanPriceList(row pgx.CollectableRow) (contract.PriceList, error) {
	var l contract.PriceList
	err := row.Scan(&l.ID, &l.Name, &l.Currency, &l.Region, &l.Priority, &l.StartsAt, &l.EndsAt, &l.Version, &l.CreatedAt, &l.UpdatedAt)
	l.StartsAt, l.EndsAt, l.CreatedAt, l.UpdatedAt = asStored(l.StartsAt), asStored(l.EndsAt), l.CreatedAt.UTC(), l.UpdatedAt.UTC()
	return l, err
}

// asked is what both a transaction and the database answer.
type asked interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// onePriceList reads a list by one of the statements for it; contract.CodeNotFound when there is none.
func onePriceList(ctx context.Context, from asked, sql, id string) (contract.PriceList, error) {
	rows, err := from.Query(ctx, sql, id)
	if err != nil {
		return contract.PriceList{}, fmt.Errorf("read a price list: %w", err)
	}
	list, err := pgx.CollectExactlyOneRow(rows, scanPriceList)
	if errors.Is(err, pgx.ErrNoRows) {
		return contract.PriceList{}, contract.Errorf(contract.CodeNotFound, "there is no such price list")
	}
	if err != nil {
		return contract.PriceList{}, fmt.Errorf("read a price list: %w", err)
	}
	return list, nil
}

// priceLists reads all lists; there are at most MaxPriceLists.
func priceLists(ctx context.Context, from asked) ([]contract.PriceList, error) {
	rows, err := from.Query(ctx, readPriceLists)
	if err != nil {
		return nil, fmt.Errorf("read price lists: %w", err)
	}
	lists, err := pgx.CollectRows(rows, scanPriceList)
	if err != nil {
		return nil, fmt.Errorf("read price lists: %w", err)
	}
	return lists, nil
}

// writePriceList adds or changes a list by one of the statements for it.
func writePriceList(ctx context.Context, tx pgx.Tx, sql string, l contract.PriceList) error {
	_, err := tx.Exec(ctx, sql, l.ID, l.Name, l.Currency, l.Region, l.Priority, l.StartsAt, l.EndsAt, l.Version, l.UpdatedAt)
	if err != nil {
		return fmt.Errorf("write a price list: %w", err)
	}
	return nil
}

// lockListState locks a list and reads what a write of some of its prices is judged by, in one round trip.
func lockListState(ctx context.Context, tx pgx.Tx, id string, wishes []contract.ListPrice) (listState, error) {
	skus := make([]string, 0, len(wishes))
	for _, wish := range wishes {
		skus = append(skus, wish.SKU)
	}
	state := listState{prices: map[string]listedPrice{}, products: map[string]string{}}
	found := false
	var sku, product string
	batch := &pgx.Batch{}
	batch.Queue(lockPriceList, id).Query(func(rows pgx.Rows) error {
		lists, err := pgx.CollectRows(rows, scanPriceList)
		if found = len(lists) == 1; found {
			state.list = lists[0]
		}
		return err
	})
	batch.Queue(pricesOfSKUs, id, skus).Query(func(rows pgx.Rows) error {
		var price listedPrice
		_, err := pgx.ForEachRow(rows, []any{&sku, &price.amount, &price.compareAt}, func() error {
			state.prices[sku] = price
			return nil
		})
		return err
	})
	batch.Queue(productsOfSKUs, skus).Query(func(rows pgx.Rows) error {
		_, err := pgx.ForEachRow(rows, []any{&sku, &product}, func() error {
			state.products[sku] = product
			return nil
		})
		return err
	})
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return listState{}, fmt.Errorf("read a price list's prices: %w", err)
	}
	if !found {
		return listState{}, contract.Errorf(contract.CodeNotFound, "there is no such price list")
	}
	return state, nil
}

// writeListPrices writes a change of a list's prices with its new version, in one round trip.
func writeListPrices(ctx context.Context, tx pgx.Tx, l contract.PriceList, change listChange) error {
	var skus []string
	var amounts []int64
	var compareAt []*int64
	for _, price := range change.set {
		skus, amounts, compareAt = append(skus, price.SKU), append(amounts, *price.Amount), append(compareAt, price.CompareAt)
	}
	batch := &pgx.Batch{}
	batch.Queue(changePriceList, l.ID, l.Name, l.Currency, l.Region, l.Priority, l.StartsAt, l.EndsAt, l.Version, l.UpdatedAt)
	batch.Queue(removeListPrices, l.ID, change.removed)
	batch.Queue(setListPrices, l.ID, skus, amounts, compareAt)
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("write a price list's prices: %w", err)
	}
	return nil
}

// listPrices gives a page of a list's prices behind a SKU, one more than the limit when there are more.
func (s *store) listPrices(ctx context.Context, id, after string, limit int) ([]contract.ListPrice, error) {
	rows, err := s.db.Query(ctx, pageOfListPrices, id, after, limit+1)
	if err != nil {
		return nil, fmt.Errorf("read a price list's prices: %w", err)
	}
	prices, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (contract.ListPrice, error) {
		var price contract.ListPrice
		err := row.Scan(&price.SKU, &price.Amount, &price.CompareAt)
		return price, err
	})
	if err != nil {
		return nil, fmt.Errorf("read a price list's prices: %w", err)
	}
	return prices, nil
}
