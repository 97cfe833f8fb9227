package stripe

import (
	"fmt"
	"strings"

	api "github.com/stripe/stripe-go/v85"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/services/payment/provider"
)

// scale says how Stripe counts a currency whose count differs from ISO 4217's minor unit: theirs = ours × times / per.
type scale struct{ times, per int64 }

// Stripe counts these as it did before their exponents changed, or by what can be paid: see its page on currencies.
var scales = map[string]scale{"ISK": {100, 1}, "UGX": {100, 1}, "MGA": {1, 100}}

const (
	codeAmount = "amount_not_payable"
	// threeDecimals are paid in whole hundredths at Stripe: the last of their three digits is 0.
	threeDecimals = 3
	hundredth     = 10
)

func scaleOf(currency string) scale {
	if s, ok := scales[currency]; ok {
		return s
	}
	return scale{1, 1}
}

// outward gives an amount as Stripe counts it. What Stripe can not take is refused; rounding would charge what nobody was shown.
func (s *Stripe) outward(money contract.Money) (int64, error) {
	if !s.config.FineThousandths && contract.Exponent(money.Currency) == threeDecimals && money.Amount%hundredth != 0 {
		return 0, fmt.Errorf("%s: the provider takes %s in whole hundredths: %w", money, money.Currency, &provider.Refused{Code: codeAmount})
	}
	by := scaleOf(money.Currency)
	if money.Amount%by.per != 0 {
		return 0, fmt.Errorf("%s: the provider takes %s in units of %d: %w", money, money.Currency, by.per, &provider.Refused{Code: codeAmount})
	}
	return money.Amount * by.times / by.per, nil
}

// inward gives what Stripe counted as our money.
func inward(amount int64, currency api.Currency) (contract.Money, error) {
	code := strings.ToUpper(string(currency))
	if err := contract.ValidateCurrency("currency", code); err != nil {
		return contract.Money{}, fmt.Errorf("the payment provider's answer: %w", err)
	}
	by := scaleOf(code)
	return contract.Money{Amount: amount * by.per / by.times, Currency: code}, nil
}
