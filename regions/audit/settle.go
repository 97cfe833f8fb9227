package audit

import (
	"context"
	"slices"
	"strings"
	"time"
)

const (
	// looks is how often a candidate is looked at again while it settles.
	looks = 5
	// patience is how many times the settling time a candidate that keeps changing is given; then it is reported as it is.
	patience = 4
)

// watch is an examination and what it has found amiss so far.
type watch struct {
	examination
	candidates map[string]candidate
	// beyond counts what was found when there was no more room.
	beyond int
}

// settled examines, and gives what stays amiss, in the order of the examinations. The shop goes on selling meanwhile and its databases
// are read one after another, so that an order may be read before its payment is: what is wrong for good is wrong in the same way after
// the settling time too. tell hears how many things are still being looked at.
func settled(ctx context.Context, examinations []examination, settle time.Duration, tell func(candidates int)) (violations []Violation, beyond int, err error) {
	var watches []*watch
	for _, e := range examinations {
		w := &watch{examination: e}
		watches = append(watches, w)
		if err := w.look(ctx, nil); err != nil {
			return nil, 0, err
		}
		beyond, w.beyond = beyond+w.beyond, 0
	}
	begun := time.Now()
	for _, w := range watches {
		w.since(begun) // and not since they were seen: the first look may have taken longer than anything takes to settle
	}
	ticker := time.NewTicker(max(settle/looks, time.Millisecond))
	defer ticker.Stop()
	for looked := begun; unsettled(watches, looked, settle) && looked.Sub(begun) < patience*settle; {
		tell(number(watches))
		select {
		case <-ctx.Done():
			return nil, 0, ctx.Err()
		case <-ticker.C:
		}
		looked = time.Now()
		for _, w := range watches {
			if err := w.again(ctx); err != nil {
				return nil, 0, err
			}
			w.since(time.Now())
		}
	}
	for _, w := range watches {
		violations = append(violations, w.report()...)
	}
	return violations, beyond, nil
}

func number(watches []*watch) (candidates int) {
	for _, w := range watches {
		candidates += len(w.candidates)
	}
	return candidates
}

// unsettled says whether anything had not stayed as it is for the settling time when the last look began.
func unsettled(watches []*watch, looked time.Time, settle time.Duration) bool {
	for _, w := range watches {
		for _, c := range w.candidates {
			if looked.Sub(c.since) < settle {
				return true
			}
		}
	}
	return false
}

// candidate is a violation and when it was first seen as it is.
type candidate struct {
	Violation
	since time.Time
}

// identity tells whether a violation is the same as one seen before.
func (v Violation) identity() string {
	fact := v.fact
	if fact == "" {
		fact = v.What
	}
	return strings.Join(append([]string{v.Code, fact}, v.IDs...), "\x00")
}

// look examines and keeps what is amiss now. What was amiss before in the same way has been so since then.
func (w *watch) look(ctx context.Context, only []string) error {
	before, found := w.candidates, map[string]candidate{}
	err := w.examine(ctx, only, func(v Violation) {
		identity := v.identity()
		seen, known := before[identity]
		if _, twice := found[identity]; !known && !twice && len(found) >= maxCandidates {
			w.beyond++
			return
		}
		found[identity] = candidate{v, seen.since}
	})
	w.candidates = found
	return err
}

// since dates what is amiss in a new way.
func (w *watch) since(now time.Time) {
	for identity, c := range w.candidates {
		if c.since.IsZero() {
			c.since = now
			w.candidates[identity] = c
		}
	}
}

// again looks at what is amiss once more, and at nothing else.
func (w *watch) again(ctx context.Context) error {
	if len(w.candidates) == 0 {
		return nil
	}
	var only []string
	for _, c := range w.candidates {
		only = append(only, c.examined)
	}
	slices.Sort(only)
	return w.look(ctx, slices.Compact(only))
}

// report gives the violations in an order that does not change from one audit to the next.
func (w *watch) report() []Violation {
	var violations []Violation
	for _, c := range w.candidates {
		violations = append(violations, c.Violation)
	}
	slices.SortFunc(violations, func(a, b Violation) int { return strings.Compare(a.identity(), b.identity()) })
	return violations
}
