package audit

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/meridian-store/meridian/contract"
)

// aQuote draws a quote that adds up.
func aQuote(t *rapid.T) contract.Quote {
	currency := rapid.SampledFrom([]string{"USD", "JPY", "KWD"}).Draw(t, "currency")
	in := func(amount int64) contract.Money { return contract.Money{Amount: amount, Currency: currency} }
	quote := contract.Quote{Currency: currency, Subtotal: in(0), Shipping: in(rapid.Int64Range(0, 10_000).Draw(t, "shipping"))}
	var off int64
	for range rapid.IntRange(1, 5).Draw(t, "lines") {
		line := contract.QuoteLine{Quantity: rapid.Int64Range(1, 999).Draw(t, "quantity"), UnitPrice: in(rapid.Int64Range(0, contract.MaxAmount).Draw(t, "price"))}
		line.Total = line.UnitPrice.Times(line.Quantity)
		line.Discount = in(rapid.Int64Range(0, line.Total.Amount).Draw(t, "off the line"))
		off += line.Discount.Amount
		quote.Lines, quote.Subtotal = append(quote.Lines, line), quote.Subtotal.Plus(line.Total)
	}
	off += rapid.Int64Range(0, quote.Shipping.Amount).Draw(t, "off shipping")
	quote.Discount, quote.Promotions = in(off), []contract.QuotePromotion{{Amount: in(off)}}
	quote.Total = quote.Subtotal.Plus(quote.Shipping).Plus(in(-off))
	quote.Tax = contract.QuoteTax{RateBasisPoints: rapid.Int64Range(0, 10_000).Draw(t, "rate"), Included: rapid.Bool().Draw(t, "included")}
	if quote.Tax.Included {
		quote.Tax.Amount = in(contract.Share(quote.Total.Amount, quote.Tax.RateBasisPoints, 10_000+quote.Tax.RateBasisPoints))
		return quote
	}
	quote.Tax.Amount = in(contract.Share(quote.Total.Amount, quote.Tax.RateBasisPoints, 10_000))
	quote.Total = quote.Total.Plus(quote.Tax.Amount)
	return quote
}

// TestAQuoteAddsUpUnlessAnyAmountIsChanged changes each amount of a sound quote by one, and its currency.
func TestAQuoteAddsUpUnlessAnyAmountIsChanged(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		quote := aQuote(t)
		if wrong := addUp(quote); wrong != "" {
			t.Fatalf("%+v: %s", quote, wrong)
		}
		for name, amount := range map[string]*contract.Money{
			"subtotal": &quote.Subtotal, "discount": &quote.Discount, "tax": &quote.Tax.Amount, "total": &quote.Total, "shipping": &quote.Shipping,
			"promotion": &quote.Promotions[0].Amount, "line": &quote.Lines[0].Total,
		} {
			sound := *amount
			amount.Amount++
			if addUp(quote) == "" {
				t.Fatalf("one more of %s adds up too: %+v", name, quote)
			}
			*amount = contract.Money{Amount: sound.Amount, Currency: "EUR"}
			if addUp(quote) == "" {
				t.Fatalf("another currency of %s adds up too: %+v", name, quote)
			}
			*amount = sound
		}
		quote.Currency = "XXQ"
		if addUp(quote) == "" {
			t.Fatal("an unknown currency adds up")
		}
	})
}

func TestQuotesOfNoSense(t *testing.T) {
	t.Parallel()
	in := func(amount int64) contract.Money { return contract.Money{Amount: amount, Currency: "USD"} }
	for name, quote := range map[string]contract.Quote{
		"nothing of a thing": {Currency: "USD", Lines: []contract.QuoteLine{{UnitPrice: in(5)}}},
		"less than nothing":  {Currency: "USD", Lines: []contract.QuoteLine{{Quantity: 1, UnitPrice: in(-5), Total: in(-5)}}, Subtotal: in(-5), Total: in(-5)},
		"more off than on": {
			Currency: "USD", Lines: []contract.QuoteLine{{Quantity: 1, UnitPrice: in(5), Total: in(5), Discount: in(6)}}, Subtotal: in(5), Discount: in(6),
			Promotions: []contract.QuotePromotion{{Amount: in(6)}}, Total: in(-1),
		},
	} {
		if addUp(quote) == "" {
			t.Errorf("%s adds up", name)
		}
	}
	old := contract.Quote{ // from before there were discounts
		Currency: "USD", Lines: []contract.QuoteLine{{Quantity: 1, UnitPrice: in(5), Total: in(5)}}, Subtotal: in(5), Shipping: in(1), Tax: contract.QuoteTax{Amount: in(0)}, Total: in(6),
	}
	if wrong := addUp(old); wrong != "" {
		t.Error(wrong)
	}
}
