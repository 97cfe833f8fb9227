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

// idle lists carts of a slot that have not been used since some time, the longest unused first.
func (s *store) idle(ctx context.Context, slot int, since time.Time, limit int64) ([]restingCart, error) {
	command := s.redis.B().Zrange().Key(s.keys.idle(slot)).Min("-inf").Max(millis(since)).Byscore().Limit(0, limit).Withscores().Build()
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
	for i, answer := range s.redis.DoMulti(ctx, commands...) {
		fields, err := answer.AsStrMap()
		if err != nil {
			return nil, unreachable(err)
		}
		if len(fields) == 0 {
			continue
		}
		c, err := decodeCart(resting[i].id, fields)
		if err != nil {
			return nil, err
		}
		carts = append(carts, usedCart{cart: c, lastUse: resting[i].lastUse})
	}
	return carts, nil
}

// rest takes carts off the list of the idle, but not those that were used meanwhile.
func (s *store) rest(ctx context.Context, slot int, resting []restingCart) error {
	arguments := make([]string, 0, 2*len(resting))
	for _, r := range resting {
		arguments = append(arguments, r.id, millis(r.lastUse))
	}
	if err := s.scripts.rest.Exec(ctx, s.redis, []string{s.keys.idle(slot)}, arguments).Error(); err != nil {
		return unreachable(err)
	}
	return nil
}
