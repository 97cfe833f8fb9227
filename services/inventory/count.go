package inventory

import (
	"fmt"
	"math"

	"github.com/meridian-store/meridian/contract"
)

// What becomes of a count or an adjustment.
const (
	outcomeApplied   = "applied"
	outcomeUnchanged = "unchanged"
	outcomeRefused   = "refused"
)

// stockLine is one count or adjustment on its way through.
type stockLine struct {
	movementKey
	// index is its place in the request.
	index  int
	reason string
	// units is what shall be on hand when counted, else what comes (or goes, when negative).
	units   int64
	counted bool
}

// movementKey names a movement: one that was applied before is not applied again.
type movementKey struct {
	shelf
	kind, reference string
}

// movement is what a line moves, which may be 0 when a count found what was expected.
type movement struct {
	stockLine
	delta   int64
	buckets []bucketChange
}

// lineReader refuses the lines of a request that cannot be applied whatever the stock is.
type lineReader struct {
	home    map[string]string
	seen    map[movementKey]bool
	lines   []stockLine
	results []contract.StockResult
}

func newLineReader(regions []contract.Region, n int) *lineReader {
	r := &lineReader{home: map[string]string{}, seen: make(map[movementKey]bool, n)}
	for _, region := range regions {
		for _, warehouse := range region.Warehouses {
			r.home[warehouse.Code] = region.Name
		}
	}
	return r
}

// add judges one line; unique is what no other line of the request may share with it.
func (r *lineReader) add(line stockLine, unique movementKey, refusal string) {
	line.index = len(r.results)
	line.region = r.home[line.warehouse]
	result := contract.StockResult{SKU: line.sku, Warehouse: line.warehouse, Outcome: outcomeRefused, Reason: refusal}
	switch err := validateSKU("sku", line.sku); {
	case err != nil:
		result.Reason = err.Error()
	case line.region == "":
		result.Reason = fmt.Sprintf("there is no warehouse %q", line.warehouse)
	case line.reference == "" || !printable(line.reference):
		result.Reason = "the reference is empty or contains what cannot be printed"
	case !printable(line.reason):
		result.Reason = "the reason contains what cannot be printed"
	case refusal != "":
	case r.seen[unique]:
		result.Reason = fmt.Sprintf("%s in %s is named twice in this request", line.sku, line.warehouse)
	default:
		r.seen[unique] = true
		r.lines = append(r.lines, line)
	}
	r.results = append(r.results, result)
}

// readCounts gives the counts that may be applied, and one result for each, in their order.
func readCounts(counts []contract.StockCount, regions []contract.Region) ([]stockLine, []contract.StockResult) {
	reader := newLineReader(regions, len(counts))
	for _, count := range counts {
		key := movementKey{shelf{count.SKU, place{warehouse: count.Warehouse}}, movementAdjusted, count.Reference}
		refusal := ""
		if count.OnHand < 0 {
			refusal = "on hand cannot be negative"
		}
		// Two counts of one shelf contradict each other, whatever their references.
		reader.add(stockLine{movementKey: key, units: count.OnHand, counted: true}, movementKey{shelf: key.shelf}, refusal)
	}
	return reader.lines, reader.results
}

// readAdjustments does the same for adjustments.
func readAdjustments(adjustments []contract.StockAdjustment, regions []contract.Region) ([]stockLine, []contract.StockResult) {
	reader := newLineReader(regions, len(adjustments))
	for _, a := range adjustments {
		key := movementKey{shelf{a.SKU, place{warehouse: a.Warehouse}}, a.Kind, a.Reference}
		refusal := ""
		switch {
		case a.Kind != movementReceived && a.Kind != movementAdjusted:
			refusal = fmt.Sprintf("the kind is %q, neither received nor adjusted", a.Kind)
		case a.Kind == movementReceived && a.Delta < 1:
			refusal = "goods that are received are at least one"
		}
		reader.add(stockLine{movementKey: key, units: a.Delta, reason: a.Reason}, key, refusal)
	}
	return reader.lines, reader.results
}

// judge decides each line against the stock as it is locked, first come first: known holds the movements that were made before.
// It fills in the lines' results.
func judge(lines []stockLine, shelves map[shelf][]bucket, known map[movementKey]bool, results []contract.StockResult) []movement {
	var movements []movement
	for _, line := range lines {
		result, buckets := &results[line.index], shelves[line.shelf]
		var onHand, reserved int64
		for _, b := range buckets {
			onHand, reserved = onHand+b.onHand, reserved+b.reserved
		}
		delta := line.units
		if line.counted {
			delta -= onHand
		}
		changes, possible := change(buckets, delta)
		switch {
		case known[line.movementKey]:
			result.Outcome, result.Reason = outcomeUnchanged, ""
		case !possible:
			result.Reason = fmt.Sprintf("%d on hand would be less than the %d that are reserved", onHand+delta, reserved)
		case delta > math.MaxInt32 || onHand+delta > math.MaxInt32:
			result.Reason = fmt.Sprintf("%d on hand would be more than any warehouse holds", onHand+delta)
		default:
			result.Outcome, result.Reason = outcomeApplied, ""
			movements = append(movements, movement{stockLine: line, delta: delta, buckets: changes})
			apply(buckets, changes)
		}
	}
	return movements
}

// apply keeps in mind what a movement does to a shelf, for the lines after it.
func apply(buckets []bucket, changes []bucketChange) {
	for _, c := range changes {
		for i := range buckets {
			if buckets[i].number == c.number {
				buckets[i].onHand += c.delta
			}
		}
	}
}
