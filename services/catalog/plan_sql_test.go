package catalog

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/local/engine/enginetest"
)

// Each hot statement must be able to find its rows by the index that was made for it, and in its order. Ways that cost the same on
// tables as small as these, and much more on large ones, are ruled out.
func TestHotStatementsUseTheirIndexes(t *testing.T) {
	t.Parallel()
	s := open(t)
	fill(t, s, 1600)
	list := s.list(t, contract.PriceListInput{Currency: "USD"})
	s.list(t, contract.PriceListInput{Currency: "USD", Region: "eu-west"})
	for from := 0; from < 1600; from += contract.MaxListPrices {
		var items []contract.ListPrice
		for n := from; n < min(from+contract.MaxListPrices, 1600); n++ {
			items = append(items, priceOf(fmt.Sprintf("p-%d S/Blue", n), 1500))
		}
		s.price(t, list.ID, items...)
	}
	analyze(t, s)
	all := listQuery{market: dollars(), limit: 20}
	brand, category, both := all, all, all
	brand.brand, both.brand = "Brand 8", "Brand 8"
	category.category, both.category = "shirts", "shirts"
	cases := map[string]struct {
		sql     string
		args    []any
		indexes []string
	}{
		"one by id":             {productByID, dollars().arguments("prd_use_01K9ZX3M5Q8T2V4W6Y7Z8A9BCD"), []string{"products_pkey", "variants_by_product", "prices_pkey"}},
		"one by slug":           {productBySlug, dollars().arguments("p-8"), []string{"products_slug", "variants_by_product", "prices_pkey"}},
		"a list's prices":       {pageOfListPrices, []any{list.ID, "p-5", 100}, []string{"price_list_prices_of_list"}},
		"some prices of a list": {pricesOfSKUs, []any{list.ID, []string{"p-5 S/Blue", "p-6 S/Blue"}}, []string{"price_list_prices"}},
		"record":                {recordBySlug, []any{"p-8"}, []string{"products_slug", "variants_by_product", "prices_pkey"}},
	}
	for name, skus := range map[string][]string{
		"SKUs of a cart": {"p-8 S/Blue", "p-12 S/Blue", "p-16 S/Blue"}, "many SKUs": slices.Repeat([]string{"p-8 S/Blue"}, mostSpelled+1),
	} {
		sql, args := pricedStatement(skus, dollars())
		c := cases[name]
		c.sql, c.args, c.indexes = sql, args, []string{"variants_sku", "products_pkey", "prices_pkey"}
		cases[name] = c
	}
	for name, list := range map[string]struct {
		query   listQuery
		indexes []string
	}{
		"list":                      {all, []string{"products_list", "variants_by_product", "prices_pkey"}},
		"list of a brand":           {brand, []string{"products_list_by_brand"}},
		"list of a category":        {category, []string{"product_categories_pkey", "products_pkey", "variants_by_product"}},
		"a brand within a category": {both, []string{"variants_by_product", "prices_pkey"}},
	} {
		sql, args := list.query.statement()
		c := cases[name]
		c.sql, c.args, c.indexes = sql, args, list.indexes
		cases[name] = c
	}
	for name, c := range cases {
		plan := explain(t, s, c.sql, c.args...)
		for _, index := range c.indexes {
			if !strings.Contains(plan, index) {
				t.Errorf("%s does not use %s:\n%s", name, index, plan)
			}
		}
		if strings.Contains(c.sql, effectivePrice) && (!strings.Contains(plan, "price_lists_in_force") || !strings.Contains(plan, "price_list_prices")) {
			t.Errorf("%s does not find the price lists by their indexes:\n%s", name, plan)
		}
		for _, table := range []string{"products", "variants", "prices", "product_categories", "price_lists", "price_list_prices"} {
			if strings.Contains(plan, "Seq Scan on "+table+" ") {
				t.Errorf("%s reads all of %s:\n%s", name, table, plan)
			}
		}
		for line := range strings.Lines(plan) {
			// The price lists in force, a handful, are the only thing to be sorted.
			if strings.Contains(name, "list of a category") && strings.Contains(line, "Sort Key") && !strings.Contains(line, "l.priority") {
				t.Errorf("%s sorts what the index has in order:\n%s", name, plan)
			}
		}
	}
}

// fill adds products of twenty brands in eight categories; most are drafts.
func fill(t testing.TB, s shop, products int) {
	t.Helper()
	categories := []contract.CategoryInput{{Slug: "clothes", Name: "Clothes"}, {Slug: "shirts", Name: "Shirts", Parent: "clothes"}}
	for i := range 7 {
		categories = append(categories, contract.CategoryInput{Slug: fmt.Sprintf("other-%d", i), Name: "Other"})
	}
	s.putCategories(t, categories...)
	for at := 0; at < products; {
		var some []contract.ProductInput
		for ; at < products && len(some) < MaxBulkProducts; at++ {
			product := shirt(fmt.Sprintf("p-%d", at), categories[1+at%8].Slug)
			product.Brand, product.Published = fmt.Sprintf("Brand %d", at%20), at%16 == 0
			some = append(some, product)
		}
		if created := s.putProducts(t, some...).outcomes()[outcomeCreated]; created != len(some) {
			t.Fatalf("%d of %d were created", created, len(some))
		}
	}
}

// analyze shows the planner the tables, as the server does by itself within a minute; only their owner may ask for it.
func analyze(t testing.TB, s shop) {
	t.Helper()
	owner, err := url.Parse(enginetest.Postgres(t).SuperuserURL())
	if err != nil {
		t.Fatal(err)
	}
	own, err := url.Parse(s.Env.SQLURL.Current())
	if err != nil {
		t.Fatal(err)
	}
	owner.Path = own.Path
	conn, err := pgx.Connect(t.Context(), owner.String())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), `ANALYZE`); err != nil {
		t.Error(err)
	}
	if err := conn.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func explain(t testing.TB, s shop, sql string, args ...any) string {
	t.Helper()
	var lines []string
	err := s.DB.InTx(t.Context(), func(tx pgx.Tx) error {
		for _, way := range []string{"seqscan", "bitmapscan", "sort", "hashjoin", "mergejoin"} {
			if _, err := tx.Exec(t.Context(), "SET LOCAL enable_"+way+" = off"); err != nil {
				return err
			}
		}
		rows, err := tx.Query(t.Context(), "EXPLAIN "+sql, args...)
		if err != nil {
			return err
		}
		lines, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	if err != nil {
		t.Fatalf("explain %s: %v", sql, err)
	}
	return strings.Join(lines, "\n")
}
