package cart

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/meridian-store/meridian/contract"
)

// someState draws what a region may know of a cart: few SKUs and versions, so that two of them often meet.
func someState(t *rapid.T, name string) contract.CartState {
	version := rapid.Int64Range(0, 4)
	region := rapid.SampledFrom([]string{"", "aps", "use"})
	lines := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) contract.CartEntry {
		return contract.CartEntry{SKU: rapid.SampledFrom([]string{"A", "B", "C", "D"}).Draw(t, "sku"), Quantity: rapid.Int64Range(0, 2).Draw(t, "quantity"),
			Version: version.Draw(t, "version"), Region: region.Draw(t, "region"), Added: version.Draw(t, "added")}
	}), 0, 4, func(l contract.CartEntry) string { return l.SKU })
	codes := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) contract.CartCode {
		return contract.CartCode{Code: rapid.SampledFrom([]string{"X", "Y"}).Draw(t, "code"), Title: rapid.SampledFrom([]string{"", "t"}).Draw(t, "title"),
			Entered: rapid.Bool().Draw(t, "entered"), Version: version.Draw(t, "version"), Region: region.Draw(t, "region"), Added: version.Draw(t, "added")}
	}), 0, 2, func(c contract.CartCode) string { return c.Code })
	return contract.CartState{CartID: "crt", Currency: "EUR", SecretHash: "hash", Version: version.Draw(t, name+" version"),
		Lines: lines.Draw(t, name+" lines"), Codes: codes.Draw(t, name+" codes"),
		Orders: rapid.MapOf(rapid.SampledFrom([]string{"o1", "o2"}), version).Draw(t, name+" orders")}
}

func TestMergingStatesIsTheSameInAnyOrderAndHoweverOften(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := someState(t, "a"), someState(t, "b"), someState(t, "c")
		equal := func(what string, one, other contract.CartState) {
			t.Helper()
			if diff := cmp.Diff(one, other); diff != "" {
				t.Fatalf("%s:\n%s", what, diff)
			}
		}
		ab := mergeStates(a, b)
		equal("a+b and b+a", ab, mergeStates(b, a))
		equal("(a+b)+c and a+(b+c)", mergeStates(ab, c), mergeStates(a, mergeStates(b, c)))
		equal("a+b+b and a+b", mergeStates(ab, b), ab)
		equal("a+b+a and a+b", mergeStates(ab, a), ab)
	})
}

// Two regions change one cart during a partition, each SKU on one side only: both sides' changes are there afterwards.
func TestNothingRemovedComesBackAndNothingAddedIsLost(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		const skus = 6
		before := contract.CartState{CartID: "crt", Version: skus}
		want := map[string]int64{}
		for i := range int64(skus) {
			l := contract.CartEntry{SKU: fmt.Sprint(i), Quantity: rapid.Int64Range(0, 3).Draw(t, "before"), Version: i + 1, Added: i + 1}
			before.Lines, want[l.SKU] = append(before.Lines, l), l.Quantity
		}
		home, site := mergeStates(before, before), mergeStates(before, before)
		// The site may lack the home's last changes, none of which are of the SKUs that it changes.
		site.Version -= rapid.Int64Range(0, 3).Draw(t, "missing")
		for range rapid.IntRange(0, 12).Draw(t, "changes") {
			i := rapid.IntRange(0, skus-1).Draw(t, "which")
			quantity := rapid.Int64Range(0, 5).Draw(t, "quantity")
			on, region := &home, ""
			if i%2 == 1 {
				on, region = &site, "use"
			}
			on.Version = max(on.Version, on.Lines[at(on.Lines, fmt.Sprint(i))].Version) + 1
			l := &on.Lines[at(on.Lines, fmt.Sprint(i))]
			l.Quantity, l.Version, l.Region = quantity, on.Version, region
			want[l.SKU] = quantity
		}
		for _, l := range mergeStates(home, site).Lines {
			if l.Quantity != want[l.SKU] {
				t.Fatalf("%s has %d units, want %d\nhome %+v\nsite %+v", l.SKU, l.Quantity, want[l.SKU], home, site)
			}
		}
	})
}

func at(lines []contract.CartEntry, sku string) int {
	for i, l := range lines {
		if l.SKU == sku {
			return i
		}
	}
	return -1
}

func TestWhatIsKeptOfACartIsBounded(t *testing.T) {
	t.Parallel()
	state := contract.CartState{Orders: map[string]int64{}}
	for i := range int64(3 * maxTombstones) {
		state.Lines = append(state.Lines, contract.CartEntry{SKU: fmt.Sprint(i), Quantity: i % 2, Version: i + 1})
		state.Orders[fmt.Sprint(i)] = i
	}
	kept := trim(state)
	if live := 3 * maxTombstones / 2; len(kept.Lines) != live+maxTombstones || len(kept.Orders) != maxOrders {
		t.Errorf("%d lines and %d orders are kept", len(kept.Lines), len(kept.Orders))
	}
	if kept.Lines[len(kept.Lines)-2].SKU != fmt.Sprint(3*maxTombstones-2) || kept.Orders[fmt.Sprint(3*maxTombstones-1)] == 0 {
		t.Error("the newest were forgotten")
	}
}
