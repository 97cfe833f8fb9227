package order

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/meridian-store/meridian/contract"
)

func usd(amount int64) *contract.Money { return &contract.Money{Amount: amount, Currency: "USD"} }

var twoLines = contract.CartContents{CartID: "crt_use_01ARZ3NDEKTSV4RRFFQ69G5FAV", Version: 3, Currency: "USD", Lines: []contract.SKUCount{{SKU: "A", Quantity: 2}, {SKU: "B", Quantity: 1}}}

var twoPrices = []contract.PricedSKU{{SKU: "B", Title: "Bowl", VariantTitle: "Default Title", Price: usd(333)}, {SKU: "A", Title: "Apron", VariantTitle: "Blue", Price: usd(1999)}}

func added(rate int64) destination {
	return destination{country: "US", tax: contract.Tax{Name: "Sales tax", RateBasisPoints: rate}, shipping: map[string]map[string]int64{"standard": {"USD": 500, "EUR": 450}, "express": {"USD": 1500}}}
}

func included(rate int64) destination {
	d := added(rate)
	d.tax.Included = true
	return d
}

func TestPriceAddsOrContainsTax(t *testing.T) {
	t.Parallel()
	quote, err := price(twoLines, twoPrices, added(600), "standard", offers{})
	if err != nil {
		t.Fatal(err)
	}
	// 2 × 19.99 + 3.33 = 43.31; with 5.00 shipping 48.31; 6 % of it is 2.8986.
	if quote.Subtotal.Amount != 4331 || quote.Shipping.Amount != 500 || quote.Tax.Amount.Amount != 290 || quote.Total.Amount != 5121 {
		t.Errorf("added tax: %+v", quote)
	}
	if quote.Lines[0].Title != "Apron – Blue" || quote.Lines[1].Title != "Bowl" {
		t.Errorf("titles: %+v", quote.Lines)
	}
	quote, err = price(twoLines, twoPrices, included(2300), "standard", offers{})
	if err != nil {
		t.Fatal(err)
	}
	// 48.31 × 23 ÷ 123 = 9.0336…
	if quote.Tax.Amount.Amount != 903 || quote.Total.Amount != 4831 {
		t.Errorf("contained tax: %+v", quote)
	}
}

func TestPriceRefusals(t *testing.T) {
	t.Parallel()
	cart := func(change func(*contract.CartContents)) contract.CartContents {
		c := twoLines
		c.Lines = slices.Clone(c.Lines)
		change(&c)
		return c
	}
	none := []contract.PricedSKU{{SKU: "A", Title: "Apron"}}
	tests := map[string]struct {
		cart   contract.CartContents
		priced []contract.PricedSKU
		method string
		code   contract.Code
		field  string
	}{
		"empty":                        {cart(func(c *contract.CartContents) { c.Lines = nil }), twoPrices, "standard", contract.CodeInvalid, "cart"},
		"only nothing":                 {cart(func(c *contract.CartContents) { c.Lines = []contract.SKUCount{{SKU: "A"}} }), twoPrices, "standard", contract.CodeInvalid, "cart"},
		"unknown method":               {twoLines, twoPrices, "drone", contract.CodeInvalid, "shipping_method"},
		"method not in this currency":  {cart(func(c *contract.CartContents) { c.Currency = "EUR" }), twoPrices, "express", contract.CodeInvalid, "shipping_method"},
		"unknown and unpriced SKU":     {twoLines, none, "standard", contract.CodeConflict, ""},
		"a price in another currency":  {cart(func(c *contract.CartContents) { c.Currency = "EUR" }), twoPrices, "standard", contract.CodeInternal, ""},
		"a price beyond every measure": {twoLines, []contract.PricedSKU{{SKU: "A", Price: usd(contract.MaxAmount + 1)}, twoPrices[0]}, "standard", contract.CodeInternal, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := price(test.cart, test.priced, added(600), test.method, offers{})
			var typed *contract.Error
			if contract.CodeOf(err) != test.code || (errors.As(err, &typed) && typed.Field != test.field) {
				t.Errorf("got %v of code %q", err, contract.CodeOf(err))
			}
			if skus, ok := func() ([]string, bool) {
				if typed == nil {
					return nil, false
				}
				skus, ok := typed.Details["skus"].([]string)
				return skus, ok
			}(); test.code == contract.CodeConflict && (!ok || !slices.Equal(skus, []string{"A", "B"})) {
				t.Errorf("names %v, not A and B", skus)
			}
		})
	}
}

