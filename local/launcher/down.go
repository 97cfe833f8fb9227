package launcher

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/meridian-store/meridian/local/process"
)

// reapGrace is how long a leftover may take to end in order before it is killed.
const reapGrace = 10 * time.Second

// ErrNotRunning says that there is nothing to stop.
var ErrNotRunning = errors.New("no copy runs from this home")

// Down stops the copy of a home and returns when no process of it is left.
func Down(ctx context.Context, home Home, note func(format string, args ...any)) error {
	state, found, err := ReadState(home)
	if err != nil {
		return err
	}
	if found && state.Running() {
		note("Stopping meridian (process %d)", state.Up.PID)
		if err := syscall.Kill(state.Up.PID, syscall.SIGTERM); err != nil {
			return fmt.Errorf("ask process %d to stop: %w", state.Up.PID, err)
		}
		if err := awaitEnd(ctx, state.Up); err != nil {
			return err
		}
		return reapLeftovers(ctx, home, note)
	}
	left, err := leftovers(home)
	if err != nil {
		return err
	}
	if len(left) == 0 {
		return ErrNotRunning
	}
	return reapLeftovers(ctx, home, note)
}

func awaitEnd(ctx context.Context, id process.Identity) error {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for id.Alive() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("process %d still runs: %w", id.PID, ctx.Err())
		case <-ticker.C:
		}
	}
	return nil
}

// leftovers lists the processes that carry the home's mark or that its state names, the launcher excepted.
func leftovers(home Home) ([]process.Identity, error) {
	state, _, err := ReadState(home)
	if err != nil {
		return nil, err
	}
	marked, err := process.Find(home.Dir())
	if err != nil {
		return nil, fmt.Errorf("look for processes of an earlier run: %w", err)
	}
	seen := map[int]bool{}
	var left []process.Identity
	for _, id := range append(state.identities(), marked...) {
		if !seen[id.PID] && id.Alive() {
			seen[id.PID] = true
			left = append(left, id)
		}
	}
	return left, nil
}

// reapLeftovers ends what an `up` that was killed left behind.
func reapLeftovers(ctx context.Context, home Home, note func(format string, args ...any)) error {
	left, err := leftovers(home)
	if err != nil || len(left) == 0 {
		return err
	}
	note("Stopping %d processes that an earlier run left behind", len(left))
	if err := process.Reap(ctx, left, reapGrace); err != nil {
		return fmt.Errorf("stop what an earlier run left behind: %w", err)
	}
	return nil
}
