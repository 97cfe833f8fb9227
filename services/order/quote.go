package order

import (
	"context"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/meridian-store/meridian/contract"
)

// quoted is a cart with its price, and the uses of promotions that an order of it makes.
type quoted struct {
	quote contract.Quote
	cart  contract.CartContents
	uses  []use
}

// quote prices the presented cart for a destination and a shopper, whose email may be "" as long as nothing is bought. The cart is in the
// answer even when it can not be priced. The catalog's prices and our own promotions are read at once.
func (s *Service) quote(ctx context.Context, ref cartRef, address contract.Address, method, email string) (quoted, error) {
	if err := validateDestination(address); err != nil {
		return quoted{}, err
	}
	if err := s.mayServe("shipping_address.country", address.Country); err != nil {
		return quoted{}, err
	}
	cart, err := s.neighbours.cart(ctx, ref)
	if err != nil {
		return quoted{}, err
	}
	if cart.CartID != ref.id {
		return quoted{}, fmt.Errorf("the cart service answered for %s when asked for %s", cart.CartID, ref.id)
	}
	to := destinationOf(address.Country, s.region, s.regions)
	customer := s.customers.name(ref.userID, email)
	var priced []contract.PricedSKU
	var offered []kept
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		priced, err = s.neighbours.prices(groupCtx, cart, to.region)
		return err
	})
	group.Go(func() (err error) {
		offered, err = s.shelf.offered(groupCtx, cart.Codes, customer)
		return err
	})
	if err := group.Wait(); err != nil {
		return quoted{cart: cart}, err
	}
	quote, err := price(cart, priced, to, method, offersOf(offered, s.now()))
	if err != nil {
		return quoted{cart: cart}, err
	}
	return quoted{quote: quote, cart: cart, uses: usesOf(quote, offered, customer)}, nil
}

// mayServe refuses a country that this region does not serve: whoever asks from elsewhere cannot have goods sent there either.
func (s *Service) mayServe(field, country string) error {
	if !slices.Contains(s.region.Refuses, country) {
		return nil
	}
	err := contract.Errorf(contract.CodeNotServed, "this region may not serve %s", country)
	err.Field = field
	return err
}

// requote refuses a checkout whose promotion went to others since it was priced, with the price that stands now.
func (s *Service) requote(ctx context.Context, ref cartRef, request Request) error {
	now, err := s.quote(ctx, ref, request.ShippingAddress, request.ShippingMethod, request.Email)
	if err != nil {
		return err
	}
	return contract.Errorf(contract.CodeQuoteChanged, "a promotion has been used up; show the new quote and ask again").With("quote", now.quote)
}
