package cart

import (
	"context"
	"fmt"

	"github.com/redis/rueidis"

	"github.com/meridian-store/meridian/contract"
)

// merge moves a guest's lines and promotion codes into a user's cart; codes beyond contract.MaxCartCodes stay behind. The two may be on two nodes of a Redis Cluster, so it is three changes, each of
// which may be repeated: the guest's cart is closed with its lines, the user's takes them in and remembers that it has, the guest's
// is emptied. Whoever stops in between, the next merge goes on, and no line is lost or counted twice.
func (s *shoppers) merge(ctx context.Context, guest request, userID string) (contract.CartMerge, error) {
	merge := contract.CartMerge{Merged: true, LeftOut: []contract.SKUCount{}}
	owner, isUser := claimOfUser(userID)
	if !isUser {
		return contract.CartMerge{}, contract.Invalid("user_id", "is not a user's id")
	}
	if guest.who == nil {
		return merge, nil // it names nothing, and never will
	}
	frozen, err := s.freeze(ctx, guest, owner.id)
	if contract.CodeOf(err) == contract.CodeNotFound {
		// A cart of this region is gone, or was never the caller's; one of another may still be there.
		merge.Merged = guest.who.region == s.region.Code
		return merge, nil
	}
	if err != nil {
		return contract.CartMerge{}, err
	}
	if merge.LeftOut, err = s.move(ctx, frozen, owner, userID); err != nil {
		return contract.CartMerge{}, err
	}
	emptied, err := s.store.change(ctx, s.store.scripts.empty, frozen.id, owner.id)
	if err != nil {
		return contract.CartMerge{}, ignoreMissing(err)
	}
	// An older backup must not bring back what has moved.
	return merge, s.vault.backups.forget(ctx, frozen.id, emptied.version)
}

// moveIn takes a closed cart's lines into its user's, once, and gives what there was no room for.
func (s *shoppers) moveIn(ctx context.Context, guest cart, owner claim) ([]contract.SKUCount, error) {
	// A user's cart that Redis has lost comes back before the guest's lines come in.
	_, err := s.open(ctx, request{who: &owner})
	if contract.CodeOf(err) == contract.CodeNotFound {
		err = s.beginAway(ctx, owner, guest.currency)
	}
	if err != nil {
		return nil, err
	}
	return s.store.absorb(ctx, owner, guest)
}

// freeze closes a guest's cart, from its backup if need be; contract.CodeNotFound when the claim opens none.
func (s *shoppers) freeze(ctx context.Context, guest request, target string) (cart, error) {
	do := func() (cart, error) {
		return s.store.change(ctx, s.store.scripts.freeze, guest.who.id, guest.who.secretHash, target)
	}
	frozen, err := do()
	if contract.CodeOf(err) == contract.CodeNotFound {
		if _, err = s.open(ctx, guest); err == nil {
			frozen, err = do()
		}
	}
	return frozen, err
}

// absorb takes a closed cart's lines into its user's, once, and gives what there was no room for.
func (s *store) absorb(ctx context.Context, owner claim, guest cart) ([]contract.SKUCount, error) {
	live := guest.live()
	arguments := []string{owner.secretHash, guest.currency, guest.id, decimal(maxOrders), decimal(contract.MaxLineQuantity),
		decimal(contract.MaxCartLines), decimal(contract.MaxCartCodes), decimal(int64(len(live)))}
	for _, l := range live {
		arguments = append(arguments, l.sku, decimal(l.quantity))
	}
	for _, entered := range guest.entered() {
		arguments = append(arguments, entered.code, entered.title)
	}
	_, told, err := s.changeAndTell(ctx, s.scripts.absorb, owner.id, arguments...)
	if contract.CodeOf(err) == contract.CodeNotFound && len(live) == 0 && len(guest.entered()) == 0 {
		return []contract.SKUCount{}, nil // nothing moved into nothing
	}
	if err != nil {
		return nil, err
	}
	return leftOut(told)
}

// leftOut reads what absorb tells beside the cart: SKU and quantity in turn, nothing when it had been done before.
func leftOut(told []rueidis.RedisMessage) ([]contract.SKUCount, error) {
	left := []contract.SKUCount{}
	if len(told) == 0 {
		return left, nil
	}
	pairs, err := told[0].AsStrSlice()
	if err != nil {
		return nil, fmt.Errorf("what a merge left out: %w", err)
	}
	if len(pairs)%2 != 0 {
		return nil, fmt.Errorf("what a merge left out is %d words, not SKUs and quantities", len(pairs))
	}
	for i := 0; i < len(pairs); i += 2 {
		quantity, err := decodeCount(pairs[i+1])
		if err != nil {
			return nil, fmt.Errorf("what a merge left out: %w", err)
		}
		left = append(left, contract.SKUCount{SKU: pairs[i], Quantity: quantity})
	}
	return left, nil
}
