package catalog

import (
	"context"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/sqldb"
)

// Whatever lists there are, the price is the one that the rule says.
func TestTheEffectivePriceIsTheRules(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.putProducts(t, mug("mug"))
	begin := time.Now().Truncate(time.Second)
	rapid.Check(t, func(rt *rapid.T) {
		if _, err := s.DB.Exec(t.Context(), `DELETE FROM price_lists`); err != nil {
			rt.Fatal(err)
		}
		hour := func(name string) *time.Time {
			n := rapid.IntRange(-1, 6).Draw(rt, name)
			if n < 0 {
				return nil
			}
			at := begin.Add(time.Duration(n) * time.Hour)
			return &at
		}
		var lists []contract.PriceList
		for n := range rapid.IntRange(0, 5).Draw(rt, "lists") {
			input := contract.PriceListInput{Name: "n", Currency: rapid.SampledFrom([]string{"USD", "JPY"}).Draw(rt, "currency"),
				Region:   rapid.SampledFrom([]string{"", "eu-west", "us-east"}).Draw(rt, "region"),
				Priority: rapid.Int64Range(0, 2).Draw(rt, "priority"), StartsAt: hour("from"), EndsAt: hour("to")}
			made, err := s.service.createPriceList(t.Context(), input)
			if input.StartsAt != nil && input.EndsAt != nil && !input.StartsAt.Before(*input.EndsAt) {
				if contract.CodeOf(err) != contract.CodeInvalid {
					rt.Fatalf("a list that ends before it begins: %v", err)
				}
				continue
			}
			if err != nil {
				rt.Fatal(err)
			}
			if rapid.Bool().Draw(rt, "prices the SKU") {
				if _, _, err := s.service.writePrices(t.Context(), made.ID, "", prices(t, priceOf("mug", int64(n)))); err != nil {
					rt.Fatal(err)
				}
				made.Version = int64(n) // the price, to find it by
				lists = append(lists, made)
			}
		}
		in := market{currency: rapid.SampledFrom([]string{"USD", "JPY"}).Draw(rt, "asked"), region: rapid.SampledFrom([]string{"", "eu-west"}).Draw(rt, "in"),
			at: begin.Add(time.Duration(rapid.IntRange(0, 12).Draw(rt, "at")) * 30 * time.Minute)}
		want, best := int64(-1), contract.PriceList{}
		if in.currency == "USD" {
			want = 900
		}
		for _, l := range lists {
			holds := l.Currency == in.currency && (l.Region == "" || l.Region == in.region) &&
				(l.StartsAt == nil || !l.StartsAt.After(in.at)) && (l.EndsAt == nil || l.EndsAt.After(in.at))
			better := best.ID == "" || (l.Region != "") != (best.Region != "") && l.Region != "" ||
				(l.Region != "") == (best.Region != "") && l.Priority >= best.Priority // they come in the order they were made
			if holds && better {
				want, best = l.Version, l
			}
		}
		items, err := s.service.store.priced(t.Context(), []string{"mug"}, in)
		if err != nil {
			rt.Fatal(err)
		}
		got := int64(-1)
		if items[0].Price != nil {
			got = items[0].Price.Amount
		}
		if got != want {
			rt.Fatalf("%+v: %d, want %d of %+v", in, got, want, lists)
		}
	})
}

func TestPriceListsCostWhatTheySay(t *testing.T) {
	t.Parallel()
	s := open(t)
	var products []contract.ProductInput
	for i := range MaxBulkProducts {
		products = append(products, mug(fmt.Sprintf("mug-%d", i)))
	}
	s.putProducts(t, products...)
	list := s.list(t, contract.PriceListInput{Currency: "USD"})
	write := func(count int, amount int64) func(context.Context) error {
		var items []contract.ListPrice
		for i := range count {
			items = append(items, priceOf(fmt.Sprintf("mug-%d", i), amount))
		}
		return func(ctx context.Context) error {
			_, _, err := s.service.writePrices(ctx, list.ID, "", prices(t, items...))
			return err
		}
	}
	for _, c := range []struct {
		path                string
		run                 func(context.Context) error
		roundTrips, commits int64
	}{
		{"one price", write(1, 1), 5, 1},
		{"many prices", write(MaxBulkProducts, 2), 5, 1},
		{"the same prices", write(MaxBulkProducts, 2), 3, 1},
		{"priced SKUs", func(ctx context.Context) error {
			_, err := s.service.store.priced(ctx, []string{"mug-0", "mug-1"}, dollars())
			return err
		}, 1, 0},
		{"product", func(ctx context.Context) error {
			_, _, err := s.service.store.product(ctx, "mug-0", dollars())
			return err
		}, 1, 0},
		{"list", func(ctx context.Context) error {
			_, err := s.service.store.list(ctx, listQuery{market: dollars(), limit: 20})
			return err
		}, 1, 0},
	} {
		ctx, counter := sqldb.Count(t.Context())
		if err := c.run(ctx); err != nil {
			t.Errorf("%s: %v", c.path, err)
		}
		if counter.RoundTrips() != c.roundTrips || counter.Commits() != c.commits {
			t.Errorf("%s: %d round trips and %d commits, want %d and %d", c.path, counter.RoundTrips(), counter.Commits(), c.roundTrips, c.commits)
		}
	}
}
