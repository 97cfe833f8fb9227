package catalog

import (
	"strings"
	"time"

	"github.com/meridian-store/meridian/contract"
)

// MaxPriceLists bounds what every read of a price has to choose from.
const MaxPriceLists = 500

const priceListKind = "pls"

// A price list holds prices in one currency that count in place of the variants' own, in one region or in all of them, for a time or for
// good. Of the lists that hold, the price of a region's own goes before that of one of all regions, then the higher priority, then the
// list that was made last; a SKU that none of them names has its own price. No announcement is made when a list's time begins or ends:
// what shows prices must not keep them beyond that moment, which a shop's two seconds do not.

// normalizePriceList checks what was written of a list and gives its canonical form.
func (s *Service) normalizePriceList(input contract.PriceListInput) (contract.PriceListInput, error) {
	input.Name = strings.TrimSpace(input.Name)
	input.StartsAt, input.EndsAt = asStored(input.StartsAt), asStored(input.EndsAt)
	if err := firstError(checkWord("name", input.Name, 200), contract.ValidateCurrency("currency", input.Currency), s.checkRegion(input.Region)); err != nil {
		return contract.PriceListInput{}, err
	}
	if input.StartsAt != nil && input.EndsAt != nil && !input.StartsAt.Before(*input.EndsAt) {
		return contract.PriceListInput{}, contract.Invalid("ends_at", "is not after starts_at")
	}
	return input, nil
}

// asStored gives a time as exactly as SQL keeps it.
func asStored(at *time.Time) *time.Time {
	if at == nil {
		return nil
	}
	stored := at.UTC().Truncate(time.Microsecond)
	return &stored
}

func samePriceList(a, b contract.PriceListInput) bool {
	return a.Name == b.Name && a.Currency == b.Currency && a.Region == b.Region && a.Priority == b.Priority &&
		sameTime(a.StartsAt, b.StartsAt) && sameTime(a.EndsAt, b.EndsAt)
}

func sameTime(a, b *time.Time) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Equal(*b)
}

// checkListPrice holds one price of a list to the rules that its schema cannot say.
func checkListPrice(price contract.ListPrice) error {
	switch {
	case price.Removed && (price.Amount != nil || price.CompareAt != nil):
		return contract.Invalid("removed", "a SKU that is taken off the list has no amounts")
	case !price.Removed && price.Amount == nil:
		return contract.Invalid("amount", "is required, unless the SKU is removed")
	}
	return checkWord("sku", price.SKU, maxSKU)
}

// listedPrice is a price of a list as it is stored.
type listedPrice struct {
	amount    int64
	compareAt *int64
}

func (p listedPrice) same(wish contract.ListPrice) bool {
	if p.amount != *wish.Amount || (p.compareAt == nil) != (wish.CompareAt == nil) {
		return false
	}
	return p.compareAt == nil || *p.compareAt == *wish.CompareAt
}

// listState is what a write of a list's prices is judged by: the list, its prices of the SKUs in question, and whose SKUs they are.
type listState struct {
	list   contract.PriceList
	prices map[string]listedPrice
	// products give the product's id of each SKU that is sold.
	products map[string]string
}

// listChange is what a write of a list's prices comes to.
type listChange struct {
	set     []contract.ListPrice
	removed []string
	// products are ids of those whose prices may be different.
	products []string
}

func (c listChange) empty() bool { return len(c.set) == 0 && len(c.removed) == 0 }

// judgePrices says what becomes of each wish, and what there is to write. A nil error of a wish is a granted one.
func (s listState) judgePrices(wishes []contract.ListPrice) (listChange, []contract.ListPriceResult) {
	var change listChange
	results := make([]contract.ListPriceResult, len(wishes))
	named := map[string]bool{}
	for i, wish := range wishes {
		results[i] = contract.ListPriceResult{SKU: wish.SKU, Outcome: outcomeUnchanged}
		stored, listed := s.prices[wish.SKU]
		product, sold := s.products[wish.SKU]
		switch {
		case named[wish.SKU]:
			results[i] = priceRefusal(wish.SKU, contract.Invalid("sku", "stands in this request twice"))
			continue
		case wish.Removed && !listed, !wish.Removed && listed && stored.same(wish):
		case wish.Removed:
			change.removed = append(change.removed, wish.SKU)
			results[i].Outcome = outcomeApplied
		case !sold:
			results[i] = priceRefusal(wish.SKU, contract.Invalid("sku", "there is no such SKU"))
		default:
			change.set = append(change.set, wish)
			results[i].Outcome = outcomeApplied
		}
		named[wish.SKU] = true
		if sold && results[i].Outcome == outcomeApplied {
			change.products = append(change.products, product)
		}
	}
	change.products = sortedSet(change.products)
	return change, results
}
