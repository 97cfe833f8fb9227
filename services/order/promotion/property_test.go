package promotion_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/services/order/promotion"
)

func drawBasket(t *rapid.T) promotion.Basket {
	b := promotion.Basket{Currency: "KWD", Method: "standard", Shipping: rapid.Int64Range(0, 100_000).Draw(t, "shipping")}
	for i := range rapid.IntRange(1, 30).Draw(t, "lines") {
		b.Lines = append(b.Lines, promotion.Line{
			SKU: fmt.Sprintf("S%d", i), Quantity: rapid.Int64Range(1, contract.MaxLineQuantity).Draw(t, "quantity"),
			UnitPrice: rapid.OneOf(rapid.Int64Range(0, 50), rapid.Int64Range(0, contract.MaxAmount)).Draw(t, "price"),
		})
	}
	return b
}

func drawOffers(t *rapid.T) (offers []promotion.Offer, codes []string) {
	money := func(label string) []contract.Money {
		return []contract.Money{{Amount: rapid.OneOf(rapid.Int64Range(1, 1000), rapid.Int64Range(1, contract.MaxAmount)).Draw(t, label), Currency: "KWD"}}
	}
	for i := range rapid.IntRange(0, 8).Draw(t, "offers") {
		offer := promotion.Offer{ID: fmt.Sprintf("prm%d", i), UsedUp: rapid.IntRange(0, 9).Draw(t, "used up") == 0}
		offer.Title, offer.Exclusive, offer.Priority = "A promotion", rapid.IntRange(0, 3).Draw(t, "exclusive") == 0, rapid.IntRange(-2, 2).Draw(t, "priority")
		offer.Kind = rapid.SampledFrom([]promotion.Kind{promotion.Percentage, promotion.Amount, promotion.BuyXGetY, promotion.FreeShipping}).Draw(t, "kind")
		switch offer.Kind {
		case promotion.Percentage:
			offer.BasisPoints = rapid.Int64Range(1, 10_000).Draw(t, "basis points")
		case promotion.Amount:
			offer.Amounts = money("amount")
		case promotion.BuyXGetY:
			offer.BasisPoints = rapid.Int64Range(1, 10_000).Draw(t, "basis points")
			offer.Buy, offer.Get = rapid.Int64Range(1, 5).Draw(t, "buy"), rapid.Int64Range(1, 5).Draw(t, "get")
		}
		if rapid.Bool().Draw(t, "of some goods") {
			offer.SKUs = rapid.SliceOfNDistinct(rapid.Map(rapid.IntRange(0, 30), func(i int) string { return fmt.Sprintf("S%d", i) }), 1, 10, rapid.ID).Draw(t, "skus")
		}
		if rapid.Bool().Draw(t, "with a minimum") {
			offer.Minimum = money("minimum")
		}
		if rapid.Bool().Draw(t, "with a code") {
			offer.Code = fmt.Sprintf("CODE%d", i)
			if rapid.Bool().Draw(t, "entered") {
				codes = append(codes, offer.Code)
			}
		}
		offers = append(offers, offer)
	}
	return offers, codes
}

// TestWhateverTheOffers nothing falls below zero, the parts make the whole, each code is answered once, the shopper gets the best
// combination, and the order in which anything is named changes nothing.
func TestWhateverTheOffers(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		b := drawBasket(t)
		offers, codes := drawOffers(t)
		for _, offer := range offers {
			if err := offer.Normal().Validate(); err != nil {
				t.Fatalf("%+v: %v", offer, err)
			}
		}
		got := promotion.Apply(b, offers, codes, noon)
		parts := got.Shipping
		for _, line := range b.Lines {
			part := got.Lines[line.SKU]
			if part < 0 || part > line.UnitPrice*line.Quantity {
				t.Fatalf("%d off %+v", part, line)
			}
			parts += part
		}
		if got.Shipping < 0 || got.Shipping > b.Shipping || parts != got.Total() {
			t.Fatalf("%d in parts, %d off shipping of %d, %d in all", parts, got.Shipping, b.Shipping, got.Total())
		}
		answered := map[string]int{}
		for _, applied := range got.Applied {
			answered[applied.Code]++
			if applied.Amount <= 0 || applied.UsedUp || (applied.Exclusive && len(got.Applied) > 1) || (applied.Code != "" && !slices.Contains(codes, applied.Code)) {
				t.Fatalf("%+v applies", applied)
			}
		}
		for _, refused := range got.Refused {
			answered[refused.Code]++
		}
		for _, code := range codes {
			if answered[code] != 1 {
				t.Fatalf("%s is answered %d times", code, answered[code])
			}
		}
		for _, offer := range offers {
			alone := promotion.Apply(b, []promotion.Offer{offer}, codes, noon)
			if offer.Exclusive && alone.Total() > got.Total() {
				t.Fatalf("%s alone takes %d off, not %d", offer.ID, alone.Total(), got.Total())
			}
		}
		b.Lines = rapid.Permutation(b.Lines).Draw(t, "lines in another order")
		again := promotion.Apply(b, rapid.Permutation(offers).Draw(t, "offers in another order"), codes, noon)
		if !reflect.DeepEqual(got, again) {
			t.Fatalf("%+v, then %+v", got, again)
		}
	})
}
