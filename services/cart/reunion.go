package cart

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
)

// mergeStates joins what two regions know of one cart, in whatever order and however often they hear of each other. Of a SKU or a code
// that both know, the one with the higher version stands; of two with the same version, that of the region with the higher code.
// Tombstones take part, so that what was taken out does not come back. No clock is asked.
func mergeStates(a, b contract.CartState) contract.CartState {
	merged := contract.CartState{
		CartID: max(a.CartID, b.CartID), Version: max(a.Version, b.Version),
		Currency: max(a.Currency, b.Currency), SecretHash: max(a.SecretHash, b.SecretHash), // neither changes, but two regions may have begun a user's cart in a currency each
		Lines:  newest(slices.Concat(a.Lines, b.Lines), func(l contract.CartEntry) string { return l.SKU }, laterLine),
		Codes:  newest(slices.Concat(a.Codes, b.Codes), func(c contract.CartCode) string { return c.Code }, laterCode),
		Orders: map[string]int64{},
	}
	slices.SortFunc(merged.Lines, func(a, b contract.CartEntry) int {
		return cmp.Or(cmp.Compare(a.Added, b.Added), strings.Compare(a.SKU, b.SKU))
	})
	slices.SortFunc(merged.Codes, func(a, b contract.CartCode) int {
		return cmp.Or(cmp.Compare(a.Added, b.Added), strings.Compare(a.Code, b.Code))
	})
	for _, orders := range []map[string]int64{a.Orders, b.Orders} {
		for id, version := range orders {
			merged.Orders[id] = max(merged.Orders[id], version)
		}
	}
	return merged
}

// newest keeps the latest entry of each name.
func newest[T any](entries []T, name func(T) string, later func(a, b T) int) []T {
	latest := map[string]T{}
	for _, entry := range entries {
		if known, seen := latest[name(entry)]; !seen || later(entry, known) > 0 {
			latest[name(entry)] = entry
		}
	}
	return slices.AppendSeq(make([]T, 0, len(latest)), maps.Values(latest))
}

// laterLine orders two states of a line by (version, region). The rest decides only where a Redis that lost its last second gave the
// same version out twice: then every region must come to the same line all the same.
func laterLine(a, b contract.CartEntry) int {
	return cmp.Or(cmp.Compare(a.Version, b.Version), strings.Compare(a.Region, b.Region), cmp.Compare(a.Quantity, b.Quantity), cmp.Compare(a.Added, b.Added))
}

func laterCode(a, b contract.CartCode) int {
	entered := func(c contract.CartCode) int {
		if c.Entered {
			return 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(a.Version, b.Version), strings.Compare(a.Region, b.Region), cmp.Compare(entered(a), entered(b)),
		cmp.Compare(a.Added, b.Added), strings.Compare(a.Title, b.Title))
}

// sameState says whether two states, both in the order of mergeStates, differ in no more than their version.
func sameState(a, b contract.CartState) bool {
	return a.Currency == b.Currency && a.SecretHash == b.SecretHash && slices.Equal(a.Lines, b.Lines) && slices.Equal(a.Codes, b.Codes) && maps.Equal(a.Orders, b.Orders)
}

// trim forgets the oldest tombstones and orders beyond those that a cart remembers, so that what is kept of one stays bounded.
func trim(state contract.CartState) contract.CartState {
	state.Lines = withoutOldest(state.Lines, maxTombstones, func(l contract.CartEntry) (bool, int64) { return l.Quantity == 0, l.Version })
	state.Codes = withoutOldest(state.Codes, maxTombstones, func(c contract.CartCode) (bool, int64) { return !c.Entered, c.Version })
	if len(state.Orders) > maxOrders {
		names := slices.SortedFunc(maps.Keys(state.Orders), func(a, b string) int {
			return cmp.Or(cmp.Compare(state.Orders[b], state.Orders[a]), strings.Compare(a, b))
		})
		state.Orders = maps.Clone(state.Orders)
		for _, name := range names[maxOrders:] {
			delete(state.Orders, name)
		}
	}
	return state
}

func withoutOldest[T any](entries []T, kept int, of func(T) (tombstone bool, version int64)) []T {
	var versions []int64
	for _, entry := range entries {
		if tombstone, version := of(entry); tombstone {
			versions = append(versions, version)
		}
	}
	if len(versions) <= kept {
		return entries
	}
	slices.Sort(versions)
	oldest := versions[len(versions)-kept]
	return slices.DeleteFunc(slices.Clone(entries), func(entry T) bool {
		tombstone, version := of(entry)
		return tombstone && version < oldest
	})
}

// maxVersion is the highest number that Redis' scripts count exactly.
const maxVersion = 1 << 53

// validateState refuses what no region's cart service says of a cart.
func validateState(state contract.CartState) error {
	id, err := geo.ParseID(state.CartID)
	switch {
	case err != nil || id.Kind != idKind:
		return contract.Invalid("cart_id", "is not a cart's id")
	case state.SecretHash == "" || state.Currency == "":
		return contract.Invalid("secret_hash", "a cart has one, and a currency")
	case state.Version < 0 || state.Version >= maxVersion:
		return contract.Invalid("version", "is not between 0 and 2^53")
	case len(state.Lines) > 2*(contract.MaxCartLines+maxTombstones) || len(state.Codes) > 2*(contract.MaxCartCodes+maxTombstones) || len(state.Orders) > 2*maxOrders:
		return contract.Invalid("lines", "are more than two regions together can have made")
	}
	for _, l := range state.Lines {
		if err := validateSKU(l.SKU); err != nil {
			return err
		}
		if l.Quantity < 0 || l.Quantity > contract.MaxLineQuantity {
			return contract.Invalid("lines", "has a quantity that no line can have")
		}
		if err := validateStamp(l.Version, l.Added, l.Region); err != nil {
			return err
		}
	}
	for _, each := range state.Codes {
		if err := validateStamp(each.Version, each.Added, each.Region); err != nil {
			return err
		}
	}
	return nil
}

func validateStamp(version, added int64, region string) error {
	if version < 0 || version >= maxVersion || added < 0 || added >= maxVersion || (region != "" && !geo.ValidRegionCode(region)) {
		return contract.Invalid("lines", "has a version that no region can have made")
	}
	return nil
}
