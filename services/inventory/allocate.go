package inventory

import (
	"cmp"
	"slices"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
)

// place is a warehouse and the region it stands in.
type place struct{ region, warehouse string }

// shortage is a SKU of which less is available than was asked for; it is what the shopper's problem document lists.
type shortage struct {
	SKU       string `json:"sku"`
	Requested int64  `json:"requested"`
	Available int64  `json:"available"`
}

// route gives every warehouse, nearest first as seen from the region that serves the country, or from the region named serving
// when none does. Equal distances are broken by name, so that every region plans alike.
func route(country, serving string, regions []contract.Region) []place {
	var from geo.Point
	for _, region := range regions {
		if region.Name == serving {
			from = region.Point
		}
	}
	for _, region := range regions {
		if slices.Contains(region.Countries, country) {
			from = region.Point
		}
	}
	type stop struct {
		place
		km float64
	}
	var stops []stop
	for _, region := range regions {
		for _, warehouse := range region.Warehouses {
			stops = append(stops, stop{place{region.Name, warehouse.Code}, geo.DistanceKM(from, warehouse.Point)})
		}
	}
	slices.SortFunc(stops, func(a, b stop) int {
		return cmp.Or(cmp.Compare(a.km, b.km), cmp.Compare(a.region, b.region), cmp.Compare(a.warehouse, b.warehouse))
	})
	places := make([]place, len(stops))
	for i, s := range stops {
		places[i] = s.place
	}
	return places
}

// supply is what a plan may take: stock as it was read, less what plans took from it since.
type supply map[shelf][]bucket

// supplyOf puts the buckets of each shelf in the order in which a process takes from them: its own first, then those after it. own
// is the process's number; processes with different numbers begin at different buckets of a split shelf.
func supplyOf(buckets []bucket, own int64) supply {
	s := supply(byShelf(buckets))
	for _, shelved := range s {
		slices.SortFunc(shelved, func(a, b bucket) int { return cmp.Compare(a.number, b.number) })
		first := int(own) % len(shelved)
		slices.Reverse(shelved[:first])
		slices.Reverse(shelved[first:])
		slices.Reverse(shelved)
	}
	return s
}

// available gives what is left of a SKU in the warehouses of a way.
func (s supply) available(sku string, way []place) (units int64) {
	for _, stop := range way {
		for _, b := range s[shelf{sku, stop}] {
			units += b.available()
		}
	}
	return units
}

// allocate takes each SKU's units from the first warehouse of the way that has some, then from the next. It gives either
// takings that cover every line, or the lines that cannot be covered; never a part, and then it takes nothing. Stock in a
// warehouse that is not on the way is not for sale.
func (s supply) allocate(summed []contract.SKUCount, way []place) ([]taking, []shortage) {
	var shortages []shortage
	for _, line := range summed {
		if available := s.available(line.SKU, way); available < line.Quantity {
			shortages = append(shortages, shortage{SKU: line.SKU, Requested: line.Quantity, Available: max(available, 0)})
		}
	}
	if len(shortages) > 0 {
		return nil, shortages
	}
	var takings []taking
	for _, line := range summed {
		takings = s.take(takings, line, way)
	}
	return takings, nil
}

// take adds the takings of one line, of which enough is there.
func (s supply) take(takings []taking, line contract.SKUCount, way []place) []taking {
	missing := line.Quantity
	for _, stop := range way {
		shelved := s[shelf{line.SKU, stop}]
		for i := range shelved {
			units := min(missing, shelved[i].available())
			if units <= 0 {
				continue
			}
			shelved[i].reserved += units
			missing -= units
			takings = append(takings, taking{
				Allocation: contract.Allocation{Region: stop.region, Warehouse: stop.warehouse, SKU: line.SKU, Quantity: units}, Bucket: shelved[i].number,
			})
		}
	}
	return takings
}

// outOfStock tells which SKUs a request could not get.
func outOfStock(shortages []shortage) error {
	if len(shortages) == 1 {
		short := shortages[0]
		return contract.Errorf(contract.CodeOutOfStock, "only %d of %s are available, not %d", short.Available, short.SKU, short.Requested).With("skus", shortages)
	}
	return contract.Errorf(contract.CodeOutOfStock, "%d of the SKUs are not available in the quantity asked for", len(shortages)).With("skus", shortages)
}
