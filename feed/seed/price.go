package seed

import (
	"slices"

	"github.com/meridian-store/meridian/contract"
)

// habit is how prices look in a currency: what a dollar is worth, in minor units, and the endings that shops there like.
type habit struct {
	// perDollar is how many minor units a dollar makes.
	perDollar int64
	// step is the distance between two prices of the same ending, in minor units; a price is a multiple of it less `under`.
	step  int64
	under []int64
}

// habits are rounded yearly rates; a seed's prices must be steady, not right.
var habits = map[string]habit{
	"USD": {perDollar: 100, step: 100, under: []int64{1, 5}},
	"EUR": {perDollar: 92, step: 100, under: []int64{1, 5}},
	"GBP": {perDollar: 79, step: 100, under: []int64{1, 5}},
	"SGD": {perDollar: 135, step: 100, under: []int64{10}},
	"JPY": {perDollar: 150, step: 100, under: []int64{20}},
	"AUD": {perDollar: 152, step: 100, under: []int64{5}},
	"CAD": {perDollar: 137, step: 100, under: []int64{1}},
	"CHF": {perDollar: 88, step: 100, under: []int64{10}},
	"SEK": {perDollar: 1050, step: 1000, under: []int64{100}},
	"INR": {perDollar: 8400, step: 10000, under: []int64{100}},
	"KRW": {perDollar: 1370, step: 1000, under: []int64{100}},
	"BRL": {perDollar: 540, step: 100, under: []int64{10}},
	"KWD": {perDollar: 307, step: 250, under: []int64{5}},
}

// Currencies lists the ISO 4217 codes that the seed has prices in, sorted.
func Currencies() []string {
	codes := make([]string, 0, len(habits))
	for code := range habits {
		codes = append(codes, code)
	}
	slices.Sort(codes)
	return codes
}

// prices gives a price of so many US cents in each currency, with the ending that the product is sold under.
func prices(cents int64, ending int, currencies []string) []contract.Money {
	all := make([]contract.Money, 0, len(currencies))
	for _, code := range currencies {
		habit := habits[code]
		steps := max(1, (cents*habit.perDollar/100+habit.step/2)/habit.step)
		under := habit.under[ending%len(habit.under)]
		all = append(all, contract.Money{Amount: steps*habit.step - under, Currency: code})
	}
	return all
}
