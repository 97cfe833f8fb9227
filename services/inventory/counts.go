package inventory

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"

	"github.com/meridian-store/meridian/contract"
)

const (
	// countLife is how long a count may be believed, reckoned from the moment it was read in SQL.
	countLife = time.Second
	// countTime bounds a wait for Redis, and countPause is how long one that failed is left alone.
	countTime  = 50 * time.Millisecond
	countPause = time.Second
	// watchLife is how long a SKU stays watched after it was last in demand, and watchMost bounds the watched.
	watchLife = 10 * time.Second
	watchMost = 10_000
)

// counts keeps what is available of SKUs in demand in the region's Redis, where every process of the region sees it. A count is a
// hint that spares SQL hopeless requests: it is written only from what SQL said, never counted down, believed for countLife and no
// longer, and newer ones replace older ones only. So it may be too high, and SQL then has the last word; where it is too low, which a
// release makes it, it heals within countLife. Without Redis every request goes to SQL.
type counts struct {
	option rueidis.ClientOption
	prefix string
	log    *slog.Logger
	set    *rueidis.Lua
	client atomic.Pointer[rueidis.Client]
	// pausedUntil is in nanoseconds of the Unix epoch.
	pausedUntil atomic.Int64
	wake        chan struct{}

	mu      sync.Mutex
	watched map[string]time.Time
	pending map[string]*count
}

// count is what is available of a SKU, by region. The regions' warehouses are all those that sell.
type count struct {
	version int64
	readAt  time.Time
	regions map[string]int64
}

func (c count) total() (units int64) {
	for _, available := range c.regions {
		units += available
	}
	return units
}

// countPrefix leads the key of a SKU's count.
const countPrefix = "inventory:count:"

func newCounts(option rueidis.ClientOption, namespace string, log *slog.Logger) *counts {
	return &counts{
		option: option, prefix: namespace + countPrefix, log: log, wake: make(chan struct{}, 1),
		set: rueidis.NewLuaScript(setCount), watched: map[string]time.Time{}, pending: map[string]*count{},
	}
}

// watch says that SKUs are in demand: from now on, for a while, requests for them look at their counts first.
func (c *counts) watch(skus []string) {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, sku := range skus {
		if len(c.watched) >= watchMost {
			for old, until := range c.watched {
				if now.After(until) {
					delete(c.watched, old)
				}
			}
		}
		if len(c.watched) < watchMost {
			c.watched[sku] = now.Add(watchLife)
		}
	}
}

// watching picks the watched among lines. A line that nobody wants costs no round trip.
func (c *counts) watching(lines []contract.SKUCount) (watched []contract.SKUCount) {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, line := range lines {
		if until, ok := c.watched[line.SKU]; ok && now.Before(until) {
			watched = append(watched, line)
		}
	}
	return watched
}

// publish hands over what SQL said at readAt to be written; it never waits.
func (c *counts) publish(found map[string]*count) {
	c.mu.Lock()
	for sku, n := range found {
		if len(c.pending) < watchMost {
			c.pending[sku] = n
		}
	}
	c.mu.Unlock()
	c.nudge()
}

// forget drops the counts of watched SKUs of which there is more now; it never waits.
func (c *counts) forget(skus []string) {
	c.mu.Lock()
	for _, sku := range skus {
		if _, ok := c.watched[sku]; ok && len(c.pending) < watchMost {
			c.pending[sku] = nil
		}
	}
	c.mu.Unlock()
	c.nudge()
}

func (c *counts) nudge() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// hopeless gives the lines that are known not to be covered by all warehouses together; none when nobody knows.
func (c *counts) hopeless(ctx context.Context, lines []contract.SKUCount) (shortages []shortage) {
	watched := c.watching(lines)
	skus := make([]string, len(watched))
	for i, line := range watched {
		skus[i] = line.SKU
	}
	for i, n := range c.find(ctx, skus) {
		if n != nil && n.total() < watched[i].Quantity {
			shortages = append(shortages, shortage{SKU: watched[i].SKU, Requested: watched[i].Quantity, Available: n.total()})
		}
	}
	return shortages
}

// find reads counts in one round trip; nil where there is none.
func (c *counts) find(ctx context.Context, skus []string) []*count {
	found := make([]*count, len(skus))
	client := c.client.Load()
	if len(skus) == 0 || client == nil || c.pausedUntil.Load() > time.Now().UnixNano() {
		return found
	}
	ctx, cancel := context.WithTimeout(ctx, countTime)
	defer cancel()
	commands := make(rueidis.Commands, len(skus))
	for i, sku := range skus {
		commands[i] = (*client).B().Hget().Key(c.prefix + sku).Field("regions").Build()
	}
	for i, answer := range (*client).DoMulti(ctx, commands...) {
		text, err := answer.ToString()
		if rueidis.IsRedisNil(err) {
			continue
		}
		var n count
		if err == nil {
			err = json.Unmarshal([]byte(text), &n.regions)
		}
		if err != nil {
			c.pause(ctx, err)
			return make([]*count, len(skus))
		}
		found[i] = &n
	}
	return found
}

func (c *counts) pause(ctx context.Context, err error) {
	now := time.Now()
	if c.pausedUntil.Swap(now.Add(countPause).UnixNano()) < now.UnixNano() {
		c.log.DebugContext(ctx, "Counts are not asked for a moment, because Redis does not answer; SQL is asked instead.", "error", err.Error())
	}
}
