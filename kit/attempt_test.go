package kit_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/meridian-store/meridian/kit"
)

func TestAttemptDoesAllThatItCanAndStopsAtItsFailures(t *testing.T) {
	t.Parallel()
	work := func() []int { return []int{1, 2, 3, 4, 5, 6} }
	for name, test := range map[string]struct {
		fails        func(int) bool
		done, failed int
	}{
		"all is well": {func(int) bool { return false }, 6, 0},
		"one fails":   {func(n int) bool { return n == 3 }, 5, 1},
		"none can be": {func(int) bool { return true }, 0, 3},
	} {
		var done, failed []int
		kit.Attempt(t.Context(), work(), 3, func(_ context.Context, n int) error {
			if test.fails(n) {
				return errors.New("not now")
			}
			done = append(done, n)
			return nil
		}, func(n int, _ error) { failed = append(failed, n) })
		slices.Sort(done)
		if len(done) != test.done || len(failed) != test.failed || len(slices.Compact(done)) != test.done {
			t.Errorf("%s: done %v, failed %v", name, done, failed)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	tried := 0
	kit.Attempt(ctx, work(), 3, func(context.Context, int) error { tried++; cancel(); return ctx.Err() }, func(int, error) { t.Error("the end of the process was told as a failure") })
	if tried != 1 {
		t.Errorf("%d pieces were tried after the end", tried)
	}
}
