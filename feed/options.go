package feed

import "github.com/meridian-store/meridian/contract"

// Options say how to read a feed, whatever its format. The zero value reads prices in contract.DefaultCurrency.
type Options struct {
	// Currency is the ISO 4217 code of prices that name none, as those of a Shopify export do.
	Currency string
	// Observer is told of refusals and notes as they happen.
	Observer Observer
	// AllowMissingLastLineBreak takes a file of lines whose last has no line break, as some spreadsheets write it. It is refused
	// otherwise, because a file that was cut in its last field looks just the same.
	AllowMissingLastLineBreak bool
}

// WithDefaults fills in what was left out and refuses what cannot be.
func (o Options) WithDefaults() (Options, error) {
	if o.Currency == "" {
		o.Currency = contract.DefaultCurrency
	}
	return o, contract.ValidateCurrency("currency", o.Currency)
}
