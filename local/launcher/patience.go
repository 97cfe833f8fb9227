package launcher

import (
	"context"
	"time"
)

const (
	// askTimeout bounds one question.
	askTimeout = 800 * time.Millisecond
	// patience is how long what lives may take to say that it is ready before it is taken for one that is not. One answer that is late is
	// no reason to call a region broken, and still less to start its processes anew: that is what a busy machine can bear least.
	patience = 3 * time.Second
	askPause = 100 * time.Millisecond
)

// patiently asks until the answer is nil, and gives the last one when patience ends.
func patiently(ctx context.Context, ask func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return until(ctx, askPause, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, askTimeout)
		defer cancel()
		return ask(ctx)
	})
}

// until tries again and again, and gives the last error when the context ends first.
func until(ctx context.Context, every time.Duration, try func(context.Context) error) error {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		err := try(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-ticker.C:
		}
	}
}
