package inventory

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/meridian-store/meridian/services/contract"
)

// optimisticPlans is how often a plan is made from stock that nobody holds still. Each failure means that another sale went
// through; the plan after the last is made from locked rows, so that its answer is final.
const optimisticPlans = 3

// reserve holds stock for a saga, all lines or none: five round trips and one commit whatever the number of lines, as long as
// nobody takes the same units between the plan and the hold. created is false when the saga's reservation was there already.
func (s *service) reserve(ctx context.Context, request contract.ReservationRequest) (r reservation, created bool, err error) {
	region, err := sagaRegion(request.SagaID, s.regions)
	if err != nil {
		return reservation{}, false, err
	}
	summed, err := sumLines(request.Lines)
	if err != nil {
		return reservation{}, false, err
	}
	hash, err := hashRequest(request.Country, summed)
	if err != nil {
		return reservation{}, false, err
	}
	way := route(request.Country, s.region, s.regions)
	plan := func(levels []contract.StockLevel) (reservation, error) {
		allocations, shortages := allocate(summed, levels, way)
		if len(shortages) > 0 {
			return reservation{}, outOfStock(shortages)
		}
		return reservation{
			Reservation: contract.Reservation{
				SagaID: request.SagaID, State: contract.ReservationHeld, Allocations: allocations,
				ExpiresAt: s.now().Add(time.Duration(request.HoldSeconds) * time.Second).UTC().Truncate(time.Microsecond),
			},
			region: region, requestHash: hash, version: 1,
		}, nil
	}
	skus := make([]string, len(summed))
	for i, line := range summed {
		skus[i] = line.SKU
	}
	r, err = s.hold(ctx, skus, plan)
	switch {
	case err == nil:
		s.outcomes.WithLabelValues("held").Inc()
		s.bands.note(skus...)
		return r, true, nil
	case errors.Is(err, errKnown), contract.CodeOf(err) == contract.CodeOutOfStock:
		// A repeat must not be told that the stock is gone which it has itself taken.
		r, err = s.answerRepeat(ctx, region, request.SagaID, hash, err)
		return r, false, err
	default:
		return reservation{}, false, fmt.Errorf("reserve for %s: %w", request.SagaID, err)
	}
}

// hold plans and holds until it succeeds or stock is short.
func (s *service) hold(ctx context.Context, skus []string, plan func([]contract.StockLevel) (reservation, error)) (reservation, error) {
	for range optimisticPlans {
		levels, err := s.store.levels(ctx, skus)
		if err != nil {
			return reservation{}, err
		}
		planned, err := plan(levels)
		if err != nil {
			return reservation{}, err
		}
		if err := s.store.hold(ctx, planned); !errors.Is(err, errTaken) {
			return planned, err
		}
	}
	return s.store.holdLocked(ctx, skus, plan)
}

// answerRepeat gives the reservation that the saga has already; without one, what went wrong stands.
func (s *service) answerRepeat(ctx context.Context, region, sagaID, hash string, cause error) (reservation, error) {
	found, ok, err := s.store.find(ctx, region, sagaID)
	if err != nil {
		return reservation{}, err
	}
	if ok {
		return found.repeated(hash)
	}
	if contract.CodeOf(cause) == contract.CodeOutOfStock {
		s.outcomes.WithLabelValues("out_of_stock").Inc()
	}
	return reservation{}, cause
}
