package cart

import (
	"context"
	"math"
	"time"

	"github.com/redis/rueidis"
)

// restingCart names a cart that is not used, and when it last was.
type restingCart struct {
	id      string
	lastUse time.Time
}

// unused lists carts of a slot's set, the idle or the rested ones, that have not been used since some time, the longest unused first.
func (s *store) unused(ctx context.Context, key string, since time.Time, limit int64) ([]restingCart, error) {
	command := s.redis.B().Zrange().Key(key).Min("-inf").Max(millis(since)).Byscore().Limit(0, limit).Withscores().Build()
	scores, err := s.redis.Do(ctx, command).AsZScores()
	if err != nil {
		return nil, unreachable(err)
	}
	resting := make([]restingCart, 0, len(scores))
	for _, score := range scores {
		resting = append(resting, restingCart{id: score.Member, lastUse: time.UnixMilli(int64(math.Round(score.Score))).UTC()})
	}
	return resting, nil
}

// load reads carts of one slot in one round trip, leaving out those that are gone.
func (s *store) load(ctx context.Context, resting []restingCart) ([]usedCart, error) {
	commands := make(rueidis.Commands, 0, len(resting))
	for _, r := range resting {
		commands = append(commands, s.redis.B().Hgetall().Key(s.keys.cart(r.id)).Build())
	}
	var carts []usedCart
	answers := s.redis.DoMulti(ctx, commands...)
	for i, r := range resting {
		fields, err := answers[i].AsStrMap()
		if err != nil {
			return nil, unreachable(err)
		}
		if len(fields) == 0 {
			continue
		}
		c, err := decodeCart(r.id, fields)
		if err != nil {
			return nil, err
		}
		carts = append(carts, usedCart{cart: c, lastUse: r.lastUse})
	}
	return carts, nil
}

// rest moves carts from the idle to the rested, but not those that were used meanwhile.
func (s *store) rest(ctx context.Context, slot int, resting []restingCart) error {
	arguments := make([]string, 0, 2*len(resting))
	for _, r := range resting {
		arguments = append(arguments, r.id, millis(r.lastUse))
	}
	if err := s.scripts.rest.Exec(ctx, s.redis, []string{s.keys.idle(slot), s.keys.rested(slot)}, arguments).Error(); err != nil {
		return unreachable(err)
	}
	return nil
}

// abandon announces rested carts of a slot as abandoned, but not those that are empty, were used meanwhile or have been announced, and
// says how many it announced: one round trip. What is announced has left the set in the same script, so none is announced twice.
func (s *store) abandon(ctx context.Context, slot int, resting []restingCart) (int, error) {
	executions := make([]rueidis.LuaExec, 0, len(resting))
	for _, r := range resting {
		executions = append(executions, rueidis.LuaExec{
			Keys: append(s.keys.ofChange(r.id), s.keys.rested(slot)), Args: append(s.common(ctx, r.id), millis(r.lastUse)),
		})
	}
	announced := 0
	for _, answer := range s.scripts.abandon.ExecMulti(ctx, s.redis, executions...) {
		done, err := answer.AsInt64()
		if err != nil {
			return announced, unreachable(err)
		}
		announced += int(done)
	}
	if announced > 0 {
		s.changed()
	}
	return announced, nil
}
