package kit

import (
	"context"
	"math/rand/v2"
	"time"
)

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
