package audit

import (
	"fmt"
	"math/big"

	"github.com/meridian-store/meridian/contract"
)

// addUp says why a quote is not the sum of its parts, "" when it is. It adds by itself, with numbers of any size, so that a mistake
// in the service's own arithmetic does not hide itself.
func addUp(quote contract.Quote) string {
	if err := contract.ValidateCurrency("currency", quote.Currency); err != nil {
		return fmt.Sprintf("its currency is %q", quote.Currency)
	}
	sums := money{quote: quote}
	subtotal, offGoods := new(big.Int), new(big.Int)
	for _, line := range quote.Lines {
		if line.Quantity <= 0 {
			return fmt.Sprintf("a line has %d units", line.Quantity)
		}
		total := sums.of("a line's price", line.UnitPrice)
		sums.same("a line's total", line.Total, total.Mul(total, big.NewInt(line.Quantity)))
		subtotal.Add(subtotal, big.NewInt(line.Total.Amount))
		offGoods.Add(offGoods, sums.of("a line's discount", line.Discount))
		if line.Discount.Amount > line.Total.Amount {
			sums.note("a line's discount is more than the line")
		}
	}
	sums.same("the subtotal", quote.Subtotal, subtotal)
	discount := new(big.Int)
	for _, promotion := range quote.Promotions {
		discount.Add(discount, sums.of("a promotion", promotion.Amount))
	}
	sums.same("the discount", quote.Discount, discount)
	if offShipping := new(big.Int).Sub(discount, offGoods); offShipping.Sign() < 0 || offShipping.Cmp(big.NewInt(quote.Shipping.Amount)) > 0 {
		sums.note("the lines' discounts leave %s to come off a shipping of %d", offShipping, quote.Shipping.Amount)
	}
	taxed := new(big.Int).Sub(new(big.Int).Add(subtotal, sums.of("the shipping", quote.Shipping)), discount)
	if taxed.Sign() < 0 {
		sums.note("the discount is more than goods and shipping")
	}
	total := new(big.Int).Set(taxed)
	whole := big.NewInt(10_000)
	if quote.Tax.Included {
		whole.Add(whole, big.NewInt(quote.Tax.RateBasisPoints))
	} else {
		total.Add(total, big.NewInt(quote.Tax.Amount.Amount))
	}
	sums.same("the tax", quote.Tax.Amount, halfUp(taxed, quote.Tax.RateBasisPoints, whole))
	sums.same("the total", quote.Total, total)
	return sums.wrong
}

// money compares a quote's amounts and keeps the first that is wrong.
type money struct {
	quote contract.Quote
	wrong string
}

func (m *money) note(format string, args ...any) {
	if m.wrong == "" {
		m.wrong = fmt.Sprintf(format, args...)
	}
}

// of gives an amount that has to be in the quote's currency and not negative. An order from before there were discounts has an
// amount of nothing in no currency.
func (m *money) of(what string, amount contract.Money) *big.Int {
	if amount.Amount < 0 {
		m.note("%s is negative: %s", what, amount)
	}
	if amount.Currency != m.quote.Currency && amount != (contract.Money{}) {
		m.note("%s is in %q, not in %s", what, amount.Currency, m.quote.Currency)
	}
	return big.NewInt(amount.Amount)
}

func (m *money) same(what string, got contract.Money, want *big.Int) {
	if m.of(what, got).Cmp(want) != 0 {
		m.note("%s is %d where its parts give %s", what, got.Amount, want)
	}
}

// halfUp gives amount × part ÷ whole, rounded half up.
func halfUp(amount *big.Int, part int64, whole *big.Int) *big.Int {
	twice := new(big.Int).Mul(big.NewInt(2), new(big.Int).Mul(amount, big.NewInt(part)))
	return twice.Div(twice.Add(twice, whole), new(big.Int).Mul(big.NewInt(2), whole))
}
