package shopify

import (
	"github.com/meridian-store/meridian/feed"
	"github.com/meridian-store/meridian/services/contract"
)

// Options say how to read a file. The zero value reads prices in contract.DefaultCurrency.
type Options struct {
	// Currency is the ISO 4217 code of the file's prices, which the file does not name.
	Currency string
	// Observer is told of refusals and notes as they happen.
	Observer feed.Observer
	// AllowMissingLastLineBreak takes a file whose last line has no line break, as some spreadsheets write it. It is refused
	// otherwise, because a file that was cut in its last field looks just the same.
	AllowMissingLastLineBreak bool
}

func (o Options) withDefaults() (Options, error) {
	if o.Currency == "" {
		o.Currency = contract.DefaultCurrency
	}
	return o, contract.ValidateCurrency("currency", o.Currency)
}
