package cart

import (
	"context"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/kit/httpx"
)

// shoppers does for shoppers what they ask of their carts.
type shoppers struct {
	store      *store
	vault      *vault
	neighbours *httpx.Client
	ids        geo.IDs
	region     geo.Region
}

// request is who asks, and in which currency a new cart would be.
type request struct {
	// who is nil when no cart was named, or when what was named has not a cart's form.
	who      *claim
	currency string
}

// byUser says whether it is a user's own cart that is asked for: there always is one, if only an empty one.
func (r request) byUser() bool { return r.who != nil && r.who.secretHash == ownedByUser }

// answer is a cart to show. made is the text that presents it from now on, when this request made it.
type answer struct {
	cart contract.Cart
	made string
}

// read gives the cart as it is; contract.CodeNotFound when the claim opens none.
func (s *shoppers) read(ctx context.Context, r request) (answer, error) {
	c, err := s.open(ctx, r)
	if err != nil {
		return answer{}, err
	}
	return s.show(ctx, newPrices(c.currency, s.region.Name), c)
}

// contents gives the cart without prices; contract.CodeNotFound when the claim opens none.
func (s *shoppers) contents(ctx context.Context, r request) (contract.CartContents, error) {
	c, err := s.open(ctx, r)
	if err != nil {
		return contract.CartContents{}, err
	}
	return c.contents(), nil
}

// clear takes all lines out; contract.CodeNotFound when the claim opens no cart.
func (s *shoppers) clear(ctx context.Context, r request) (answer, error) {
	return s.change(ctx, r, func(who claim) (cart, error) { return s.store.clear(ctx, who) })
}

// remove takes a line out, whether or not its SKU is still sold; contract.CodeNotFound when the claim opens no cart.
func (s *shoppers) remove(ctx context.Context, r request, sku string) (answer, error) {
	return s.change(ctx, r, func(who claim) (cart, error) { return s.store.put(ctx, who, "", modeSet, sku, 0) })
}

// change does what needs no look at the cart beforehand. Only when Redis has no such cart is it sought in its backup.
func (s *shoppers) change(ctx context.Context, r request, do func(who claim) (cart, error)) (answer, error) {
	if r.who == nil {
		return answer{}, errNoCart()
	}
	c, err := do(*r.who)
	if contract.CodeOf(err) == contract.CodeNotFound {
		if _, err = s.open(ctx, r); err == nil {
			c, err = do(*r.who)
		}
	}
	if err != nil {
		return answer{}, err
	}
	return s.show(ctx, newPrices(c.currency, s.region.Name), c)
}

// put adds to a line or sets it to a quantity above 0, and makes a cart for whoever's claim opens none. The SKU must be sold.
func (s *shoppers) put(ctx context.Context, r request, mode, sku string, quantity int64) (answer, error) {
	c, err := s.open(ctx, r)
	if contract.CodeOf(err) == contract.CodeNotFound {
		return s.begin(ctx, r, mode, sku, quantity)
	}
	if err != nil {
		return answer{}, err
	}
	// All prices are asked for before the change, so that a catalog that fails leaves the cart as it was.
	known := newPrices(c.currency, s.region.Name)
	if err := known.learn(ctx, s.neighbours, append(c.skus(), sku)...); err != nil {
		return answer{}, err
	}
	if err := known.mustSell(sku); err != nil {
		return answer{}, err
	}
	c, err = s.store.putShown(ctx, *r.who, "", mode, sku, quantity, known.sighting(sku))
	if contract.CodeOf(err) == contract.CodeNotFound { // it expired between the two
		return s.begin(ctx, r, mode, sku, quantity)
	}
	if err != nil {
		return answer{}, err
	}
	return s.show(ctx, known, c)
}

// begin makes a cart with its first line.
func (s *shoppers) begin(ctx context.Context, r request, mode, sku string, quantity int64) (answer, error) {
	known := newPrices(r.currency, s.region.Name)
	if err := known.learn(ctx, s.neighbours, sku); err != nil {
		return answer{}, err
	}
	if err := known.mustSell(sku); err != nil {
		return answer{}, err
	}
	who, text, err := s.newcomer(ctx, r)
	if err != nil {
		return answer{}, err
	}
	c, err := s.store.putShown(ctx, who, r.currency, mode, sku, quantity, known.sighting(sku))
	if err != nil {
		return answer{}, err
	}
	made, err := s.show(ctx, known, c)
	made.made = text
	return made, err
}

// newcomer gives the claim to a cart that is to be made, and the text that presents it.
func (s *shoppers) newcomer(ctx context.Context, r request) (who claim, text string, err error) {
	if r.byUser() {
		return *r.who, "", s.beginAway(ctx, *r.who, r.currency) // a user's cart is not named: the token finds it
	}
	who, text = newClaim(s.ids, s.region.Code)
	return who, text, nil
}

// beginAway begins the cart of a user of another region, of which nothing is known here, as one that is changed away from its home: that
// may have one too, with which this one is to be merged. A cart that is homed here needs no such beginning.
func (s *shoppers) beginAway(ctx context.Context, who claim, currency string) error {
	if who.region == s.region.Code {
		return nil
	}
	now := s.store.now()
	// As in make (lua/cart.lua), its versions go on from the time.
	empty := cart{id: who.id, secretHash: who.secretHash, currency: currency, site: s.region.Code, version: now.UnixMilli()}
	_, err := s.store.restore(ctx, empty, now)
	return err
}

// acknowledge notes that the shopper has seen the cart as it is now: nothing is told as different any more. contract.CodeNotFound when the
// claim opens none.
func (s *shoppers) acknowledge(ctx context.Context, r request) (answer, error) {
	c, err := s.open(ctx, r)
	if err != nil {
		return answer{}, err
	}
	known := newPrices(c.currency, s.region.Name)
	if err := known.learn(ctx, s.neighbours, c.skus()...); err != nil {
		return answer{}, err
	}
	c.seen = known.shown(c)
	if err := s.store.note(ctx, c.id, c.seen); err != nil {
		return answer{}, err
	}
	return answer{cart: known.show(c)}, nil
}

// open finds the cart of a claim, in Redis or in its backup; contract.CodeNotFound when it opens none.
func (s *shoppers) open(ctx context.Context, r request) (cart, error) {
	if r.who == nil {
		return cart{}, errNoCart()
	}
	c, err := s.store.find(ctx, r.who.id)
	if contract.CodeOf(err) == contract.CodeNotFound {
		if c, err = s.vault.restore(ctx, r.who.id, r.who.opens); err == nil {
			err = s.store.touch(ctx, c.id) // it is used from now on
		}
	}
	if err == nil && (!r.who.opens(c.secretHash) || c.mergedInto != "") {
		err = errNoCart()
	}
	return c, err
}

// show prices a cart, asking for what is not known yet: what another request has put in meanwhile. Lines that are shown for the first
// time, which no change of a line has left, cost one more round trip to Redis.
func (s *shoppers) show(ctx context.Context, known prices, c cart) (answer, error) {
	if err := known.learn(ctx, s.neighbours, c.skus()...); err != nil {
		return answer{}, err
	}
	if err := s.store.note(ctx, c.id, known.firstShown(c)); err != nil {
		return answer{}, err
	}
	return answer{cart: known.show(c)}, nil
}
