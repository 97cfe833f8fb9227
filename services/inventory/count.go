package inventory

import (
	"fmt"

	"github.com/meridian-store/meridian/services/contract"
)

// What becomes of a count.
const (
	outcomeApplied   = "applied"
	outcomeUnchanged = "unchanged"
	outcomeRefused   = "refused"
)

// countLine is one count on its way through: where it stands in the request and where its warehouse is.
type countLine struct {
	contract.StockCount
	index  int
	region string
}

// shelf names a SKU in a warehouse.
func (c countLine) shelf() shelfKey { return shelfKey{c.SKU, c.Warehouse} }

type shelfKey struct{ sku, warehouse string }

// adjustment is what a count changes: it moves delta units, which may be 0 when the count found what was expected.
type adjustment struct {
	countLine
	delta int64
}

// sortCounts refuses the counts that cannot be applied whatever the stock is and gives the others with their regions. results
// has one entry for each count, in their order.
func sortCounts(counts []contract.StockCount, regions []contract.Region) (lines []countLine, results []contract.StockResult) {
	home := map[string]string{}
	for _, region := range regions {
		for _, warehouse := range region.Warehouses {
			home[warehouse.Code] = region.Name
		}
	}
	seen := make(map[shelfKey]bool, len(counts))
	results = make([]contract.StockResult, len(counts))
	for i, count := range counts {
		results[i] = contract.StockResult{SKU: count.SKU, Warehouse: count.Warehouse, Outcome: outcomeRefused}
		line := countLine{StockCount: count, index: i, region: home[count.Warehouse]}
		switch err := validateSKU("sku", count.SKU); {
		case err != nil:
			results[i].Reason = err.Error()
		case line.region == "":
			results[i].Reason = fmt.Sprintf("there is no warehouse %q", count.Warehouse)
		case count.Reference == "" || !printable(count.Reference):
			results[i].Reason = "the reference is empty or contains what cannot be printed"
		case count.OnHand < 0:
			results[i].Reason = "on hand cannot be negative"
		case seen[line.shelf()]:
			results[i].Reason = fmt.Sprintf("%s in %s is counted twice in this request", count.SKU, count.Warehouse)
		default:
			seen[line.shelf()] = true
			lines = append(lines, line)
		}
	}
	return lines, results
}

// judgeCounts decides each count against the stock as it is locked: known holds the shelves whose count's reference was applied
// before. It fills in the lines' results.
func judgeCounts(lines []countLine, levels map[shelfKey]contract.StockLevel, known map[shelfKey]bool, results []contract.StockResult) []adjustment {
	var adjustments []adjustment
	for _, line := range lines {
		result, level := &results[line.index], levels[line.shelf()]
		switch {
		case known[line.shelf()]:
			result.Outcome, result.Reason = outcomeUnchanged, ""
		case line.OnHand < level.Reserved:
			result.Outcome = outcomeRefused
			result.Reason = fmt.Sprintf("%d on hand would be less than the %d that are reserved", line.OnHand, level.Reserved)
		default:
			result.Outcome, result.Reason = outcomeApplied, ""
			adjustments = append(adjustments, adjustment{countLine: line, delta: line.OnHand - level.OnHand})
		}
	}
	return adjustments
}
