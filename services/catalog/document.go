package catalog

import (
	"fmt"
	"strings"

	"github.com/cespare/xxhash/v2"

	"github.com/meridian-store/meridian/contract"
)

// documentRow is a product as the statement for documents gives it.
type documentRow struct {
	doc    contract.ProductDocument
	state  documentState
	prices []ownPrice
	listed []listOffer
}

// documentState is what can change of a document while its product's version stays: the stock, the categories with their names, the
// price lists in force, and in which regions there are any.
type documentState struct {
	version int64
	band    *int64
	places  []string
	offers  []string
	markets []string
}

// revision is different for any two states.
func (s documentState) revision() string {
	hash := xxhash.New()
	fmt.Fprintf(hash, "%d %s %q %q %q", s.version, bandOf(s.band), s.places, s.offers, s.markets) // a hash takes everything
	return fmt.Sprintf("%016x", hash.Sum64())
}

// ownPrice is a variant's own price.
type ownPrice struct {
	SKU      string `json:"sku"`
	Currency string `json:"currency"`
	Amount   int64  `json:"amount"`
}

// listOffer is the price of a variant in a list that is in force; those that come first win.
type listOffer struct {
	SKU      string `json:"sku"`
	Region   string `json:"region"`
	Currency string `json:"currency"`
	Amount   int64  `json:"amount"`
}

// document gives what an index reads.
func (r documentRow) document() contract.ProductDocument {
	doc := r.doc
	doc.Stock, doc.Revision = bandOf(r.state.band), r.state.revision()
	doc.Prices = lowestPrices("", nil, r.prices, r.listed)
	for _, market := range r.state.markets {
		region, currency, _ := strings.Cut(market, "/")
		doc.Prices = append(doc.Prices, lowestPrices(region, &currency, r.prices, r.listed)...)
	}
	return doc
}

// lowestPrices gives the lowest effective price of any variant in each currency, or in one, for those who ask for a region. It is the
// rule of effectivePrice once more, for all markets at once.
func lowestPrices(region string, only *string, own []ownPrice, listed []listOffer) []contract.MarketPrice {
	type good struct{ sku, currency string }
	effective := map[good]int64{}
	for _, offer := range listed {
		at := good{offer.SKU, offer.Currency}
		if _, taken := effective[at]; !taken && (offer.Region == "" || offer.Region == region) {
			effective[at] = offer.Amount
		}
	}
	for _, price := range own {
		if _, taken := effective[good{price.SKU, price.Currency}]; !taken {
			effective[good{price.SKU, price.Currency}] = price.Amount
		}
	}
	lowest := map[string]int64{}
	for at, amount := range effective {
		if known, before := lowest[at.currency]; (!before || amount < known) && (only == nil || *only == at.currency) {
			lowest[at.currency] = amount
		}
	}
	prices := make([]contract.MarketPrice, 0, len(lowest))
	for _, currency := range sortedKeys(lowest) {
		prices = append(prices, contract.MarketPrice{Region: region, Currency: currency, Amount: lowest[currency]})
	}
	return prices
}
