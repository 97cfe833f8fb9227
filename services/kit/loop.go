package kit

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

const (
	firstRestart = 100 * time.Millisecond
	lastRestart  = 5 * time.Second
)

type loop struct {
	name string
	run  func(ctx context.Context) error
}

// startLoop runs a loop until stop is called, which waits for its end; stopping twice is fine.
func startLoop(l loop, log *slog.Logger) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		for wait := firstRestart; ; wait = min(2*wait, lastRestart) {
			err := l.run(ctx)
			if ctx.Err() != nil {
				return
			}
			log.ErrorContext(ctx, "A loop ended early and will be started again.", "loop", l.name, "error", errorText(err))
			select {
			case <-ctx.Done():
				return
			case <-time.After(wait):
			}
		}
	})
	return func() {
		cancel()
		done.Wait()
	}
}

func errorText(err error) string {
	if err == nil {
		return "none"
	}
	return err.Error()
}
