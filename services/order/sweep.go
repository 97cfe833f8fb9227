package order

import (
	"context"
	"time"
)

const (
	// sweepBatch is how many sagas one sweep takes on at most.
	sweepBatch = 32
	// forgetEvery and forgetBatch pace the end of old idempotency keys.
	forgetEvery = time.Minute
	forgetBatch = 500
)

// sweeper takes on a region's sagas whose holder has stopped. There is one for each region: a region that is lost must not keep
// money or stock bound, and one whose rows can not be reached must not hold up the others.
type sweeper struct {
	*orchestrator
	// home is the region whose sagas are swept; own says that it is this process's, whose old keys are forgotten here too.
	home string
	own  bool
}

func (s sweeper) run(ctx context.Context) error {
	sweep, forget := time.NewTicker(s.config.Sweep), time.NewTicker(forgetEvery)
	defer sweep.Stop()
	defer forget.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-sweep.C:
			s.takeOn(ctx)
		case <-forget.C:
			if s.own {
				s.forget(ctx)
			}
		}
	}
}

func (s sweeper) takeOn(ctx context.Context) {
	limit := min(sweepBatch, s.room())
	if limit <= 0 {
		return
	}
	grace := s.config.Grace
	if s.own {
		grace = 0
	}
	taken, err := s.store.claim(ctx, s.home, grace, s.holder, s.config.Lease, limit)
	if err != nil {
		if ctx.Err() == nil {
			s.log.WarnContext(ctx, "Abandoned sagas could not be looked for; it will be tried again.", "error", err.Error())
		}
		return
	}
	for _, saga := range taken {
		s.resume(ctx, saga)
	}
}

func (s sweeper) forget(ctx context.Context) {
	for {
		gone, err := s.store.forget(ctx, s.home, s.now().Add(-s.config.Keep), forgetBatch)
		if err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "Old idempotency keys could not be forgotten; it will be tried again.", "error", err.Error())
		}
		if err != nil || gone < forgetBatch {
			return
		}
	}
}
