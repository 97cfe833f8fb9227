package inventory

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/meridian-store/meridian/contract"
)

// wish is where an order wants its saga's reservation to be.
type wish struct {
	saga, region, target string
	eventID, orderID     string
}

// applyEvents follows orders: a confirmation sells what was held, a failure gives it back. An event only says which saga to look
// at; what moves is what the saga's own row says. It may have been done already, by the order service itself or by another region
// that heard of the order too. What needs nothing done costs one look for all together, and so do the tombstones of sagas that never held
// anything, of which a flash sale leaves thousands.
func (s *Service) applyEvents(ctx context.Context, events []contract.Event) error {
	var wishes []wish
	for _, event := range events {
		if w, ok := s.read(ctx, event); ok {
			wishes = append(wishes, w)
		}
	}
	open, err := s.open(ctx, wishes)
	if err != nil {
		return err
	}
	bySaga := map[string][]wish{}
	for _, w := range open {
		bySaga[w.saga] = append(bySaga[w.saga], w)
	}
	var group errgroup.Group
	group.SetLimit(parallelGroups)
	for _, ofSaga := range bySaga {
		group.Go(func() error {
			for _, w := range ofSaga {
				if err := s.fulfil(ctx, w); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// read gives the wish of an event; none of one that is of no interest or makes no sense, now or ever.
func (s *Service) read(ctx context.Context, event contract.Event) (wish, bool) {
	w := wish{eventID: event.ID}
	switch event.Type {
	case contract.OrderConfirmed:
		w.target = contract.ReservationSold
	case contract.OrderFailed:
		w.target = contract.ReservationReleased
	default:
		return wish{}, false
	}
	var change contract.OrderChange
	err := event.Decode(&change)
	if err == nil {
		w.saga, w.orderID = change.SagaID, change.OrderID
		w.region, err = sagaRegion(change.SagaID, s.regions)
	}
	if err != nil {
		s.log.ErrorContext(ctx, "An order event cannot be read and was passed over.", "event_id", event.ID, "error", err.Error())
		return wish{}, false
	}
	return w, true
}

// open gives the wishes that still need something done to a reservation. Tombstones are made on the way.
func (s *Service) open(ctx context.Context, wishes []wish) (open []wish, err error) {
	if len(wishes) == 0 {
		return nil, nil
	}
	known, err := s.store.findAll(ctx, wishes)
	if err != nil {
		return nil, err
	}
	var unknown []wish
	for _, w := range wishes {
		r, found := known[w.saga]
		switch {
		case found && r.State == w.target:
		case !found && w.target == contract.ReservationReleased:
			unknown = append(unknown, w)
		default:
			open = append(open, w)
		}
	}
	made, err := s.store.tombstones(ctx, unknown)
	for _, w := range unknown {
		if !made[w.saga] {
			open = append(open, w) // it has reserved after all, since the look
		}
	}
	return open, err
}

// fulfil does what one wish wants, or says why that is not possible.
func (s *Service) fulfil(ctx context.Context, w wish) error {
	err := s.follow(ctx, w.saga, w.target)
	switch contract.CodeOf(err) {
	case contract.CodeInvalid, contract.CodeNotFound, contract.CodeConflict:
		// Trying again would not change the answer; the audit compares orders and sales.
		s.log.ErrorContext(ctx, "An order event does not fit its reservation and was passed over.",
			"event_id", w.eventID, "order_id", w.orderID, "saga_id", w.saga, "wanted", w.target, "error", err.Error())
		return nil
	default:
		return err
	}
}

// follow brings a reservation to a last state; one that is there already costs one local read.
func (s *Service) follow(ctx context.Context, sagaID, target string) error {
	r, err := s.lookUp(ctx, sagaID)
	if err == nil && r.State == target {
		return nil
	}
	if err != nil && contract.CodeOf(err) != contract.CodeNotFound {
		return err
	}
	if target == contract.ReservationSold {
		_, err = s.confirm(ctx, sagaID)
	} else {
		_, err = s.release(ctx, sagaID)
	}
	return err
}
