package google

import (
	"github.com/meridian-store/meridian/feed"
	"github.com/meridian-store/meridian/services/contract"
)

// Options say how to read a feed.
type Options struct {
	// Currency is the ISO 4217 code of prices that name none; contract.DefaultCurrency when empty.
	Currency string
	// Observer is told of refusals and notes as they happen.
	Observer feed.Observer
	// AllowMissingLastLineBreak takes a text feed whose last line has no line break. It is refused otherwise, because a feed that was
	// cut in its last field looks just the same.
	AllowMissingLastLineBreak bool
}

func (o Options) withDefaults() (Options, error) {
	if o.Currency == "" {
		o.Currency = contract.DefaultCurrency
	}
	return o, contract.ValidateCurrency("currency", o.Currency)
}
