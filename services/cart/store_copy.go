package cart

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/redis/rueidis"

	"github.com/meridian-store/meridian/contract"
)

// maxCopies is how many carts of other regions are kept for the case that their home is lost, those that were heard of last.
const maxCopies = 160_000

// errChanged says that a cart was changed while its merge was made.
var errChanged = errors.New("the cart was changed meanwhile")

// copyOf reads what other regions said of a cart; contract.CodeNotFound when nothing is kept of it.
func (s *store) copyOf(ctx context.Context, id string) (contract.CartState, error) {
	found, err := s.copiesOf(ctx, []string{id})
	if err != nil {
		return contract.CartState{}, err
	}
	state, kept := found[id]
	if !kept {
		return contract.CartState{}, errNoCart()
	}
	return state, nil
}

// copiesOf reads copies in one round trip, leaving out those that are not there.
func (s *store) copiesOf(ctx context.Context, ids []string) (map[string]contract.CartState, error) {
	commands := make(rueidis.Commands, 0, len(ids))
	for _, id := range ids {
		commands = append(commands, s.redis.B().Get().Key(s.keys.copy(id)).Build())
	}
	found := map[string]contract.CartState{}
	answers := s.redis.DoMulti(ctx, commands...)
	for i, id := range ids {
		encoded, err := answers[i].AsBytes()
		if rueidis.IsRedisNil(err) {
			continue
		}
		if err != nil {
			return nil, unreachable(err)
		}
		var state contract.CartState
		if err := json.Unmarshal(encoded, &state); err != nil {
			return nil, fmt.Errorf("read the copy of cart %s: %w", id, err)
		}
		found[id] = state
	}
	return found, nil
}

// keepCopies writes copies in one round trip, and says which of them are carts that this region has restored.
func (s *store) keepCopies(ctx context.Context, states []contract.CartState) (restored []contract.CartState, err error) {
	executions := make([]rueidis.LuaExec, 0, len(states))
	asked := make(rueidis.Commands, 0, len(states))
	for _, state := range states {
		encoded, err := json.Marshal(state)
		if err != nil {
			return nil, fmt.Errorf("encode the copy of cart %s: %w", state.CartID, err)
		}
		slot := slotOf(state.CartID)
		executions = append(executions, rueidis.LuaExec{
			Keys: []string{s.keys.copy(state.CartID), s.keys.copies(slot)},
			Args: []string{state.CartID, millis(s.now()), ttl(retention), decimal(maxCopies / slots), s.keys.in(slot, "copy:"), string(encoded)},
		})
		asked = append(asked, s.redis.B().Exists().Key(s.keys.cart(state.CartID)).Build())
	}
	for _, answer := range s.scripts.copy.ExecMulti(ctx, s.redis, executions...) {
		if err := answer.Error(); err != nil {
			return nil, unreachable(err)
		}
	}
	// Asked after the copies are there: whoever restores a cart looks at its copy once more afterwards, so that one of the two sees the other.
	for i, answer := range s.redis.DoMulti(ctx, asked...) {
		there, err := answer.AsInt64()
		if err != nil {
			return nil, unreachable(err)
		}
		if there == 1 {
			restored = append(restored, states[i])
		}
	}
	return restored, nil
}

// replace puts a merge in the place of the cart of a version that was read, "" for none; errChanged when it is another by now.
func (s *store) replace(ctx context.Context, read string, merged cart, announce bool) error {
	say := ""
	if announce {
		say = "1"
	}
	_, err := s.change(ctx, s.scripts.replace, merged.id, append([]string{read, say}, encodeCart(merged)...)...)
	return err
}
