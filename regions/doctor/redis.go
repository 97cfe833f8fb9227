package doctor

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"
)

const dialTimeout = 2 * time.Second

// redis looks at a region's Redis: its memory, its keys, and whether it still writes its file.
func redis(s Subject, region, address string) examination {
	part := region + "/redis"
	return examination{part: part, remedy: "read " + s.log(region, "redis"), ask: func(ctx context.Context, n *notes) error {
		password, err := s.RedisPassword(region)
		if err != nil {
			return err
		}
		return askRedis(ctx, n, part, address, password)
	}}
}

func askRedis(ctx context.Context, n *notes, part, address, password string) error {
	client, err := rueidis.NewClient(rueidis.ClientOption{
		InitAddress: []string{address}, Password: password, ClientName: "doctor", DisableCache: true, ForceSingleClient: true,
		DisableRetry: true, Dialer: net.Dialer{Timeout: dialTimeout}, ConnWriteTimeout: dialTimeout,
	})
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer client.Close()
	keys, err := client.Do(ctx, client.B().Dbsize().Build()).AsInt64()
	if err != nil {
		return fmt.Errorf("count the keys: %w", err)
	}
	text, err := client.Do(ctx, client.B().Info().Build()).ToString()
	if err != nil {
		return fmt.Errorf("ask for INFO: %w", err)
	}
	n.fact(part, "keys", float64(keys), "keys")
	judgeRedis(n, part, readInfo(text))
	return nil
}

// readInfo reads Redis's INFO: name:value lines below # headings.
func readInfo(text string) map[string]string {
	values := map[string]string{}
	for line := range strings.Lines(text) {
		if name, value, found := strings.Cut(strings.TrimSpace(line), ":"); found {
			values[name] = value
		}
	}
	return values
}

func judgeRedis(n *notes, part string, info map[string]string) {
	number := func(name string) float64 {
		value, err := strconv.ParseFloat(info[name], 64)
		if err != nil {
			return 0 // this Redis does not know the figure
		}
		return value
	}
	used, limit := number("used_memory"), number("maxmemory")
	n.fact(part, "memory_used", used, "bytes")
	n.fact(part, "memory_limit", limit, "bytes (0: none)")
	n.fact(part, "clients", number("connected_clients"), "connections")
	if limit > 0 && used > fullRedis*limit {
		n.find(Finding{part, "its memory is nearly full", fmt.Sprintf("%.0f of %.0f MB are used", used/1e6, limit/1e6), "raise maxmemory, or find what fills it with redis-cli --bigkeys"})
	}
	if evicted := number("evicted_keys"); evicted > 0 {
		n.find(Finding{part, "it has thrown keys away, carts among them", fmt.Sprintf("evicted_keys is %.0f, the policy %s", evicted, info["maxmemory_policy"]), "set maxmemory-policy noeviction and raise maxmemory"})
	}
	if status := info["aof_last_write_status"]; status != "" && status != "ok" {
		n.find(Finding{part, "it cannot write its file", "aof_last_write_status is " + status, "look at the disk's space"})
	}
}
