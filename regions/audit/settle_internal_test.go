package audit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// shown is an examination that finds at each look what the test says.
type shown struct {
	look  int
	finds func(look int) []Violation
	only  [][]string
}

func (s *shown) examine(_ context.Context, only []string, found func(Violation)) error {
	s.look++
	s.only = append(s.only, only)
	for _, v := range s.finds(s.look) {
		found(v)
	}
	return nil
}

func quiet(int) {}

func amiss(what string) Violation {
	return Violation{Code: "amiss", What: what, IDs: []string{"id"}, examined: "saga"}
}

func TestOnlyWhatStaysIsReported(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		finds func(look int) []Violation
		want  int
		after time.Duration // at least
	}{
		"nothing":          {func(int) []Violation { return nil }, 0, 0},
		"gone at the next": {func(look int) []Violation { return []Violation{amiss("x")}[:max(0, 2-look)] }, 0, 0},
		"gone at the last": {func(look int) []Violation {
			if look <= looks {
				return []Violation{amiss("x")}
			}
			return nil
		}, 0, DefaultSettle},
		"the same for good": {func(int) []Violation { return []Violation{amiss("x")} }, 1, DefaultSettle},
		"another, then the same": {func(look int) []Violation {
			return []Violation{amiss(map[bool]string{true: "x", false: "y"}[look < 3])}
		}, 1, DefaultSettle + 2*DefaultSettle/looks},
		"never the same":  {func(look int) []Violation { return []Violation{amiss(fmt.Sprint(look))} }, 1, patience * DefaultSettle},
		"twice in a look": {func(int) []Violation { return []Violation{amiss("x"), amiss("x")} }, 1, DefaultSettle},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e, begun := &shown{finds: tc.finds}, time.Now()
				violations, beyond, err := settled(t.Context(), []examination{e}, DefaultSettle, quiet)
				if err != nil || beyond != 0 || len(violations) != tc.want || time.Since(begun) < tc.after {
					t.Errorf("found %+v and %d more after %s (%v)", violations, beyond, time.Since(begun), err)
				}
				for i, only := range e.only {
					if first := i == 0; first != (only == nil) || !first && !slices.Equal(only, []string{"saga"}) {
						t.Errorf("look %d was at %v", i+1, only)
					}
				}
			})
		})
	}
}

func TestSettlingIsBoundedAndCanBeCancelled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		many := &shown{finds: func(int) (all []Violation) {
			for i := range maxCandidates + 7 {
				all = append(all, amiss(fmt.Sprint(i)))
			}
			return all
		}}
		violations, beyond, err := settled(t.Context(), []examination{many}, 0, quiet)
		if err != nil || len(violations) != maxCandidates || beyond != 7 {
			t.Errorf("%d violations and %d more (%v)", len(violations), beyond, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, _, err := settled(ctx, []examination{&shown{finds: func(int) []Violation { return []Violation{amiss("x")} }}}, DefaultSettle, quiet); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
	})
}
