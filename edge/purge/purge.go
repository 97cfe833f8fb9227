// Package purge turns what changes in the catalog into purges of what the edge has kept. Each region runs one: it purges once its own
// region's gateways have dropped what the change makes untrue, so that no location is filled anew from them, and again two seconds later,
// for whatever was under way all the same. That all regions purge the same does no harm.
package purge

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/meridian-store/meridian/contract"
)

const (
	// again is when what was purged is purged once more: an answer that had left its origin before the change may have been on its way.
	again = 2 * time.Second
	// promised is within what time a change is to be everywhere. More tags than the plan's rate can purge in it become a purge of everything.
	promised = 2 * time.Second
	// outdated is how old an event may be before it is taken for part of an outage's heap, for which everything is purged once. It is more
	// than the clocks of two regions may differ by.
	outdated = time.Minute
)

// Edge is told what no longer holds, and answers once it shows none of it.
type Edge interface {
	Tags(ctx context.Context, tags ...string) error
	Everything(ctx context.Context) error
	// Within is how many tags can be purged in a time.
	Within(t time.Duration) int
}

// Caches are those of the region's own gateways.
type Caches interface {
	// Drop returns once every gateway that can be reached has dropped it. The others drop all that they keep before they serve again.
	Drop(ctx context.Context, what contract.AnswersPurge)
}

// purger applies events. It is used by one consumer.
type purger struct {
	edge    Edge
	caches  Caches
	now     func() time.Time
	log     *slog.Logger
	metrics *metrics
	second  *second
	// cleared is when everything was purged last: what happened before is purged.
	cleared time.Time
}

// apply purges what some events make untrue, once for all of them. An error means that it was not, and that they are to be applied again.
func (p *purger) apply(ctx context.Context, events []contract.Event) error {
	var tags []string
	var oldest, newest time.Time
	for _, event := range events {
		if event.Time.Before(p.cleared.Add(-outdated)) {
			continue
		}
		stale, err := contract.StaleTags(event)
		if err != nil {
			// What it changed can not be told, now or ever.
			p.log.ErrorContext(ctx, "An event makes no sense; all that the edge keeps is purged in its place.", "event_id", event.ID, "type", event.Type, "error", err.Error())
			return p.everything(ctx)
		}
		if len(stale) == 0 {
			continue
		}
		tags = append(tags, stale...)
		if oldest.IsZero() || event.Time.Before(oldest) {
			oldest = event.Time
		}
		if event.Time.After(newest) {
			newest = event.Time
		}
	}
	if len(tags) == 0 {
		return nil
	}
	slices.Sort(tags)
	tags = slices.Compact(tags)
	if late := p.now().Sub(newest) > outdated; late || len(tags) > p.edge.Within(promised) || len(tags) > contract.MaxPurgeTags {
		p.log.WarnContext(ctx, "More was changed than tags can be purged in time, or long ago; all that the edge keeps is purged.", "tags", len(tags), "oldest", oldest)
		return p.everything(ctx)
	}
	what := contract.AnswersPurge{Tags: tags}
	if err := p.purge(ctx, what); err != nil {
		return err
	}
	p.metrics.tags.Add(float64(len(tags)))
	p.metrics.lag.Observe(max(p.now().Sub(oldest), 0).Seconds())
	p.second.add(p.now(), what)
	return nil
}

// purge has the gateways drop something, then the edge: what the edge asks for anew must not come from where it still is.
func (p *purger) purge(ctx context.Context, what contract.AnswersPurge) error {
	p.caches.Drop(ctx, what)
	if what.Everything {
		return p.edge.Everything(ctx)
	}
	return p.edge.Tags(ctx, what.Tags...)
}

// everything empties the region's gateways and the edge.
func (p *purger) everything(ctx context.Context) error {
	begun, what := p.now(), contract.AnswersPurge{Everything: true}
	if err := p.purge(ctx, what); err != nil {
		return err
	}
	p.metrics.everything.Inc()
	p.cleared = begun
	p.second.add(p.now(), what)
	return nil
}
