package process

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"
)

const reapPoll = 10 * time.Millisecond

// Reap ends the identified processes with all of their groups: with each one's stop
// signal, then with SIGKILL once grace is over, and returns when they are gone. A pid
// that meanwhile belongs to another process is left alone. The context bounds the
// whole; when it ends early the error names what still runs.
func Reap(ctx context.Context, ids []Identity, grace time.Duration) error {
	errs := make([]error, len(ids))
	var wg sync.WaitGroup
	for i, id := range ids {
		wg.Go(func() { errs[i] = reapOne(ctx, id, grace) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

func reapOne(ctx context.Context, id Identity, grace time.Duration) error {
	// 0 and 1 as a group would mean our own group and every process there is.
	if id.PID <= 1 || !id.Alive() {
		return nil
	}
	sig := id.StopSignal
	if sig == 0 {
		sig = syscall.SIGTERM
	}
	if err := signalGroup(id.PID, sig); err != nil {
		return fmt.Errorf("reap %s (pid %d): %w", id.Name, id.PID, err)
	}
	killAt := time.NewTimer(grace)
	defer killAt.Stop()
	poll := time.NewTicker(reapPoll)
	defer poll.Stop()
	for id.Alive() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("reap %s (pid %d): still running: %w", id.Name, id.PID, ctx.Err())
		case <-killAt.C:
			if err := signalGroup(id.PID, syscall.SIGKILL); err != nil {
				return fmt.Errorf("reap %s (pid %d): %w", id.Name, id.PID, err)
			}
		case <-poll.C:
		}
	}
	return nil
}

// signalGroup signals the group that pid leads, or pid alone when it leads none. That
// it is gone already is no error.
func signalGroup(pid int, sig syscall.Signal) error {
	target := pid
	if group, err := syscall.Getpgid(pid); err == nil && group == pid {
		target = -pid
	}
	if err := syscall.Kill(target, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("send %s: %w", sig, err)
	}
	return nil
}
