package process

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// awaitReady polls the child's readiness until it is ready, ends, or time is over.
func (p *Process) awaitReady(ctx context.Context, c *child) error {
	poll := time.NewTicker(readyPoll)
	defer poll.Stop()
	var last error
	for {
		if last = p.probe(ctx, c); last == nil {
			return nil
		}
		select {
		case <-c.ended:
			return c.why()
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return fmt.Errorf("not ready within %s: %w", p.spec.ReadyTimeout, last)
			}
			return ctx.Err()
		case <-poll.C:
		}
	}
}

// watch keeps the state's readiness up to date until the child ends, has been unready
// for too long, or the process is stopped. It returns why.
func (p *Process) watch(ctx context.Context, c *child) error {
	tick := time.NewTicker(healthEvery)
	defer tick.Stop()
	var unready time.Time // since when; zero while ready
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-c.ended:
			return c.why()
		case <-tick.C:
		}
		err := p.probe(ctx, c)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil:
			unready = time.Time{}
			p.update(func(s *State) { s.Ready = true })
			continue
		case unready.IsZero():
			unready = time.Now()
		}
		p.update(func(s *State) { s.Ready, s.LastError = false, err.Error() })
		if limit := p.spec.RestartUnready; limit > 0 && time.Since(unready) >= limit {
			return fmt.Errorf("not ready for %s: %w", limit, err)
		}
	}
}

// probe asks the child once whether it is ready. It gives up when the child ends: a
// port that another process answers on must not pass for this child's.
func (p *Process) probe(ctx context.Context, c *child) error {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	if p.spec.Ready == nil {
		select {
		case <-c.ended:
			return c.why()
		default:
			return nil
		}
	}
	answer := make(chan error, 1)
	go func() { answer <- p.spec.Ready(ctx) }()
	select {
	case <-c.ended:
		cancel()
		<-answer //nolint:errcheck // of a child that is gone; only its end is waited for
		return c.why()
	case err := <-answer:
		select {
		case <-c.ended:
			return c.why()
		default:
			return err
		}
	}
}
