package cloudflare

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/cloudflare/cloudflare-go/v7/cache"
	"github.com/cloudflare/cloudflare-go/v7/option"
	"github.com/cloudflare/cloudflare-go/v7/rulesets"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"

	"github.com/meridian-store/meridian/kit/retry"
)

const (
	// purgeTimeout bounds one request.
	purgeTimeout = 5 * time.Second
	firstRetry   = 100 * time.Millisecond
	lastRetry    = 5 * time.Second
)

// Purger tells a zone what no longer holds, no faster than its plan allows. It is safe for concurrent use, and in every region at once: to
// purge twice is to purge.
type Purger struct {
	zone    string
	service *cache.CacheService
	limiter *rate.Limiter
	metrics *PurgeMetrics
}

// PurgeMetrics counts what purgers send.
type PurgeMetrics struct {
	requests *prometheus.CounterVec
}

// NewPurgeMetrics registers the counter.
func NewPurgeMetrics(registry prometheus.Registerer) *PurgeMetrics {
	m := &PurgeMetrics{requests: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "meridian_purge_requests_total", Help: "Purge requests to the edge's API: done, limited (and made again later) or failed.",
	}, []string{"outcome"})}
	registry.MustRegister(m.requests)
	return m
}

// NewPurger makes the purger of a zone. The regions share the plan's rate: share is how many purgers there are.
func NewPurger(access Access, plan Plan, share int, metrics *PurgeMetrics) (*Purger, error) {
	if !access.Token.IsSet() || access.Zone == "" {
		return nil, errors.New("a token and a zone are needed")
	}
	limits := plan.Limits()
	if limits.PurgeBurst == 0 {
		return nil, fmt.Errorf("%q is not one of Cloudflare's plans", plan)
	}
	share = max(share, 1)
	// Whether a request is made again is decided here, where the plan's rate is known.
	options := append(access.options(), option.WithMaxRetries(0), option.WithRequestTimeout(purgeTimeout))
	return &Purger{
		zone: access.Zone, service: cache.NewCacheService(options...), metrics: metrics,
		limiter: rate.NewLimiter(rate.Limit(limits.PurgesPerSecond/float64(share)), max(limits.PurgeBurst/share, 1)),
	}, nil
}

// Within is how many tags can be purged from now on in a time, after what was purged lately. It is never less than one request takes,
// which is what purging everything would cost.
func (p *Purger) Within(t time.Duration) int {
	requests := p.limiter.Tokens() + float64(p.limiter.Limit())*t.Seconds()
	return max(int(requests), 1) * PurgeOperations
}

// Tags purges what bears one of the tags and returns once the edge has answered that it did, or the context ends.
func (p *Purger) Tags(ctx context.Context, tags ...string) error {
	return p.inParts(ctx, tags, tagsBody)
}

func tagsBody(tags []string) cache.CachePurgeParamsBodyUnion {
	var body cache.CachePurgeParamsBodyCachePurgeFlexPurgeByTags
	set(&body.Tags.Value, &body.Tags.Present, tags)
	return body
}

// SpareTags purges as Tags does, in one attempt, if that leaves half of the plan's burst for what must be purged; done says whether it did.
func (p *Purger) SpareTags(ctx context.Context, tags ...string) (done bool, err error) {
	if p.limiter.Tokens() < float64(p.limiter.Burst())/2+1 || !p.limiter.Allow() {
		return false, nil
	}
	if err := p.once(ctx, tagsBody(tags)); err != nil {
		return false, told("purge", err)
	}
	return true, nil
}

// URLs purges single addresses.
func (p *Purger) URLs(ctx context.Context, urls ...string) error {
	return p.inParts(ctx, urls, func(part []string) cache.CachePurgeParamsBodyUnion {
		var body cache.CachePurgeParamsBodyCachePurgeSingleFile
		set(&body.Files.Value, &body.Files.Present, part)
		return body
	})
}

// Everything empties every location.
func (p *Purger) Everything(ctx context.Context) error {
	var body cache.CachePurgeParamsBodyCachePurgeEverything
	set(&body.PurgeEverything.Value, &body.PurgeEverything.Present, true)
	return p.send(ctx, body)
}

func (p *Purger) inParts(ctx context.Context, all []string, body func([]string) cache.CachePurgeParamsBodyUnion) error {
	sorted := slices.Clone(all)
	slices.Sort(sorted)
	for part := range slices.Chunk(slices.Compact(sorted), PurgeOperations) {
		if err := p.send(ctx, body(part)); err != nil {
			return err
		}
	}
	return nil
}

// send makes one request, repeated until it is done. What the API refuses for good is an error.
func (p *Purger) send(ctx context.Context, body cache.CachePurgeParamsBodyUnion) error {
	var last error
	err := retry.Until(ctx, firstRetry, lastRetry, func(ctx context.Context) error {
		if err := p.limiter.Wait(ctx); err != nil {
			return retry.Permanent(fmt.Errorf("wait for the plan's rate of purges: %w", err))
		}
		last = p.once(ctx, body)
		return whenToRetry(last)
	}, nil)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("purge: %w", errors.Join(ctx.Err(), last))
	default:
		return told("purge", err)
	}
}

// whenToRetry marks an error that the API would repeat as permanent, and carries the pause that a busy API asks for.
func whenToRetry(err error) error {
	var refused *rulesets.Error
	switch {
	case !errors.As(err, &refused):
		return err
	case refused.StatusCode == http.StatusTooManyRequests:
		return retry.After(err, retryAfter(refused.Response))
	case refused.StatusCode < http.StatusInternalServerError:
		return retry.Permanent(err)
	default:
		return err
	}
}

// once makes one request and counts how it ended; one that was given up ended in no way that is known.
func (p *Purger) once(ctx context.Context, body cache.CachePurgeParamsBodyUnion) error {
	var params cache.CachePurgeParams
	set(&params.ZoneID.Value, &params.ZoneID.Present, p.zone)
	params.Body = body
	_, err := p.service.Purge(ctx, params)
	outcome := "failed"
	var refused *rulesets.Error
	switch {
	case err == nil:
		outcome = "done"
	case ctx.Err() != nil:
		return err
	case errors.As(err, &refused) && refused.StatusCode == http.StatusTooManyRequests:
		outcome = "limited"
	}
	p.metrics.requests.WithLabelValues(outcome).Inc()
	return err
}

func retryAfter(response *http.Response) time.Duration {
	if response == nil {
		return 0
	}
	seconds, err := strconv.ParseUint(response.Header.Get("Retry-After"), 10, 16)
	if err != nil {
		return 0
	}
	return time.Duration(seconds) * time.Second
}
