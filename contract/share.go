package contract

import (
	"cmp"
	"math/bits"
	"slices"
)

// Share gives amount × part ÷ whole, rounded half up, for 0 ≤ amount, 0 ≤ part ≤ whole and 0 < whole. The product may need more than 64 bits.
func Share(amount, part, whole int64) int64 {
	quotient, rest := shareFloor(amount, part, whole)
	if 2*uint64(rest) >= uint64(whole) {
		quotient++
	}
	return quotient
}

func shareFloor(amount, part, whole int64) (quotient, rest int64) {
	high, low := bits.Mul64(uint64(amount), uint64(part))
	q, r := bits.Div64(high, low, uint64(whole))
	return int64(q), int64(r)
}

// Allocate splits an amount over weights so that the parts sum to it exactly: each gets its share rounded down, and the minor units
// that are left go one each to the largest remainders, the earlier first among equals. No part is above its weight while the amount is
// not above their sum; a weight of 0 gets nothing. Weights are not negative; without any weight nothing can be split and all parts are 0.
func Allocate(amount int64, weights []int64) []int64 {
	parts := make([]int64, len(weights))
	var whole int64
	for _, weight := range weights {
		whole += weight
	}
	if whole == 0 {
		return parts
	}
	rests, order, left := make([]int64, len(weights)), make([]int, len(weights)), amount
	for i, weight := range weights {
		parts[i], rests[i] = shareFloor(weight, amount, whole)
		order[i] = i
		left -= parts[i]
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(rests[b], rests[a]) })
	for _, i := range order[:left] {
		parts[i]++
	}
	return parts
}
