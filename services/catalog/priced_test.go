package catalog

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/contract"
)

// Whatever their number, exactly the SKUs that were asked for are priced, each once.
func TestAnyNumberOfSKUsIsPriced(t *testing.T) {
	t.Parallel()
	s := open(t)
	product := mug("many")
	first := product.Variants[0]
	product.Options, product.Variants = []contract.Option{{Name: "Size"}}, nil
	for i := range 2*mostSpelled + 1 {
		variant, size := first, fmt.Sprintf("size %d", i)
		variant.SKU, variant.Options = fmt.Sprintf("many-%03d", i), map[string]string{"Size": size}
		product.Options[0].Values = append(product.Options[0].Values, size)
		product.Variants = append(product.Variants, variant)
	}
	s.putProducts(t, product)
	for _, asked := range []int{1, 2, 3, 5, mostSpelled - 1, mostSpelled, mostSpelled + 1, 2 * mostSpelled} {
		want := make([]string, 0, asked)
		for i := range asked {
			want = append(want, fmt.Sprintf("many-%03d", i))
		}
		unknown := append([]string{"nobody sells this"}, want[1:]...)
		for _, skus := range [][]string{want, unknown} {
			priced, err := s.service.store.priced(t.Context(), skus, dollars())
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, item := range priced {
				got = append(got, item.SKU)
			}
			if sold := slices.DeleteFunc(slices.Clone(skus), func(sku string) bool { return strings.HasPrefix(sku, "nobody") }); !slices.Equal(got, sold) {
				t.Errorf("asked for %d, got %v", len(skus), got)
			}
		}
	}
	if priced, err := s.service.store.priced(t.Context(), nil, dollars()); err != nil || len(priced) != 0 {
		t.Errorf("none asked for, got %v, %v", priced, err)
	}
}

// A cart's prices are asked for at each of its reads. PostgreSQL must keep their plan, whether one line or several.
func TestThePlanOfACartsPricesIsKept(t *testing.T) {
	t.Parallel()
	s := open(t)
	fill(t, s, 800)
	analyze(t, s)
	for lines := range 8 {
		var skus []string
		for i := range lines + 1 {
			skus = append(skus, fmt.Sprintf("p-%d S/Blue", 8*(i+1)))
		}
		sql, args := pricedStatement(skus, dollars())
		err := s.DB.InTx(t.Context(), func(tx pgx.Tx) error {
			name := fmt.Sprintf("priced_%d", lines)
			if _, err := tx.Prepare(t.Context(), name, sql); err != nil {
				return err
			}
			// It decides at the sixth.
			for range 7 {
				rows, err := tx.Query(t.Context(), name, args...)
				if err != nil {
					return err
				}
				if rows.Close(); rows.Err() != nil {
					return rows.Err()
				}
			}
			var kept, made int64
			err := tx.QueryRow(t.Context(), "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE name = $1", name).Scan(&kept, &made)
			if err == nil && (kept != 2 || made != 5) {
				t.Errorf("%d lines: the plan was kept %d times and made %d times", lines+1, kept, made)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
