// Package nearness measures how near the catalog is to shoppers of twenty cities: how long a read takes from where they are, their last
// mile and the ways between edge, regions and each other included, and how often their edge location had the answer, while products
// change all the time.
package nearness

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"sync"
	"time"
)

// LastMile is the round trip between a shopper and the edge location of their city.
const LastMile = 10 * time.Millisecond

// The promise: architecture.md, "Nearness".
const (
	LimitP95      = 100 * time.Millisecond
	LeastHitRatio = 0.90
)

// City is where shoppers are.
type City struct {
	IATA string `json:"iata"`
	// Weight is the city's share of all shoppers, relative to the other cities'.
	Weight int `json:"weight"`
}

// Options say what to measure.
type Options struct {
	// Edge is host:port of the edge.
	Edge   string
	Cities []City
	// Rate is how many reads begin in a second, over all cities, whether or not the edge keeps up.
	Rate int
	// Cold and Warm are how long shoppers read from empty caches, and how long after that.
	Cold, Warm time.Duration
	// Chill empties every location's cache.
	Chill func(context.Context) error
	// Change makes a change of one product, named by its slug, once a second while the shoppers read. Nil: nothing changes.
	Change func(ctx context.Context, slug string) error
	// Progress is told what is going on.
	Progress io.Writer
}

// Report is what was measured.
type Report struct {
	OK     bool         `json:"ok"`
	Cities []CityReport `json:"cities"`
	// All are the figures over all cities, for what a shopper anywhere meets.
	Cold Figures `json:"cold"`
	Warm Figures `json:"warm"`
	// Changes is how many products were changed meanwhile, Failed how many reads got no answer or none of 200.
	Changes int `json:"changes"`
	Failed  int `json:"failed"`
	// Problems has a line for each city and figure that is beyond its limit once the caches are warm.
	Problems []string `json:"problems"`
}

// CityReport is one city's.
type CityReport struct {
	City string  `json:"city"`
	Cold Figures `json:"cold"`
	Warm Figures `json:"warm"`
}

// Run measures. The error says why nothing could be; a missed limit is in the report.
func Run(ctx context.Context, o Options) (*Report, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	menu, err := readMenu(ctx, o.Edge)
	if err != nil {
		return nil, err
	}
	if err := o.Chill(ctx); err != nil {
		return nil, fmt.Errorf("empty the edge's caches: %w", err)
	}
	fmt.Fprintf(o.Progress, "%d products and %d lists; %d reads a second from %d cities, %s from empty caches and %s after that\n",
		len(menu.products.paths), len(menu.lists.paths), o.Rate, len(o.Cities), o.Cold, o.Warm)

	reading, stop := context.WithTimeout(ctx, o.Cold+o.Warm)
	defer stop()
	var changes int
	var changeErr error
	var editing sync.WaitGroup
	if o.Change != nil {
		editing.Go(func() { changes, changeErr = changeEverySecond(reading, menu, o.Change) })
	}
	report := &Report{Problems: []string{}}
	tallies := make([]*tally, len(o.Cities))
	total := 0
	for _, city := range o.Cities {
		total += city.Weight
	}
	begun := time.Now()
	var cities sync.WaitGroup
	for i, city := range o.Cities {
		tallies[i] = &tally{warmFrom: begun.Add(o.Cold)}
		crowd := crowd{city: city, edge: o.Edge, menu: menu, rate: float64(o.Rate*city.Weight) / float64(total), tally: tallies[i]}
		cities.Go(func() { crowd.read(reading) })
	}
	cities.Wait()
	editing.Wait()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if changeErr != nil {
		return nil, changeErr
	}
	report.Changes = changes
	report.sum(o.Cities, tallies)
	return report, nil
}

func (o *Options) validate() error {
	switch {
	case len(o.Cities) == 0 || slices.ContainsFunc(o.Cities, func(c City) bool { return c.Weight < 1 }):
		return errors.New("cities are needed, each with a weight")
	case o.Rate < 1 || o.Rate > 20_000:
		return fmt.Errorf("%d reads a second are not between 1 and 20,000", o.Rate)
	case o.Cold < time.Second || o.Warm < time.Second || o.Cold+o.Warm > time.Hour:
		return errors.New("each phase lasts at least a second, both together at most an hour")
	}
	return nil
}

func (r *Report) sum(cities []City, tallies []*tally) {
	all := &tally{}
	for i, city := range cities {
		t := tallies[i]
		all.cold.add(t.cold)
		all.warm.add(t.warm)
		r.Failed += t.cold.failed + t.warm.failed
		figures := CityReport{City: city.IATA, Cold: t.cold.figures(), Warm: t.warm.figures()}
		r.Cities = append(r.Cities, figures)
		r.Problems = append(r.Problems, figures.problems()...)
	}
	r.Cold, r.Warm = all.cold.figures(), all.warm.figures()
	if r.Failed > 0 {
		r.Problems = append(r.Problems, fmt.Sprintf("%d reads failed", r.Failed))
	}
	slices.SortFunc(r.Cities, func(a, b CityReport) int { return cmp.Compare(b.Warm.Reads, a.Warm.Reads) })
	r.OK = len(r.Problems) == 0
}

// JudgeFailures judges the report by its failed reads alone: the other limits need warm caches and an idle machine.
func (r *Report) JudgeFailures() {
	r.Problems = []string{}
	if r.Failed > 0 {
		r.Problems = append(r.Problems, fmt.Sprintf("%d reads failed", r.Failed))
	}
	if r.Cold.Reads+r.Warm.Reads == 0 {
		r.Problems = append(r.Problems, "nothing was read")
	}
	r.OK = len(r.Problems) == 0
}

// problems names what a city's warm figures miss. Cold ones are shown and not judged: whoever reads something first finds it nowhere near.
func (c CityReport) problems() []string {
	var problems []string
	switch w := c.Warm; {
	case w.Reads == 0:
		problems = append(problems, c.City+": nothing was read")
	default:
		if limit := float64(LimitP95) / float64(time.Millisecond); w.P95MS >= limit {
			problems = append(problems, fmt.Sprintf("%s: 95%% of reads took up to %.1f ms, not under %.0f", c.City, w.P95MS, limit))
		}
		if w.HitRatio < LeastHitRatio {
			problems = append(problems, fmt.Sprintf("%s: %.1f%% of reads hit, not %.0f%%", c.City, math.Floor(w.HitRatio*1000)/10, LeastHitRatio*100))
		}
	}
	return problems
}
