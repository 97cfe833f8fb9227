package search

import (
	"context"
	"strconv"
	"time"

	"github.com/redis/rueidis"
)

// sales counts how many units of each product were sold, in the region's Redis: the order of hits may be a little wrong after a Redis was
// lost, and is right again with the next sales.
type sales struct {
	redis  rueidis.Client
	prefix string // of keys
}

// heardFor is how long an event is remembered as counted: longer than the broker keeps it.
const heardFor = 8 * 24 * time.Hour

func (s sales) key() string { return s.prefix + "search:{sales}" }

// eventKey marks an event as counted.
func (s sales) eventKey(eventID string) string { return s.key() + ":" + eventID }

// countOnce adds the units of an event to products, unless it was counted before, in one step.
var countOnce = rueidis.NewLuaScript(`
if not redis.call('SET', KEYS[2], '', 'NX', 'EX', ARGV[1]) then return 0 end
for i = 2, #ARGV, 2 do redis.call('HINCRBY', KEYS[1], ARGV[i], ARGV[i+1]) end
return 1`)

func (s sales) add(ctx context.Context, eventID string, units map[string]int64) error {
	args := []string{strconv.Itoa(int(heardFor.Seconds()))}
	for product, quantity := range units {
		args = append(args, product, strconv.FormatInt(quantity, 10))
	}
	return countOnce.Exec(ctx, s.redis, []string{s.key(), s.eventKey(eventID)}, args).Error()
}

// of gives the units of some products.
func (s sales) of(ctx context.Context, ids []string) (map[string]int64, error) {
	sold := make(map[string]int64, len(ids))
	if len(ids) == 0 {
		return sold, nil
	}
	counts, err := s.redis.Do(ctx, s.redis.B().Hmget().Key(s.key()).Field(ids...).Build()).ToArray()
	if err != nil {
		return nil, err
	}
	for i, count := range counts {
		if units, err := count.AsInt64(); err == nil {
			sold[ids[i]] = units
		}
	}
	return sold, nil
}
