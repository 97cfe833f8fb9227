package launcher

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestOneLateAnswerIsNoFailure(t *testing.T) {
	t.Parallel()
	asked := 0
	late := func(ctx context.Context) error {
		if asked++; asked == 1 {
			<-ctx.Done()
			return ctx.Err()
		}
		return nil
	}
	if err := patiently(t.Context(), late); err != nil || asked != 2 {
		t.Errorf("asked %d times: %v", asked, err)
	}
	gone := errors.New("refused")
	ctx, cancel := context.WithTimeout(t.Context(), 3*askPause)
	defer cancel()
	if err := patiently(ctx, func(context.Context) error { return gone }); !errors.Is(err, gone) {
		t.Errorf("who never answers: %v", err)
	}
	begun := time.Now()
	hung := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	if err := patiently(t.Context(), hung); err == nil || time.Since(begun) < patience {
		t.Errorf("who hangs is waited for %s: %v", time.Since(begun), err)
	}
}
