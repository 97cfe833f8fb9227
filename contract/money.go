package contract

import (
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/text/currency"
)

// DefaultCurrency is what an absent `currency` means everywhere.
const DefaultCurrency = "USD"

// Money is an amount in the minor units of an ISO 4217 currency: {1999, "USD"} is 19.99 dollars, {1999, "JPY"} is 1999 yen.
type Money struct {
	Amount   int64  `json:"amount" doc:"In minor units of the currency" example:"1999"`
	Currency string `json:"currency" doc:"ISO 4217 code" example:"USD" minLength:"3" maxLength:"3"`
}

// exponents lists the ISO 4217 currencies (table A.1, 2024) whose minor unit is not a hundredth.
var exponents = map[string]int{
	"BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0, "RWF": 0, "UGX": 0,
	"UYI": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
	"BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
	"CLF": 4, "UYW": 4,
}

// Exponent says how many decimal digits the currency's minor unit has: 2 for USD, 0 for JPY, 3 for KWD.
func Exponent(code string) int {
	if exponent, ok := exponents[code]; ok {
		return exponent
	}
	return 2
}

// ValidateCurrency refuses what is not an upper-case ISO 4217 code.
func ValidateCurrency(field, code string) error {
	if unit, err := currency.ParseISO(code); err != nil || unit.String() != code {
		return Invalid(field, "%q is not an ISO 4217 currency code such as USD", code)
	}
	return nil
}

// ParseMoney reads a plain decimal such as "36.00" exactly. It refuses signs, exponents, thousands separators and digits
// beyond the currency's minor unit unless they are zeros, because rounding a price silently is how cents get lost.
func ParseMoney(decimal, code string) (Money, error) {
	if err := ValidateCurrency("currency", code); err != nil {
		return Money{}, err
	}
	whole, fraction, _ := strings.Cut(strings.TrimSpace(decimal), ".")
	exponent := Exponent(code)
	kept := strings.TrimRight(fraction, "0")
	if whole == "" || !digitsOnly(whole) || !digitsOnly(fraction) {
		return Money{}, Invalid("price", "%q is not a decimal amount such as 36.00", decimal)
	}
	if len(kept) > exponent {
		return Money{}, Invalid("price", "%q has more decimals than %s's %d", decimal, code, exponent)
	}
	amount, err := strconv.ParseInt(whole+kept+strings.Repeat("0", exponent-len(kept)), 10, 64)
	if err != nil || amount > MaxAmount {
		return Money{}, Invalid("price", "%q is too large", decimal)
	}
	return Money{Amount: amount, Currency: code}, nil
}

// MaxAmount bounds one price, in minor units, so that a line, a cart and an order cannot overflow an int64.
const MaxAmount = 1_000_000_000_000

// String writes the amount with its currency's decimals: "19.99 USD".
func (m Money) String() string {
	exponent := Exponent(m.Currency)
	sign, amount := "", m.Amount
	if amount < 0 {
		sign, amount = "-", -amount
	}
	digits := fmt.Sprintf("%0*d", exponent+1, amount)
	if exponent == 0 {
		return sign + digits + " " + m.Currency
	}
	return sign + digits[:len(digits)-exponent] + "." + digits[len(digits)-exponent:] + " " + m.Currency
}

// Times gives the price of n units.
func (m Money) Times(n int64) Money { return Money{Amount: m.Amount * n, Currency: m.Currency} }

// Plus adds two amounts of one currency; mixing currencies is a programmer's error.
func (m Money) Plus(other Money) Money {
	if m.Currency != other.Currency {
		panic("contract: adding " + other.Currency + " to " + m.Currency)
	}
	return Money{Amount: m.Amount + other.Amount, Currency: m.Currency}
}

func digitsOnly(s string) bool {
	return strings.Trim(s, "0123456789") == ""
}
