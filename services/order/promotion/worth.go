package promotion

import (
	"cmp"
	"slices"

	"github.com/meridian-store/meridian/contract"
)

// combine lets offers take off one after the other, each from what those before it have left.
func (b Basket) combine(offers []Offer) Outcome {
	outcome := Outcome{Lines: map[string]int64{}}
	left := make([]int64, len(b.Lines))
	for i, line := range b.Lines {
		left[i] = line.total()
	}
	for _, offer := range offers {
		applied := Applied{Offer: offer}
		if offer.Kind == FreeShipping {
			applied.Amount = b.Shipping - outcome.Shipping
			outcome.Shipping = b.Shipping
		} else {
			for i, part := range b.takeOff(offer.Promotion, left) {
				left[i] -= part
				outcome.Lines[b.Lines[i].SKU] += part
				applied.Amount += part
			}
		}
		if applied.Amount > 0 {
			outcome.Applied = append(outcome.Applied, applied)
		}
	}
	return outcome
}

// takeOff says what a promotion takes off each line, given what each still costs.
func (b Basket) takeOff(p Promotion, left []int64) []int64 {
	if p.Kind == BuyXGetY {
		return b.give(p, left)
	}
	var sum int64
	weights := make([]int64, len(left))
	for i, line := range b.Lines {
		if p.isFor(line.SKU) {
			weights[i] = left[i]
			sum += left[i]
		}
	}
	amount, _ := in(p.Amounts, b.Currency)
	if p.Kind == Percentage {
		amount = contract.Share(sum, p.BasisPoints, wholeBasisPoints)
	}
	return contract.Allocate(min(amount, sum), weights)
}

const wholeBasisPoints = 10_000

// give takes the percentage off the cheapest units, as many as are given.
func (b Basket) give(p Promotion, left []int64) []int64 {
	units := b.units(p)
	given := units/(p.Buy+p.Get)*p.Get + max(0, units%(p.Buy+p.Get)-p.Buy)
	cheapest := make([]int, 0, len(b.Lines))
	for i, line := range b.Lines {
		if p.isFor(line.SKU) {
			cheapest = append(cheapest, i)
		}
	}
	slices.SortStableFunc(cheapest, func(i, j int) int { return cmp.Compare(b.Lines[i].UnitPrice, b.Lines[j].UnitPrice) })
	parts := make([]int64, len(left))
	for _, i := range cheapest {
		count := min(given, b.Lines[i].Quantity)
		parts[i] = contract.Share(contract.Share(left[i], count, b.Lines[i].Quantity), p.BasisPoints, wholeBasisPoints)
		given -= count
	}
	return parts
}
