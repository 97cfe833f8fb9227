package order

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/services/order/promotion"
)

// destination is a region's rules for a country: its shipping prices and its tax.
type destination struct {
	country string
	// region is the region's name; its price lists count.
	region   string
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
	return destination{country: country, region: rules.Name, shipping: rules.Shipping, tax: rules.Tax}
}

// offers are the promotions that a cart's shopper may use, and the time at which they are asked for.
type offers struct {
	all []promotion.Offer
	at  time.Time
}

// price makes the full breakdown of a cart. It is pure: the same cart, prices, offers and rules give the same quote, by the same name.
//
// The rules, each stated once:
//   - a line is its unit price times its quantity; lines of one SKU are one line, and the subtotal is their sum;
//   - shipping is the destination's price of the method in the cart's currency;
//   - promotions come off goods and shipping before tax, as package promotion says; what comes off goods is split over the lines to the
//     last minor unit, so that a line can be given back alone;
//   - tax is on goods and shipping together, less all discounts, and is rounded once, half up, for the whole order;
//   - where shelf prices contain the tax it is that sum × rate ÷ (10000 + rate) and part of the total; elsewhere it is the sum × rate ÷ 10000
//     and added.
//
// So subtotal + shipping − discount (+ tax where it is added) = total ≥ 0, in whole minor units of the currency: hundredths, units of yen,
// thousandths of a dinar. Nothing else is rounded. What is charged is the total as it stands here.
//
// Amounts stay within an int64: 200 lines × 999 units × contract.MaxAmount is below 2^58.
func price(cart contract.CartContents, priced []contract.PricedSKU, to destination, method string, offered offers) (contract.Quote, error) {
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
	quote := contract.Quote{
		CartID: cart.CartID, Currency: cart.Currency, Lines: lines, Subtotal: contract.Money{Currency: cart.Currency}, ShippingMethod: method, Shipping: shipping,
	}
	for _, line := range lines {
		quote.Subtotal = quote.Subtotal.Plus(line.Total)
	}
	discount(&quote, offered, cart.Codes)
	quote.Tax, quote.Total = to.taxOn(quote.Subtotal.Plus(shipping).Plus(quote.Discount.Times(-1)))
	quote.Quote, err = nameOf(quote)
	return quote, err
}

// discount writes what promotions take off into a quote that has its goods and its shipping.
func discount(quote *contract.Quote, offered offers, codes []string) {
	money := func(amount int64) contract.Money { return contract.Money{Amount: amount, Currency: quote.Currency} }
	basket := promotion.Basket{Currency: quote.Currency, Shipping: quote.Shipping.Amount, Method: quote.ShippingMethod}
	for _, line := range quote.Lines {
		basket.Lines = append(basket.Lines, promotion.Line{SKU: line.SKU, Quantity: line.Quantity, UnitPrice: line.UnitPrice.Amount})
	}
	outcome := promotion.Apply(basket, offered.all, codes, offered.at)
	for i, line := range quote.Lines {
		quote.Lines[i].Discount = money(outcome.Lines[line.SKU])
	}
	for _, applied := range outcome.Applied {
		quote.Promotions = append(quote.Promotions, contract.QuotePromotion{ID: applied.ID, Code: applied.Code, Title: applied.Title, Amount: money(applied.Amount)})
	}
	quote.Discount, quote.NotApplied = money(outcome.Total()), outcome.Refused
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
		tax.Amount = contract.Money{Amount: contract.Share(taxed.Amount, rate, 10_000+rate), Currency: taxed.Currency}
		return tax, taxed
	}
	tax.Amount = contract.Money{Amount: contract.Share(taxed.Amount, rate, 10_000), Currency: taxed.Currency}
	return tax, taxed.Plus(tax.Amount)
}

// nameOf names exactly this breakdown of this cart.
func nameOf(quote contract.Quote) (string, error) {
	quote.Quote, quote.NotApplied = "", nil // why something is not taken off changes nothing that is charged
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
