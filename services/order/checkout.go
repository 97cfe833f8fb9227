package order

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/meridian-store/meridian/services/contract"
)

// quote prices the presented cart for a destination.
func (s *service) quote(ctx context.Context, ref cartRef, address contract.Address, method string) (contract.Quote, contract.CartContents, error) {
	if err := validateDestination(address); err != nil {
		return contract.Quote{}, contract.CartContents{}, err
	}
	cart, err := s.neighbours.cart(ctx, ref)
	if err != nil {
		return contract.Quote{}, cart, err
	}
	if cart.CartID != ref.id {
		return contract.Quote{}, cart, fmt.Errorf("the cart service answered for %s when asked for %s", cart.CartID, ref.id)
	}
	priced, err := s.neighbours.prices(ctx, cart)
	if err != nil {
		return contract.Quote{}, cart, err
	}
	quote, err := price(cart, priced, destinationOf(address.Country, s.region, s.regions), method)
	return quote, cart, err
}

// checkout buys the presented cart once for each key. The answer is the final one when it is known within the shopper's budget,
// and the pending order otherwise.
func (s *service) checkout(ctx context.Context, ref cartRef, key string, request Request) (*reply, error) {
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
	opened := saga{home: home, cartID: ref.id, key: key, requestHash: hash, direction: forward, epoch: 1, token: request.Payment.Token, left: s.settings.Forward}
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
func (s *service) repeat(ctx context.Context, wanted saga, ref cartRef) (*reply, error) {
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

// open prices the cart and writes the saga.
func (s *service) open(ctx context.Context, opened *saga, ref cartRef, request Request) (placed, error) {
	quote, cart, err := s.quote(ctx, ref, request.ShippingAddress, request.ShippingMethod)
	if err != nil {
		return placed{}, err
	}
	if request.Quote != "" && request.Quote != quote.Quote {
		return placed{}, contract.Errorf(contract.CodeQuoteChanged, "the quote has changed; show the new one and ask again").With("quote", quote)
	}
	order := newPlaced(ref.region, ref, cart.Version, quote, request, s.now())
	opened.id, opened.orderID = order.sagaID, order.ID
	if err := s.orchestrator.boundary(ctx, *opened, Before(StepOpen)); err != nil {
		return placed{}, err
	}
	if err := s.store.open(ctx, *opened, &order, s.settings, s.orchestrator.holder); err != nil {
		return placed{}, err
	}
	order.History = []contract.OrderEntry{{Step: outcomeOpened, At: order.CreatedAt}}
	return order, s.orchestrator.boundary(ctx, *opened, After(StepOpen))
}

// await gives the final answer, or the pending order once the budget is spent or the saga has gone to another holder.
func (s *service) await(ctx context.Context, d *drive, started time.Time) (*reply, error) {
	budget := time.NewTimer(s.settings.Budget - time.Since(started))
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
