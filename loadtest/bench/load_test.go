package main

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestAQuantileLeavesItsShareBelow(t *testing.T) {
	t.Parallel()
	if got := quantile(nil, 0.5); got != 0 {
		t.Errorf("the median of nothing is %s", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		times := rapid.SliceOfN(rapid.Map(rapid.Int64Range(0, 1000), func(n int64) time.Duration { return time.Duration(n) }), 1, 300).Draw(t, "times")
		slices.Sort(times)
		share := rapid.SampledFrom([]float64{0, 0.5, 0.99, 1}).Draw(t, "share")
		got := quantile(times, share)
		below := 0
		for _, one := range times {
			if one <= got {
				below++
			}
		}
		if !slices.Contains(times, got) || float64(below) < share*float64(len(times)) {
			t.Fatalf("quantile %g of %v is %d: %d at or below it", share, times, got, below)
		}
	})
}

func TestAMedianHasHalfOnEachSide(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64Range(0, 10), 1, 20).Draw(t, "values")
		before := slices.Clone(values)
		got := median(values)
		smaller, larger := 0, 0
		for _, value := range values {
			if value < got {
				smaller++
			}
			if value > got {
				larger++
			}
		}
		if 2*smaller > len(values) || 2*larger > len(values) || !slices.Equal(before, values) {
			t.Fatalf("the median of %v is %g", values, got)
		}
	})
}

func TestEveryClientWorksUntilTheEnd(t *testing.T) {
	t.Parallel()
	var done [3]atomic.Int64
	var clients []operation
	for i := range done {
		clients = append(clients, func(context.Context) error {
			done[i].Add(1)
			return nil
		})
	}
	got, err := run(t.Context(), clients, time.Nanosecond)
	if err != nil || got.PerSecond <= 0 || got.P99 < got.P50 {
		t.Errorf("got %+v, %v", got, err)
	}
	for i := range done {
		if done[i].Load() == 0 {
			t.Errorf("client %d did nothing", i)
		}
	}
}

func TestAnErrorOfOneClientEndsAll(t *testing.T) {
	t.Parallel()
	broken := errors.New("the shop is broken")
	waits := func(ctx context.Context) error {
		<-ctx.Done()
		return nil
	}
	_, err := run(t.Context(), []operation{waits, func(context.Context) error { return broken }, waits}, time.Hour)
	if !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
}
