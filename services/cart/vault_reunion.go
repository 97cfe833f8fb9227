package cart

import (
	"context"
	"errors"
	"fmt"

	"github.com/meridian-store/meridian/contract"
)

// mergeAttempts bounds how often a merge is made again because its cart was changed meanwhile; the event is then handled again.
const mergeAttempts = 20

// hear takes in what other regions say of carts, each once: a cart that is homed here is merged with it and the merge announced; of one
// that is not, a copy is kept, and the cart as it was restored here is merged too, which its home announces.
func (v *vault) hear(ctx context.Context, states map[string]contract.CartState) error {
	var foreign []string
	for id, state := range states {
		if !v.homedHere(id) {
			foreign = append(foreign, id)
			continue
		}
		if err := v.reunite(ctx, state, true); err != nil {
			return err
		}
	}
	if len(foreign) == 0 {
		return nil
	}
	known, err := v.store.copiesOf(ctx, foreign)
	if err != nil {
		return err
	}
	var kept []contract.CartState
	for _, id := range foreign {
		state := trim(mergeStates(known[id], states[id]))
		if before, had := known[id]; had && before.Version == state.Version && sameState(before, state) {
			continue
		}
		kept = append(kept, state)
	}
	if len(kept) == 0 {
		return nil
	}
	restored, err := v.store.keepCopies(ctx, kept)
	if err != nil {
		return err
	}
	for _, state := range restored {
		if err := v.reunite(ctx, state, false); err != nil {
			return err
		}
	}
	return nil
}

// reunite merges what another region says into a cart.
func (v *vault) reunite(ctx context.Context, state contract.CartState, announce bool) error {
	for range mergeAttempts {
		err := v.reuniteOnce(ctx, state, announce)
		if !errors.Is(err, errChanged) {
			return err
		}
	}
	return fmt.Errorf("merge cart %s: %w", state.CartID, errChanged)
}

func (v *vault) reuniteOnce(ctx context.Context, state contract.CartState, announce bool) error {
	current, read, err := v.current(ctx, state.CartID, announce)
	if err != nil {
		return err
	}
	before := current.state()
	before.CartID = state.CartID
	merged := mergeStates(before, state)
	same := sameState(before, merged)
	if same && merged.Version == before.Version {
		return nil
	}
	if !same && announce {
		merged.Version++ // the merge is a change like any other
	}
	result := cartOf(merged)
	result.site = current.site
	if err := v.store.replace(ctx, read, result, announce && !same); err != nil {
		return err
	}
	v.reunited.Inc()
	return nil
}

// current reads the cart that is to be merged, and what names its version; of one that is homed here its backup too. One that is nowhere
// is empty.
func (v *vault) current(ctx context.Context, id string, homed bool) (current cart, read string, err error) {
	for range 2 {
		found, err := v.store.load(ctx, []restingCart{{id: id}})
		if err != nil {
			return cart{}, "", err
		}
		if len(found) == 1 {
			return found[0].cart, decimal(found[0].version), nil
		}
		if !homed {
			return cart{site: v.code}, "", nil
		}
		trusted := func(string) bool { return true } // the region that says so has seen the secret
		if _, err := v.restore(ctx, id, trusted); contract.CodeOf(err) == contract.CodeNotFound {
			return cart{}, "", nil
		} else if err != nil {
			return cart{}, "", err
		}
	}
	return cart{}, "", errChanged
}

// openCopy restores a cart of another region from what was heard of it, if that may be opened; contract.CodeNotFound when nothing was.
func (v *vault) openCopy(ctx context.Context, id string, mayOpen func(secretHash string) bool) (cart, error) {
	state, err := v.store.copyOf(ctx, id)
	if err != nil {
		return cart{}, err
	}
	if !mayOpen(state.SecretHash) {
		return cart{}, errNoCart()
	}
	found := cartOf(state)
	found.site = v.code
	missing, err := v.store.restore(ctx, found, v.now())
	if err != nil {
		return cart{}, err
	}
	if missing {
		v.reopened.Inc()
	}
	// What came in between the two was kept with the copy alone.
	if state, err = v.store.copyOf(ctx, id); err != nil {
		return cart{}, err
	}
	if err := v.reunite(ctx, state, false); err != nil {
		return cart{}, err
	}
	return v.store.find(ctx, id)
}
