package inventory

import (
	"context"
	"fmt"

	"github.com/meridian-store/meridian/contract"
)

// surplus is a SKU of which more shall come back than is still sold; a refusal lists them.
type surplus struct {
	SKU       string `json:"sku"`
	Returned  int64  `json:"returned"`
	StillSold int64  `json:"still_sold"`
}

// takeBack puts units of a saga's sale back on hand, each into the warehouse that it came from. created is false when the return
// was applied before.
func (s *Service) takeBack(ctx context.Context, sagaID string, request contract.StockReturn) (r reservation, created bool, err error) {
	region, err := sagaRegion(sagaID, s.regions)
	if err != nil {
		return reservation{}, false, err
	}
	if request.ReturnID == "" || !printable(request.ReturnID) {
		return reservation{}, false, contract.Invalid("return_id", "is empty or contains what cannot be printed")
	}
	lines, err := sumLines(request.Lines)
	if err != nil {
		return reservation{}, false, err
	}
	hash, err := hashRequest("", lines)
	if err != nil {
		return reservation{}, false, err
	}
	r, sold, back, err := s.store.takeBack(ctx, region, sagaID, comeBack{id: request.ReturnID, hash: hash, lines: lines})
	if err != nil {
		if contract.CodeOf(err) == contract.CodeInternal {
			err = fmt.Errorf("take back from %s: %w", sagaID, err)
		}
		return reservation{}, false, err
	}
	if sold {
		s.outcomes.WithLabelValues("sold").Inc()
	}
	if len(back) > 0 {
		s.outcomes.WithLabelValues("returned").Inc()
		s.moreOf(skusOf(back))
	}
	return r, len(back) > 0, nil
}

// comeBack is a return, checked.
type comeBack struct {
	id, hash string
	lines    []contract.SKUCount
}

// allot divides what comes back among the warehouses that it was sold from, less what came back before. The nearest warehouse, of
// which most was taken first, is filled last: what had to come from far away is what the sale could least spare.
func (c comeBack) allot(sold, before []contract.Allocation) ([]contract.Allocation, error) {
	left := map[shelf]int64{}
	for _, a := range sold {
		left[shelfOf(a)] += a.Quantity
	}
	for _, a := range before {
		left[shelfOf(a)] -= a.Quantity
	}
	var back []contract.Allocation
	var tooMany []surplus
	for _, line := range c.lines {
		missing := line.Quantity
		for i := len(sold) - 1; i >= 0; i-- {
			units := min(missing, left[shelfOf(sold[i])])
			if sold[i].SKU != line.SKU || units <= 0 {
				continue
			}
			left[shelfOf(sold[i])] -= units
			missing -= units
			part := sold[i]
			part.Quantity = units
			back = append(back, part)
		}
		if missing > 0 {
			tooMany = append(tooMany, surplus{SKU: line.SKU, Returned: line.Quantity, StillSold: line.Quantity - missing})
		}
	}
	if len(tooMany) > 0 {
		return nil, contract.Errorf(contract.CodeConflict, "%d of %s cannot come back: only %d of the sale are still out",
			tooMany[0].Returned, tooMany[0].SKU, tooMany[0].StillSold).With("skus", tooMany)
	}
	return back, nil
}

func shelfOf(a contract.Allocation) shelf { return shelf{a.SKU, place{a.Region, a.Warehouse}} }
