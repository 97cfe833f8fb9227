package order

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math/bits"
	"slices"
	"strings"

	"github.com/meridian-store/meridian/services/contract"
)

// destination is a region's rules for a country: its shipping prices and its tax.
type destination struct {
	country  string
	shipping map[string]map[string]int64
	tax      contract.Tax
}

// destinationOf finds the rules for a country: those of the region that it is homed in, of the serving region when none claims it.
func destinationOf(country string, serving contract.Region, regions []contract.Region) destination {
	rules := serving
	for _, region := range regions {
		if slices.Contains(region.Countries, country) {
			rules = region
			break
		}
	}
	return destination{country: country, shipping: rules.Shipping, tax: rules.Tax}
}

// price makes the full breakdown of a cart. It is pure: the same cart, prices and rules give the same quote, by the same name.
//
// The rules, each stated once:
//   - a line is its unit price times its quantity; lines of one SKU are one line, and the subtotal is their sum;
//   - shipping is the destination's price of the method in the cart's currency;
//   - tax is on goods and shipping together, and is rounded once, half up, for the whole order;
//   - where shelf prices contain the tax it is total × rate ÷ (10000 + rate) and part of the total; elsewhere it is
//     (goods + shipping) × rate ÷ 10000 and added.
//
// Amounts stay within an int64: 200 lines × 999 units × contract.MaxAmount is below 2^58.
func price(cart contract.CartContents, priced []contract.PricedSKU, to destination, method string) (contract.Quote, error) {
	counts := sumBySKU(cart.Lines)
	if len(counts) == 0 {
		return contract.Quote{}, contract.Invalid("cart", "is empty")
	}
	shipping, err := to.shippingPrice(method, cart.Currency)
	if err != nil {
		return contract.Quote{}, err
	}
	lines, err := priceLines(counts, priced, cart.Currency)
	if err != nil {
		return contract.Quote{}, err
	}
	subtotal := contract.Money{Currency: cart.Currency}
	for _, line := range lines {
		subtotal = subtotal.Plus(line.Total)
	}
	tax, total := to.taxOn(subtotal.Plus(shipping))
	quote := contract.Quote{
		CartID: cart.CartID, Currency: cart.Currency, Lines: lines, Subtotal: subtotal, ShippingMethod: method, Shipping: shipping, Tax: tax, Total: total,
	}
	quote.Quote, err = nameOf(quote)
	return quote, err
}

// sumBySKU joins lines of one SKU, in the order in which each first appears.
func sumBySKU(lines []contract.SKUCount) []contract.SKUCount {
	at := make(map[string]int, len(lines))
	var sums []contract.SKUCount
	for _, line := range lines {
		if line.Quantity <= 0 {
			continue
		}
		if i, seen := at[line.SKU]; seen {
			sums[i].Quantity += line.Quantity
			continue
		}
		at[line.SKU] = len(sums)
		sums = append(sums, line)
	}
	return sums
}

func priceLines(counts []contract.SKUCount, priced []contract.PricedSKU, currency string) ([]contract.QuoteLine, error) {
	known := make(map[string]contract.PricedSKU, len(priced))
	for _, sku := range priced {
		known[sku.SKU] = sku
	}
	lines := make([]contract.QuoteLine, 0, len(counts))
	var unavailable []string
	for _, count := range counts {
		sku, ok := known[count.SKU]
		if !ok || sku.Price == nil {
			unavailable = append(unavailable, count.SKU)
			continue
		}
		if sku.Price.Currency != currency || sku.Price.Amount < 0 || sku.Price.Amount > contract.MaxAmount || count.Quantity > contract.MaxCartLines*contract.MaxLineQuantity {
			return nil, fmt.Errorf("the catalog's price of %q, %s for %d, is not one to sell at in %s", count.SKU, sku.Price, count.Quantity, currency)
		}
		lines = append(lines, contract.QuoteLine{
			SKU: count.SKU, Title: titleOf(sku), Quantity: count.Quantity, UnitPrice: *sku.Price, Total: sku.Price.Times(count.Quantity),
		})
	}
	if len(unavailable) > 0 {
		return nil, contract.Errorf(contract.CodeConflict, "these can not be bought in %s now: %s; take them out of the cart", currency, strings.Join(unavailable, ", ")).With("skus", unavailable)
	}
	return lines, nil
}

func titleOf(sku contract.PricedSKU) string {
	if sku.VariantTitle == "" || sku.VariantTitle == "Default Title" {
		return sku.Title
	}
	return sku.Title + " – " + sku.VariantTitle
}

func (d destination) shippingPrice(method, currency string) (contract.Money, error) {
	prices, ok := d.shipping[method]
	if !ok {
		return contract.Money{}, contract.Invalid("shipping_method", "%q is not one of %s", method, strings.Join(slices.Sorted(maps.Keys(d.shipping)), ", "))
	}
	amount, ok := prices[currency]
	if !ok {
		return contract.Money{}, contract.Invalid("shipping_method", "%q has no price in %s; it has one in %s", method, currency, strings.Join(slices.Sorted(maps.Keys(prices)), ", "))
	}
	return contract.Money{Amount: amount, Currency: currency}, nil
}

// taxOn gives the tax on goods and shipping, and the total with it.
func (d destination) taxOn(taxed contract.Money) (contract.QuoteTax, contract.Money) {
	rate := d.tax.RateFor(d.country)
	tax := contract.QuoteTax{Name: d.tax.Name, RateBasisPoints: rate, Included: d.tax.Included}
	if d.tax.Included {
		tax.Amount = contract.Money{Amount: share(taxed.Amount, rate, 10_000+rate), Currency: taxed.Currency}
		return tax, taxed
	}
	tax.Amount = contract.Money{Amount: share(taxed.Amount, rate, 10_000), Currency: taxed.Currency}
	return tax, taxed.Plus(tax.Amount)
}

// share gives amount × part ÷ whole, rounded half up, for 0 ≤ part ≤ whole. The product may need more than 64 bits.
func share(amount, part, whole int64) int64 {
	high, low := bits.Mul64(uint64(amount), uint64(part))
	quotient, rest := bits.Div64(high, low, uint64(whole))
	if 2*rest >= uint64(whole) {
		quotient++
	}
	return int64(quotient)
}

// nameOf names exactly this breakdown of this cart.
func nameOf(quote contract.Quote) (string, error) {
	quote.Quote = ""
	quote.Lines = slices.Clone(quote.Lines)
	// The order in which lines were added changes nothing that is charged.
	slices.SortFunc(quote.Lines, func(a, b contract.QuoteLine) int { return cmp.Compare(a.SKU, b.SKU) })
	canonical, err := json.Marshal(quote)
	if err != nil {
		return "", fmt.Errorf("write the quote in its canonical form: %w", err)
	}
	sum := sha256.Sum256(canonical)
	return "qte_" + hex.EncodeToString(sum[:]), nil
}
