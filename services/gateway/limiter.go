package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/rueidis"
	"github.com/redis/rueidis/rueidislimiter"

	"github.com/meridian-store/meridian/kit"
)

const (
	// limitTimeout bounds what counting may cost a request.
	limitTimeout = 250 * time.Millisecond
	// limitPause is how long nobody asks a Redis that failed, so that one that hangs costs one request a second and not every one.
	limitPause = time.Second
	// complainEvery keeps a missing Redis from filling the log.
	complainEvery = 30 * time.Second
)

var errNoLimiter = errors.New("redis is not connected")

// limiter counts requests in the region's Redis. Without Redis everything passes: selling comes before counting.
//
// It opens Redis itself, unlike other services, because the gateway must come up, be ready and sell without it.
type limiter struct {
	option    rueidis.ClientOption
	keyPrefix string
	log       *slog.Logger
	now       func() time.Time
	failures  prometheus.Counter

	counters atomic.Pointer[rueidislimiter.RateLimiterClient]
	// pausedUntil and complainedAt are nanoseconds of the Unix epoch.
	pausedUntil, complainedAt atomic.Int64
}

// verdict is what a limit says of one request.
type verdict struct {
	limit     namedLimit
	allowed   bool
	remaining int64
	// reset is the time until the whole burst is there again.
	reset time.Duration
}

// connect waits for Redis and keeps the connection, which repairs itself, until the context ends.
func (l *limiter) connect(ctx context.Context) error {
	client, err := kit.AwaitRedis(ctx, l.option, func(err error) { l.complain(ctx, err) })
	if err != nil {
		return nil //nolint:nilerr // stopped before Redis came up
	}
	defer client.Close()
	return l.serve(ctx, client)
}

func (l *limiter) serve(ctx context.Context, client rueidis.Client) error {
	counters, err := rueidislimiter.NewRateLimiter(rueidislimiter.RateLimiterOption{
		ClientBuilder: func(rueidis.ClientOption) (rueidis.Client, error) { return client, nil },
		KeyPrefix:     l.keyPrefix,
		// Each request brings its own limit; the library wants a default.
		Limit: 1, Window: time.Second,
	})
	if err != nil {
		return fmt.Errorf("make the limiter: %w", err)
	}
	l.counters.Store(&counters)
	defer l.counters.Store(nil)
	<-ctx.Done()
	return nil
}

// check counts a request under each limit until one refuses it. It gives no verdict for a limit that could not be asked.
func (l *limiter) check(ctx context.Context, limits []namedLimit, identity func(LimitBy) string) (verdicts []verdict) {
	if len(limits) == 0 || l.pausedUntil.Load() > l.now().UnixNano() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, limitTimeout)
	defer cancel()
	for _, limit := range limits {
		verdict, err := l.count(ctx, limit, identity(limit.By))
		if err != nil {
			l.failures.Inc()
			l.pausedUntil.Store(l.now().Add(limitPause).UnixNano())
			l.complain(ctx, err)
			return verdicts
		}
		if verdicts = append(verdicts, verdict); !verdict.allowed {
			return verdicts
		}
	}
	return verdicts
}

// limitPrefix leads the limiter's keys.
const limitPrefix = "limit"

// limiterKeys are the patterns that rueidislimiter makes of the prefix and an identity.
func limiterKeys() []string {
	key := limitPrefix + ":{<limit>:<identity>}"
	return []string{key, key + ":ex"}
}

func (l *limiter) count(ctx context.Context, limit namedLimit, identity string) (verdict, error) {
	counters := l.counters.Load()
	if counters == nil {
		return verdict{}, errNoLimiter
	}
	option := rueidislimiter.WithCustomRateLimit(limit.Burst, limit.Window())
	result, err := (*counters).Allow(ctx, limit.name+":"+identity, option)
	if err != nil {
		return verdict{}, fmt.Errorf("count a request: %w", err)
	}
	// The library's windows are kept by the machine's clock, whatever clock the service was given.
	reset := max(time.Until(time.UnixMilli(result.ResetAtMs)), 0)
	return verdict{limit: limit, allowed: result.Allowed, remaining: result.Remaining, reset: reset}, nil
}

func (l *limiter) complain(ctx context.Context, err error) {
	now := l.now().UnixNano()
	last := l.complainedAt.Load()
	if now-last < int64(complainEvery) || !l.complainedAt.CompareAndSwap(last, now) {
		return
	}
	l.log.WarnContext(ctx, "Rates are not limited, because Redis does not answer.", "error", err.Error())
}

// seconds rounds up, so that whoever waits as long as it is told is let in.
func seconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }

// limitHeaders writes verdicts as the fields RateLimit and RateLimit-Policy of draft-ietf-httpapi-ratelimit-headers-10.
func limitHeaders(verdicts []verdict) (rateLimit, policy string) {
	var states, policies strings.Builder
	for i, verdict := range verdicts {
		if i > 0 {
			states.WriteString(", ")
			policies.WriteString(", ")
		}
		fmt.Fprintf(&states, "%q;r=%d;t=%d", verdict.limit.name, verdict.remaining, seconds(verdict.reset))
		fmt.Fprintf(&policies, "%q;q=%d;w=%d", verdict.limit.name, verdict.limit.Burst, seconds(verdict.limit.Window()))
	}
	return states.String(), policies.String()
}
