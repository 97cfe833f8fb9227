package order

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/meridian-store/meridian/contract"
)

// checkout buys the presented cart once for each key. The answer is the final one when it is known within the shopper's budget,
// and the pending order otherwise.
func (s *Service) checkout(ctx context.Context, ref cartRef, key string, request Request) (*reply, error) {
	started := time.Now()
	if err := request.Validate(); err != nil {
		return nil, err
	}
	home, known := s.homes[ref.region]
	if !known {
		return nil, errNoCart()
	}
	hash, err := request.hash(ref.id)
	if err != nil {
		return nil, err
	}
	opened := saga{home: home, cartID: ref.id, key: key, requestHash: hash, direction: forward, epoch: 1, token: request.Payment.Token, left: s.config.Forward}
	if earlier, err := s.repeat(ctx, opened, ref); earlier != nil || err != nil {
		return earlier, err
	}
	order, err := s.open(ctx, &opened, ref, request)
	if err != nil {
		// The same checkout may have got ahead of this one meanwhile, and have emptied the cart: then its answer is this one's.
		if earlier, again := s.repeat(ctx, opened, ref); earlier != nil || again != nil {
			return earlier, again
		}
		return nil, err
	}
	return s.await(ctx, s.orchestrator.begin(ctx, opened, order, len(order.History)), started)
}

// repeat answers a key that was used before; nil when it was not. The cart's secret was judged by the cart service when the key
// was first used, and is held against its hash now, because the cart may be gone.
func (s *Service) repeat(ctx context.Context, wanted saga, ref cartRef) (*reply, error) {
	earlier, err := s.store.byKey(ctx, wanted.home, wanted.cartID, wanted.key)
	if err != nil || earlier == nil {
		return nil, err
	}
	if !earlier.order.ownedBy(ref) {
		return nil, errNoCart()
	}
	if subtle.ConstantTimeCompare(earlier.requestHash, wanted.requestHash) != 1 {
		return nil, contract.Errorf(contract.CodeKeyReused, "this %s was used for another checkout; take a new one", contract.HeaderIdempotencyKey)
	}
	if earlier.state == stateRunning {
		return pendingReply(earlier.order)
	}
	return finalReply(earlier.order.ID, earlier.order.answer), nil
}

// maxUnheard is how many confirmed orders a cart may have yet to hear of for one checkout; the next goes on where it stopped.
const maxUnheard = 5

// open prices the cart and writes the saga. A cart that has not heard of its last order yet holds goods that are bought: it is
// told first, and priced again.
func (s *Service) open(ctx context.Context, opened *saga, ref cartRef, request Request) (placed, error) {
	for range maxUnheard {
		order, err := s.openAsRead(ctx, opened, ref, request)
		if !errors.Is(err, errBought) {
			return order, err
		}
		if err := s.tellCart(ctx, opened.home, order); err != nil {
			return placed{}, err
		}
	}
	return placed{}, errAlreadyBought()
}

// tellCart has the cart give up what was bought when it was as the wanted order found it.
func (s *Service) tellCart(ctx context.Context, home string, wanted placed) error {
	before, err := s.store.following(ctx, home, wanted.cartID, wanted.follows)
	switch {
	case err != nil:
		return err
	case before == nil:
		return nil // it has failed meanwhile, and binds nothing
	case before.Status == contract.OrderStatusPending:
		return errAlreadyBought()
	}
	return s.neighbours.takeOut(ctx, *before)
}

// openAsRead opens the saga of the cart as it reads now; errBought comes with the order that could not be placed.
func (s *Service) openAsRead(ctx context.Context, opened *saga, ref cartRef, request Request) (placed, error) {
	priced, err := s.quote(ctx, ref, request.ShippingAddress, request.ShippingMethod, request.Email)
	quote, cart := priced.quote, priced.cart
	if err != nil && len(cart.Lines) == 0 && len(cart.TakenOrders) > 0 {
		return placed{}, errAlreadyBought()
	}
	if err != nil {
		return placed{}, err
	}
	if request.Quote != "" && request.Quote != quote.Quote {
		return placed{}, contract.Errorf(contract.CodeQuoteChanged, "the quote has changed; show the new one and ask again").With("quote", quote)
	}
	order := newPlaced(ref.region, ref, cart, quote, request, s.now())
	order.uses = priced.uses
	opened.id, opened.orderID = order.sagaID, order.ID
	if err := s.orchestrator.boundary(ctx, *opened, Before(StepOpen)); err != nil {
		return placed{}, err
	}
	err = s.store.open(ctx, *opened, &order, s.config, s.orchestrator.holder)
	if errors.Is(err, errUsedUp) {
		return placed{}, s.requote(ctx, ref, request)
	}
	if err != nil {
		return order, err
	}
	order.History = []contract.OrderEntry{{Step: outcomeOpened, At: order.CreatedAt}}
	return order, s.orchestrator.boundary(ctx, *opened, After(StepOpen))
}

// await gives the final answer, or the pending order once the budget is spent or the saga has gone to another holder.
func (s *Service) await(ctx context.Context, d *drive, started time.Time) (*reply, error) {
	budget := time.NewTimer(s.config.Budget - time.Since(started))
	defer budget.Stop()
	select {
	case <-d.done:
		if d.final != nil {
			return finalReply(d.saga.orderID, *d.final), nil
		}
	case <-budget.C:
	case <-ctx.Done():
	}
	return pendingReply(d.current())
}

func finalReply(orderID string, final answer) *reply {
	return &reply{Status: final.status, Location: locationOf(orderID), CacheControl: private, Body: document(final)}
}

func pendingReply(order placed) (*reply, error) {
	body, err := json.Marshal(order.Order)
	if err != nil {
		return nil, fmt.Errorf("encode the order: %w", err)
	}
	return &reply{
		Status: http.StatusAccepted, Location: locationOf(order.ID), RetryAfter: "1", CacheControl: private,
		Body: document{status: http.StatusAccepted, body: body},
	}, nil
}

func locationOf(orderID string) string { return "/api/v1/orders/" + orderID }
