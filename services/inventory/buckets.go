package inventory

import (
	"cmp"
	"slices"

	"github.com/meridian-store/meridian/contract"
)

// maxBuckets bounds the rows of a SKU in one warehouse.
const maxBuckets = 16

// shelf is a SKU in a warehouse.
type shelf struct {
	sku string
	place
}

// bucket is a part of a shelf's units: one row of SQL. Most shelves have one bucket, number 0; those of a SKU in great demand are
// split, so that processes that sell it at the same time do not wait for one row. Splitting and joining move units between the
// buckets of a shelf and are no movements: nothing comes and nothing goes.
type bucket struct {
	shelf
	number, onHand, reserved, version int64
}

func (b bucket) available() int64 { return b.onHand - b.reserved }

// taking is a number of units that a reservation takes from one bucket.
type taking struct {
	contract.Allocation
	Bucket int64 `json:"bucket,omitempty"`
}

// merged gives what the world outside sees of takings: one allocation for each shelf, in the order in which they were taken.
func merged(takings []taking) []contract.Allocation {
	place := make(map[contract.Allocation]int, len(takings))
	allocations := make([]contract.Allocation, 0, len(takings))
	for _, t := range takings {
		key := t.Allocation
		key.Quantity = 0
		at, known := place[key]
		if !known {
			at = len(allocations)
			place[key] = at
			allocations = append(allocations, key)
		}
		allocations[at].Quantity += t.Quantity
	}
	return allocations
}

// byShelf puts buckets into groups of one shelf each.
func byShelf(buckets []bucket) map[shelf][]bucket {
	shelves := map[shelf][]bucket{}
	for _, b := range buckets {
		shelves[b.shelf] = append(shelves[b.shelf], b)
	}
	return shelves
}

// spread says how many units each bucket of one shelf has when what is available is divided evenly among the first n; what is
// reserved stays where it is, because reservations name their buckets. A bucket that has nothing left and is not among the
// first n is dropped, and its version is added to bucket 0's, so that the sum of a SKU's versions never falls.
func spread(buckets []bucket, n int64) (kept, dropped []bucket) {
	if len(buckets) == 0 {
		return nil, nil
	}
	var available int64
	known := map[int64]bucket{}
	for _, b := range buckets {
		available += b.available()
		known[b.number] = b
	}
	for number := range n {
		if _, ok := known[number]; !ok {
			known[number] = bucket{shelf: buckets[0].shelf, number: number}
		}
	}
	var carried int64
	for number, b := range known {
		share := int64(0)
		if number < n {
			share = available / n
			if number < available%n {
				share++
			}
		}
		b.onHand = b.reserved + share
		b.version++
		if number >= n && b.onHand == 0 {
			carried += b.version
			dropped = append(dropped, b)
		} else {
			kept = append(kept, b)
		}
	}
	slices.SortFunc(kept, func(a, b bucket) int { return cmp.Compare(a.number, b.number) })
	kept[0].version += carried
	return kept, dropped
}

// change divides a change of a shelf's units among its buckets: what comes goes to bucket 0, what goes is taken from those that
// have some available, in their order. It reports false when less is available than goes.
func change(buckets []bucket, delta int64) (changes []bucketChange, possible bool) {
	if delta >= 0 {
		return []bucketChange{{number: 0, delta: delta}}, true
	}
	missing := -delta
	for _, b := range buckets {
		if take := min(missing, b.available()); take > 0 {
			changes = append(changes, bucketChange{number: b.number, delta: -take})
			missing -= take
		}
	}
	return changes, missing == 0
}

type bucketChange struct{ number, delta int64 }

// levelsOf sums buckets to what operators see: one level for each shelf, in the order of the buckets.
func levelsOf(buckets []bucket) []contract.StockLevel {
	at := map[shelf]int{}
	var levels []contract.StockLevel
	for _, b := range buckets {
		i, known := at[b.shelf]
		if !known {
			i = len(levels)
			at[b.shelf] = i
			levels = append(levels, contract.StockLevel{SKU: b.sku, Region: b.region, Warehouse: b.warehouse})
		}
		levels[i].OnHand += b.onHand
		levels[i].Reserved += b.reserved
		levels[i].Buckets++
	}
	return levels
}
