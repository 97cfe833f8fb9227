package order

import "github.com/meridian-store/meridian/contract"

// refundable is what units of a quote gave for: their part of what was paid for goods, discounts and tax counted in. The tax of the order is split
// over its lines and its shipping to the last minor unit, and a line over its units, so that the last unit carries what is left: all units
// together are worth the total less what shipping cost, its tax included. Of units that came back one after the other, each return is worth
// what all of them are less what those before were. Units beyond a line's own, and SKUs that are not in the quote, are worth nothing.
func refundable(quote contract.Quote, lines []contract.SKUCount) contract.Money {
	worths := goodsPaid(quote)
	worth := contract.Money{Currency: quote.Currency}
	for _, count := range sumBySKU(lines) {
		for i, line := range quote.Lines {
			if line.SKU == count.SKU {
				worth.Amount += contract.Allocate(worths[i], []int64{min(count.Quantity, line.Quantity), line.Quantity - min(count.Quantity, line.Quantity)})[0]
			}
		}
	}
	return worth
}

// goodsPaid is what was paid for each line.
func goodsPaid(quote contract.Quote) []int64 {
	paid := make([]int64, 0, len(quote.Lines)+1)
	shippingLeft := quote.Shipping.Amount - quote.Discount.Amount
	for _, line := range quote.Lines {
		paid = append(paid, line.Total.Amount-line.Discount.Amount)
		shippingLeft += line.Discount.Amount
	}
	if !quote.Tax.Included {
		for i, tax := range contract.Allocate(quote.Tax.Amount.Amount, append(paid, shippingLeft))[:len(paid)] {
			paid[i] += tax
		}
	}
	return paid
}
