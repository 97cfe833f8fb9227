package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// warmUp fills caches and opens connections before the first turn.
const warmUp = 700 * time.Millisecond

// path is a way through the shop, and the least that would do the same.
type path struct {
	Name string
	// What says in words what one operation is, Baseline what it is measured against.
	What, Baseline string
	Cost           cost
	// shop and bare hold one operation for each client.
	shop, bare []operation
	// trailing says that an operation leaves work behind, which has to end before the next turn.
	trailing bool
}

// comparison is what came out for a path: medians over the rounds.
type comparison struct {
	Name     string `json:"name"`
	What     string `json:"what"`
	Baseline string `json:"baseline"`
	Cost     cost   `json:"cost"`
	Shop     sample `json:"shop"`
	Bare     sample `json:"bare"`
	// Ratio is how many times as many operations the baseline does; Least and Most are over the rounds.
	Ratio float64 `json:"ratio"`
	Least float64 `json:"ratio_least"`
	Most  float64 `json:"ratio_most"`
}

// compare lets the path and its baseline take turns, the order changing each round.
func (w *world) compare(ctx context.Context, p path, o measureOptions) (result comparison, err error) {
	for _, clients := range [][]operation{p.shop, p.bare} {
		if _, err := run(ctx, clients, warmUp); err != nil {
			return comparison{}, err
		}
	}
	stop, err := w.startProfiles(ctx, o, p.Name)
	if err != nil {
		return comparison{}, err
	}
	defer func() { err = errors.Join(err, stop()) }()
	var shop, bare []sample
	var ratios []float64
	for round := range o.Rounds {
		turns := []func() error{
			func() error { return w.turn(ctx, p.shop, o.Length, p.trailing, &shop) },
			func() error { return w.turn(ctx, p.bare, o.Length, false, &bare) },
		}
		if round%2 == 1 {
			slices.Reverse(turns)
		}
		for _, turn := range turns {
			if err := turn(); err != nil {
				return comparison{}, err
			}
		}
		ratios = append(ratios, bare[round].PerSecond/shop[round].PerSecond)
	}
	return comparison{
		Name: p.Name, What: p.What, Baseline: p.Baseline, Cost: p.Cost, Shop: medians(shop), Bare: medians(bare),
		Ratio: median(ratios), Least: slices.Min(ratios), Most: slices.Max(ratios),
	}, nil
}

func (w *world) turn(ctx context.Context, clients []operation, length time.Duration, trailing bool, into *[]sample) error {
	got, err := run(ctx, clients, length)
	if err != nil {
		return err
	}
	if got.PerSecond == 0 {
		return fmt.Errorf("nothing ended within %s", length)
	}
	*into = append(*into, got)
	if trailing {
		return w.settle(ctx)
	}
	return nil
}

func medians(samples []sample) sample {
	return sample{
		PerSecond: median(each(samples, func(s sample) float64 { return s.PerSecond })),
		P50:       median(each(samples, func(s sample) time.Duration { return s.P50 })),
		P99:       median(each(samples, func(s sample) time.Duration { return s.P99 })),
	}
}

func each[T any](samples []sample, of func(sample) T) []T {
	values := make([]T, 0, len(samples))
	for _, s := range samples {
		values = append(values, of(s))
	}
	return values
}

// median is the middle value, the lower of two.
func median[T cmp.Ordered](values []T) T {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[(len(sorted)-1)/2]
}
