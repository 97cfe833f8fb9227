package main

import (
	"context"
	"slices"
	"sync"
	"time"
)

// operation is one passage of a path by one client.
type operation func(ctx context.Context) error

// sample is one turn of one side.
type sample struct {
	// PerSecond is how many operations ended in a second; P50 and P99 are their times.
	PerSecond float64       `json:"per_second"`
	P50       time.Duration `json:"p50_ns"`
	P99       time.Duration `json:"p99_ns"`
}

// run lets every client do its operation again and again for a while, and once at least, however late a busy machine lets it
// begin. The first error ends it: a figure of a shop that fails is
// not worth having.
func run(ctx context.Context, clients []operation, length time.Duration) (sample, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	took := make([][]time.Duration, len(clients))
	begun := time.Now()
	var wait sync.WaitGroup
	for i, do := range clients {
		wait.Go(func() {
			for now := time.Now(); ctx.Err() == nil; {
				if err := do(ctx); err != nil {
					cancel(err)
					return
				}
				ended := time.Now()
				took[i] = append(took[i], ended.Sub(now))
				if now = ended; now.Sub(begun) >= length {
					return
				}
			}
		})
	}
	wait.Wait()
	elapsed := time.Since(begun)
	if err := context.Cause(ctx); err != nil {
		return sample{}, err
	}
	all := slices.Concat(took...)
	slices.Sort(all)
	return sample{PerSecond: float64(len(all)) / elapsed.Seconds(), P50: quantile(all, 0.50), P99: quantile(all, 0.99)}, nil
}

// quantile gives the value that a share of the sorted times lie at or below; 0 of none.
func quantile(sorted []time.Duration, share float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(int(share*float64(len(sorted))), len(sorted)-1)]
}
