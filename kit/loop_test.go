package kit_test

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/meridian-store/meridian/kit"
)

// recorder keeps what a loop logs as "LEVEL message".
type recorder struct {
	mu    sync.Mutex
	lines []string
}

func (r *recorder) Enabled(context.Context, slog.Level) bool { return true }
func (r *recorder) WithAttrs([]slog.Attr) slog.Handler       { return r }
func (r *recorder) WithGroup(string) slog.Handler            { return r }

func (r *recorder) Handle(_ context.Context, record slog.Record) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, record.Level.String()+" "+record.Message)
	return nil
}

func (r *recorder) count(prefix string) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, line := range r.lines {
		if strings.HasPrefix(line, prefix) {
			n++
		}
	}
	return n
}

// Any number of goroutines may wait for the start and stop the loop at any time; Run never overlaps itself and has returned when Stop
// returns.
func TestLoop_StartAndStopUnderStress(t *testing.T) {
	t.Parallel()
	for range 200 {
		var running, overlaps atomic.Int32
		failing := kit.Loop{Name: "fail at random times", Run: func(ctx context.Context) error {
			if running.Add(1) > 1 {
				overlaps.Add(1)
			}
			defer running.Add(-1)
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(time.Duration(overlaps.Load()+1) * 50 * time.Microsecond):
				return errors.New("failed")
			}
		}}
		runner := kit.StartLoop(failing, slog.New(slog.DiscardHandler))
		var callers sync.WaitGroup
		for range 8 {
			callers.Go(func() { <-runner.Started() })
			callers.Go(func() {
				runner.Stop()
				if running.Load() != 0 {
					t.Error("Run had not returned when Stop did")
				}
			})
		}
		callers.Wait()
		runner.Stop()
		if overlaps.Load() > 0 {
			t.Fatal("two runs overlapped")
		}
	}
}

func TestLoop_BacksOffAndStartsOverAfterAHealthyRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var begun []time.Time
		healthyRun := 8
		runner := kit.StartLoop(kit.Loop{Name: "fail", Run: func(ctx context.Context) error {
			begun = append(begun, time.Now())
			if len(begun) == healthyRun {
				time.Sleep(time.Minute) // virtual time: a run without a failure
			}
			return errors.New("failed")
		}}, slog.New(slog.DiscardHandler))
		time.Sleep(3 * time.Minute)
		runner.Stop()
		first := begun[1].Sub(begun[0])
		before := begun[healthyRun-1].Sub(begun[healthyRun-2])
		after := begun[healthyRun].Sub(begun[healthyRun-1]) - time.Minute
		if first > 200*time.Millisecond || before < 2*time.Second || before > 8*time.Second || after > 200*time.Millisecond {
			t.Errorf("pauses: first %s, before the healthy run %s, after it %s", first, before, after)
		}
	})
}

func TestLoop_LogsARepeatedFailureOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, runs := &recorder{}, 0
		runner := kit.StartLoop(kit.Loop{Name: "fail", Run: func(context.Context) error {
			if runs++; runs == 15 {
				return errors.New("another failure")
			}
			return errors.New("the same failure")
		}}, slog.New(log))
		time.Sleep(2 * time.Minute)
		runner.Stop()
		warnings, failures, repeated := log.count("WARN"), log.count("ERROR"), log.count("DEBUG")
		if warnings != 3 || failures != 1 || repeated != runs-4 {
			t.Errorf("%d runs: %d warnings (want 3), %d errors (want 1), %d debug lines", runs, warnings, failures, repeated)
		}
	})
}

func TestLoop_ThatReturnsEarlyIsRunAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, runs := &recorder{}, 0
		runner := kit.StartLoop(kit.Loop{Name: "return", Run: func(ctx context.Context) error {
			if runs++; runs < 3 {
				return nil
			}
			<-ctx.Done()
			return errors.New("stopped: " + strconv.Itoa(runs))
		}}, slog.New(log))
		time.Sleep(time.Minute)
		runner.Stop()
		if runs != 3 || log.count("WARN") != 1 || log.count("ERROR") != 0 {
			t.Errorf("%d runs, log %q", runs, log.lines)
		}
	})
}
