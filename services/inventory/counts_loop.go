package inventory

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/redis/rueidis"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit"
)

// setCount keeps the newer of two counts: versions of a SKU only rise.
const setCount = `
local held = redis.call('HGET', KEYS[1], 'version')
if held and tonumber(held) > tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'version', ARGV[1], 'regions', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1`

// run waits for Redis, keeps the connection, which repairs itself, and writes what is handed over until its context ends.
func (c *counts) run(ctx context.Context) error {
	client, err := kit.AwaitRedis(ctx, c.option, func(err error) { c.pause(ctx, err) })
	if err != nil {
		return nil //nolint:nilerr // stopped before Redis came up
	}
	defer client.Close()
	return c.serve(ctx, client)
}

func (c *counts) serve(ctx context.Context, client rueidis.Client) error {
	c.client.Store(&client)
	defer c.client.Store(nil)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-c.wake:
			if err := c.write(ctx, client); err != nil && ctx.Err() == nil {
				c.pause(ctx, err)
			}
		}
	}
}

// write sends what was handed over. What fails is lost, which costs speed and nothing else.
func (c *counts) write(ctx context.Context, client rueidis.Client) error {
	c.mu.Lock()
	pending := c.pending
	c.pending = map[string]*count{}
	c.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, countLife)
	defer cancel()
	var gone []string
	var set []rueidis.LuaExec
	for sku, n := range pending {
		if n == nil {
			gone = append(gone, c.prefix+sku)
			continue
		}
		left := countLife - time.Since(n.readAt)
		if left < time.Millisecond {
			continue
		}
		regions, err := json.Marshal(n.regions)
		if err != nil {
			return fmt.Errorf("encode a count: %w", err)
		}
		set = append(set, rueidis.LuaExec{Keys: []string{c.prefix + sku}, Args: []string{
			strconv.FormatInt(n.version, 10), string(regions), strconv.FormatInt(left.Milliseconds(), 10),
		}})
	}
	if len(gone) > 0 {
		if err := client.Do(ctx, client.B().Unlink().Key(gone...).Build()).Error(); err != nil {
			return fmt.Errorf("drop counts: %w", err)
		}
	}
	for _, answer := range c.set.ExecMulti(ctx, client, set...) {
		if err := answer.Error(); err != nil {
			return fmt.Errorf("write counts: %w", err)
		}
	}
	return nil
}

// countsOf sums buckets that were read in one statement at readAt to the counts of some SKUs. Stock in a warehouse that no region
// has any more is not for sale.
func countsOf(skus []string, buckets []bucket, regions []contract.Region, readAt time.Time) map[string]*count {
	found := make(map[string]*count, len(skus))
	for _, sku := range skus {
		n := &count{readAt: readAt, regions: map[string]int64{}}
		for _, region := range regions {
			n.regions[region.Name] = 0
		}
		found[sku] = n
	}
	for _, b := range buckets {
		n := found[b.sku]
		if n == nil {
			continue
		}
		n.version += b.version
		for _, region := range regions {
			if region.Name == b.region && slices.ContainsFunc(region.Warehouses, func(w contract.Warehouse) bool { return w.Code == b.warehouse }) {
				n.regions[b.region] += b.available()
			}
		}
	}
	return found
}
