package inventory

import (
	"cmp"
	"slices"

	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/services/contract"
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

// allocate takes each SKU's units from the first warehouse of the way that has some, then from the next. It gives either
// allocations that cover every line, or the lines that cannot be covered; never a part. Stock in a warehouse that is not on the
// way is not for sale.
func allocate(summed []contract.SKUCount, levels []contract.StockLevel, way []place) ([]contract.Allocation, []shortage) {
	type shelf struct {
		sku string
		place
	}
	available := make(map[shelf]int64, len(levels))
	for _, level := range levels {
		available[shelf{level.SKU, place{level.Region, level.Warehouse}}] = level.OnHand - level.Reserved
	}
	var allocations []contract.Allocation
	var shortages []shortage
	for _, line := range summed {
		missing := line.Quantity
		for _, stop := range way {
			take := min(missing, available[shelf{line.SKU, stop}])
			if take <= 0 {
				continue
			}
			allocations = append(allocations, contract.Allocation{Region: stop.region, Warehouse: stop.warehouse, SKU: line.SKU, Quantity: take})
			missing -= take
		}
		if missing > 0 {
			shortages = append(shortages, shortage{SKU: line.SKU, Requested: line.Quantity, Available: line.Quantity - missing})
		}
	}
	if len(shortages) > 0 {
		return nil, shortages
	}
	return allocations, nil
}

// outOfStock tells which SKUs a request could not get.
func outOfStock(shortages []shortage) error {
	if len(shortages) == 1 {
		short := shortages[0]
		return contract.Errorf(contract.CodeOutOfStock, "only %d of %s are available, not %d", short.Available, short.SKU, short.Requested).With("skus", shortages)
	}
	return contract.Errorf(contract.CodeOutOfStock, "%d of the SKUs are not available in the quantity asked for", len(shortages)).With("skus", shortages)
}
