package kit

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"
)

const (
	firstRestart = 100 * time.Millisecond
	lastRestart  = 5 * time.Second
)

type loop struct {
	name string
	run  func(ctx context.Context) error
}

// startLoop runs a loop until stop is called, which waits for its end; stopping twice is fine.
func startLoop(l loop, log *slog.Logger) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		for wait := firstRestart; ; wait = min(2*wait, lastRestart) {
			err := l.run(ctx)
			if ctx.Err() != nil {
				return
			}
			log.ErrorContext(ctx, "A loop ended early and will be started again.", "loop", l.name, "error", errorText(err))
			select {
			case <-ctx.Done():
				return
			case <-time.After(wait):
			}
		}
	})
	return func() {
		cancel()
		done.Wait()
	}
}

func errorText(err error) string {
	if err == nil {
		return "none"
	}
	return err.Error()
}

// Every makes a loop of a task that is done at once and then at an interval. A task that fails ends the loop, which Base.Loop
// logs and starts again.
func Every(interval time.Duration, task func(ctx context.Context) error) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		for {
			if err := task(ctx); err != nil {
				return err
			}
			select {
			case <-ctx.Done():
				return nil
			case <-ticker.C:
			}
		}
	}
}

// Overdue makes a task of work that each region's services do on their own region's rows, and that the others do for them once it
// has been overdue for a grace period: a region that is lost must not keep what it left open from being finished.
func (b *Base) Overdue(grace time.Duration, work func(ctx context.Context, regions []string, before time.Time) error) func(ctx context.Context) error {
	others := b.OtherRegions()
	return func(ctx context.Context) error {
		now := b.Now()
		if err := work(ctx, []string{b.Region.Name}, now); err != nil || len(others) == 0 {
			return err
		}
		return work(ctx, others, now.Add(-grace))
	}
}

// OtherRegions gives the names of all regions but the service's own.
func (b *Base) OtherRegions() []string {
	var others []string
	for _, region := range b.Regions {
		if region.Name != b.Region.Name {
			others = append(others, region.Name)
		}
	}
	return others
}

// Attempt does each piece of some work, in any order, so that what can not be done yet does not keep the rest waiting for ever. A piece
// that fails is told of and left for the next time; after so many failures the rest is left too, because each may have cost a time-out.
func Attempt[T any](ctx context.Context, work []T, failures int, do func(context.Context, T) error, failed func(T, error)) {
	rand.Shuffle(len(work), func(i, j int) { work[i], work[j] = work[j], work[i] })
	for _, piece := range work {
		if err := do(ctx, piece); err != nil && ctx.Err() == nil {
			failed(piece, err)
			failures--
		}
		if ctx.Err() != nil || failures == 0 {
			return
		}
	}
}