func TestDestinationIsTheRegionOfItsCountry(t *testing.T) {
	t.Parallel()
	home := contract.Region{Tax: contract.Tax{Name: "home"}}
	away := contract.Region{Tax: contract.Tax{Name: "away"}}
	away.Countries = []string{"IE"}
	if got := destinationOf("IE", home, []contract.Region{home, away}); got.tax.Name != "away" {
		t.Errorf("IE is taxed by %s", got.tax.Name)
	}
	if got := destinationOf("AQ", home, []contract.Region{home, away}); got.tax.Name != "home" {
		t.Errorf("AQ is taxed by %s", got.tax.Name)
	}
}

// TestPriceIdentities holds for every cart within the limits: the parts make the whole, tax is within half a minor unit of its
// exact value, nothing overflows, and the name of a quote is a function of what it says.
func TestPriceIdentities(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		cart := contract.CartContents{CartID: "crt_use_01ARZ3NDEKTSV4RRFFQ69G5FAV", Currency: "USD"}
		var priced []contract.PricedSKU
		want := big.NewInt(0)
		for i := range rapid.IntRange(1, contract.MaxCartLines).Draw(t, "lines") {
			sku := fmt.Sprintf("S%d", i)
			quantity := rapid.Int64Range(1, contract.MaxLineQuantity).Draw(t, "quantity")
			amount := rapid.Int64Range(0, contract.MaxAmount).Draw(t, "amount")
			cart.Lines = append(cart.Lines, contract.SKUCount{SKU: sku, Quantity: quantity})
			priced = append(priced, contract.PricedSKU{SKU: sku, Price: usd(amount)})
			want.Add(want, new(big.Int).Mul(big.NewInt(quantity), big.NewInt(amount)))
		}
		rate := rapid.Int64Range(0, 10_000).Draw(t, "rate")
		to := added(rate)
		divisor := int64(10_000)
		if rapid.Bool().Draw(t, "included") {
			to, divisor = included(rate), 10_000+rate
		}
		quote, err := price(cart, priced, to, "standard", offers{})
		if err != nil {
			t.Fatal(err)
		}
		if quote.Subtotal.Amount < 0 || want.Cmp(big.NewInt(quote.Subtotal.Amount)) != 0 {
			t.Fatalf("the subtotal is %d, not %s", quote.Subtotal.Amount, want)
		}
		total := quote.Subtotal.Amount + quote.Shipping.Amount
		// Half up: tax − ½ ≤ exact < tax + ½, in integers.
		exact := new(big.Int).Mul(big.NewInt(2*total), big.NewInt(rate))
		low := new(big.Int).Mul(big.NewInt(2*quote.Tax.Amount.Amount-1), big.NewInt(divisor))
		high := new(big.Int).Mul(big.NewInt(2*quote.Tax.Amount.Amount+1), big.NewInt(divisor))
		if low.Cmp(exact) > 0 || exact.Cmp(high) >= 0 {
			t.Fatalf("tax %d on %d at %d/%d is not rounded half up", quote.Tax.Amount.Amount, total, rate, divisor)
		}
		if !to.tax.Included {
			total += quote.Tax.Amount.Amount
		}
		if quote.Total.Amount != total || quote.Tax.Amount.Amount > quote.Total.Amount {
			t.Fatalf("the total is %d, not %d", quote.Total.Amount, total)
		}
		shuffled := cart
		shuffled.Lines = rapid.Permutation(cart.Lines).Draw(t, "order")
		again, err := price(shuffled, priced, to, "standard", offers{})
		if err != nil || again.Quote != quote.Quote {
			t.Fatalf("the same breakdown is %s and %s (%v)", quote.Quote, again.Quote, err)
		}
		shuffled.Lines = slices.Clone(cart.Lines)
		shuffled.Lines[0].Quantity++
		other, err := price(shuffled, priced, to, "standard", offers{})
		if err != nil || other.Quote == quote.Quote {
			t.Fatalf("another breakdown is %s too (%v)", quote.Quote, err)
		}
	})
}

func TestLinesOfOneSKUAreSummed(t *testing.T) {
	t.Parallel()
	cart := twoLines
	cart.Lines = []contract.SKUCount{{SKU: "A", Quantity: 2}, {SKU: "B", Quantity: 1}, {SKU: "A", Quantity: 3}}
	quote, err := price(cart, twoPrices, added(0), "standard", offers{})
	if err != nil || len(quote.Lines) != 2 || quote.Lines[0].Quantity != 5 || quote.Lines[0].Total.Amount != 5*1999 {
		t.Errorf("%+v, %v", quote.Lines, err)
	}
}
