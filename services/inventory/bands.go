package inventory

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/meridian-store/meridian/kit/httpx"
)

const (
	// bandBatch bounds one transaction of announcements.
	bandBatch = 500
	// bandRetry is the wait after a failure.
	bandRetry = time.Second
)

// announcer publishes a SKU's band when it has changed. It works after the transactions that move stock, not in them: under
// read committed two sales of one SKU in two warehouses do not see each other, and each would think that the other's unit is
// still there. Whoever announces looks again after its own commit, so the last look has seen every sale before it.
type announcer struct {
	store *store
	every time.Duration
	log   *slog.Logger
	wake  chan struct{}

	mu    sync.Mutex
	noted map[string]bool
}

func newAnnouncer(store *store, every time.Duration, log *slog.Logger) *announcer {
	return &announcer{store: store, every: every, log: log, wake: make(chan struct{}, 1), noted: map[string]bool{}}
}

// note says that what is available of some SKUs has changed; it never waits.
func (a *announcer) note(skus ...string) {
	a.mu.Lock()
	for _, sku := range skus {
		a.noted[sku] = true
	}
	a.mu.Unlock()
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// take gives up to bandBatch of what was noted, in order.
func (a *announcer) take() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	skus := slices.Sorted(maps.Keys(a.noted))
	skus = skus[:min(len(skus), bandBatch)]
	for _, sku := range skus {
		delete(a.noted, sku)
	}
	return skus
}

// run announces until its context ends. It begins with all SKUs, for what a process that died left unsaid.
func (a *announcer) run(ctx context.Context) error {
	all := time.NewTicker(a.every)
	defer all.Stop()
	retry := time.NewTicker(bandRetry)
	defer retry.Stop()
	everything := true
	for {
		if everything {
			everything = !a.attempt(ctx, a.announceAll)
		}
		a.attempt(ctx, a.announceNoted)
		select {
		case <-ctx.Done():
			return nil
		case <-a.wake:
		case <-retry.C:
		case <-all.C:
			everything = true
		}
	}
}

func (a *announcer) attempt(ctx context.Context, work func(context.Context) error) bool {
	err := work(ctx)
	if err != nil && ctx.Err() == nil {
		a.log.WarnContext(ctx, "Stock bands could not be announced; they will be tried again.", "error", httpx.ErrorChain(err))
	}
	return err == nil
}

func (a *announcer) announceNoted(ctx context.Context) error {
	for skus := a.take(); len(skus) > 0; skus = a.take() {
		if err := a.announce(ctx, skus); err != nil {
			a.note(skus...)
			return err
		}
	}
	return nil
}

func (a *announcer) announceAll(ctx context.Context) error {
	for _, region := range a.store.regions {
		for after := ""; ; {
			skus, err := a.store.skusAfter(ctx, region, after, bandBatch)
			if err != nil {
				return err
			}
			if len(skus) == 0 {
				break
			}
			if err := a.announce(ctx, skus); err != nil {
				return err
			}
			after = skus[len(skus)-1]
		}
	}
	return nil
}

// announce writes the bands that are stale until a look after the last write finds none.
func (a *announcer) announce(ctx context.Context, skus []string) error {
	for {
		stale, err := a.store.staleBands(ctx, skus)
		if err != nil || len(stale) == 0 {
			return err
		}
		if err := a.store.announceBands(ctx, stale); err != nil {
			return err
		}
	}
}
