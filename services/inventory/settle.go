package inventory

import (
	"context"
	"fmt"

	"github.com/meridian-store/meridian/contract"
)

// release gives a saga's stock back and leaves a tombstone. Releasing again, or a saga that never reserved, is fine; stock that
// was sold is not given back by a release.
func (s *Service) release(ctx context.Context, sagaID string) (reservation, error) {
	region, err := sagaRegion(sagaID, s.regions)
	if err != nil {
		return reservation{}, err
	}
	r, changed, err := s.store.release(ctx, region, sagaID)
	if err != nil {
		return reservation{}, fmt.Errorf("release %s: %w", sagaID, err)
	}
	if r.State == contract.ReservationSold {
		return reservation{}, contract.Errorf(contract.CodeConflict, "the reservation of %s was sold", sagaID)
	}
	if changed {
		s.outcomes.WithLabelValues("released").Inc()
		s.moreOf(skusOf(r.Allocations))
	}
	return r, nil
}

// confirm turns a saga's hold into a sale. Confirming again is fine; what was released, or never reserved, cannot be sold.
func (s *Service) confirm(ctx context.Context, sagaID string) (reservation, error) {
	region, err := sagaRegion(sagaID, s.regions)
	if err != nil {
		return reservation{}, err
	}
	r, found, changed, err := s.store.sell(ctx, region, sagaID)
	switch {
	case err != nil:
		return reservation{}, fmt.Errorf("confirm %s: %w", sagaID, err)
	case !found:
		return reservation{}, contract.Errorf(contract.CodeNotFound, "%s has no reservation", sagaID)
	case r.State == contract.ReservationReleased:
		return reservation{}, contract.Errorf(contract.CodeConflict, "the reservation of %s was released", sagaID)
	}
	if changed {
		// What is available stays as it was, so no band can have changed.
		s.outcomes.WithLabelValues("sold").Inc()
	}
	return r, nil
}

// lookUp gives a saga's reservation.
func (s *Service) lookUp(ctx context.Context, sagaID string) (reservation, error) {
	region, err := sagaRegion(sagaID, s.regions)
	if err != nil {
		return reservation{}, err
	}
	r, found, err := s.store.find(ctx, region, sagaID)
	if err != nil {
		return reservation{}, err
	}
	if !found {
		return reservation{}, contract.Errorf(contract.CodeNotFound, "%s has no reservation", sagaID)
	}
	return r, nil
}

// moreOf says that there is more of some SKUs than before, or another number.
func (s *Service) moreOf(skus []string) {
	s.bands.note(skus...)
	s.counts.forget(skus)
}
