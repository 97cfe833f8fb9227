package kit

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/meridian-store/meridian/kit/httpx"
	"github.com/meridian-store/meridian/kit/retry"
)

const (
	firstRestart = 100 * time.Millisecond
	lastRestart  = 5 * time.Second
	// healthyAfter is how long a run must last for the next failure to count as the first.
	healthyAfter = 2 * lastRestart
	// persistentAfter is how many failures in a row are logged once as an error.
	persistentAfter = 5
)

// errEndedEarly is reported for a loop that returns nil before its context ends.
var errEndedEarly = errors.New("returned before it was stopped")

// Loop is background work of a service.
type Loop struct {
	// Name says in logs what the loop does, such as "relay events".
	Name string
	// Run works until ctx ends. When it returns earlier, with or without an error, it is called again after a pause.
	Run func(ctx context.Context) error
}

// LoopRunner runs one Loop. Its methods are safe for concurrent use.
type LoopRunner struct {
	loop    Loop
	log     *slog.Logger
	cancel  context.CancelFunc
	started chan struct{}
	stopped chan struct{}
}

// StartLoop starts a loop. The caller must call Stop.
//
// Pauses between runs grow from 100 ms to 5 s, give or take half, and start over after a run of 10 s. A failure is logged at level Warn, a repetition
// of the same failure at Debug, and the fifth failure in a row once at Error.
func StartLoop(loop Loop, log *slog.Logger) *LoopRunner {
	ctx, cancel := context.WithCancel(context.Background())
	r := &LoopRunner{
		loop: loop, log: log.With("loop", loop.Name), cancel: cancel,
		started: make(chan struct{}), stopped: make(chan struct{}),
	}
	go r.keepRunning(ctx)
	return r
}

// Started is closed when Run is called for the first time.
func (r *LoopRunner) Started() <-chan struct{} { return r.started }

// Stop ends the loop's context and returns when Run has returned. Stopping twice is fine.
func (r *LoopRunner) Stop() {
	r.cancel()
	<-r.stopped
}

func (r *LoopRunner) keepRunning(ctx context.Context) {
	defer close(r.stopped)
	close(r.started)
	pauses, failures, reported := retry.Backoff(firstRestart, lastRestart), 0, ""
	for {
		begun := time.Now()
		err := r.loop.Run(ctx)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			err = errEndedEarly
		}
		if time.Since(begun) >= healthyAfter {
			pauses.Reset()
			failures, reported = 0, ""
		}
		failures++
		r.report(ctx, err, failures, reported)
		reported = err.Error()
		if retry.Pause(ctx, pauses.NextBackOff()) != nil {
			return
		}
	}
}

func (r *LoopRunner) report(ctx context.Context, err error, failures int, reported string) {
	switch {
	case failures == persistentAfter:
		r.log.ErrorContext(ctx, "Loop keeps failing", "failures", failures, "error", httpx.ErrorChain(err))
	case err.Error() != reported:
		r.log.WarnContext(ctx, "Loop failed and is restarted", "failures", failures, "error", httpx.ErrorChain(err))
	default:
		r.log.DebugContext(ctx, "Loop failed again", "failures", failures, "error", httpx.ErrorChain(err))
	}
}

// Every makes a loop's Run of a task that is done at once and then at an interval. A task that fails ends the run.
func Every(interval time.Duration, task func(ctx context.Context) error) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		for {
			if err := task(ctx); err != nil {
				return err
			}
			select {
			case <-ctx.Done():
				return nil
			case <-ticker.C:
			}
		}
	}
}
