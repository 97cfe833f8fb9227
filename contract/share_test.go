package contract_test

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/meridian-store/meridian/contract"
)

func TestShareIsRoundedHalfUp(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ amount, part, whole, want int64 }{
		{4831, 600, 10_000, 290}, {1, 1, 2, 1}, {1, 49, 100, 0}, {0, 1, 3, 0}, {7, 3, 3, 7}, {1 << 58, 9_999, 10_000, 288201553114096573},
	} {
		if got := contract.Share(test.amount, test.part, test.whole); got != test.want {
			t.Errorf("%d × %d ÷ %d is %d, not %d", test.amount, test.part, test.whole, got, test.want)
		}
	}
}

// TestAllocateLosesNothing: the parts sum to the amount, each is within one unit of its exact share, and none is above its weight.
func TestAllocateLosesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		weights := rapid.SliceOfN(rapid.Int64Range(0, 1<<50), 1, 200).Draw(t, "weights")
		weights[rapid.IntRange(0, len(weights)-1).Draw(t, "heavy")]++
		var whole int64
		for _, weight := range weights {
			whole += weight
		}
		amount := rapid.Int64Range(0, whole).Draw(t, "amount")
		var sum int64
		for i, part := range contract.Allocate(amount, weights) {
			sum += part
			if part < 0 || part > weights[i] {
				t.Fatalf("part %d of weight %d", part, weights[i])
			}
			// |part × whole − weight × amount| < whole
			off := new(big.Int).Sub(product(part, whole), product(weights[i], amount))
			if off.Abs(off).Cmp(big.NewInt(whole)) >= 0 {
				t.Fatalf("part %d is a unit or more off %d × %d ÷ %d", part, weights[i], amount, whole)
			}
		}
		if sum != amount {
			t.Fatalf("the parts sum to %d, not %d", sum, amount)
		}
	})
}

func TestNothingIsSplitOverNothing(t *testing.T) {
	t.Parallel()
	for _, weights := range [][]int64{nil, {0}, {0, 0}} {
		for _, part := range contract.Allocate(7, weights) {
			if part != 0 {
				t.Errorf("%v got %d", weights, part)
			}
		}
	}
}

func product(a, b int64) *big.Int { return new(big.Int).Mul(big.NewInt(a), big.NewInt(b)) }
