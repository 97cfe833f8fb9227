package process

import (
	"time"

	"github.com/cenkalti/backoff/v5"
)

const (
	// The first restart comes at once: a killed engine should be back before its
	// clients have given up on their first retry.
	firstRestartDelay = 50 * time.Millisecond
	lastRestartDelay  = 5 * time.Second
	// A child that served this long has earned a quick restart again.
	healthyRun = time.Minute
)

// restarts is the delay before the next restart of a child that keeps dying.
type restarts struct{ delays *backoff.ExponentialBackOff }

func newRestarts() restarts {
	delays := backoff.NewExponentialBackOff()
	delays.InitialInterval, delays.MaxInterval, delays.Multiplier, delays.RandomizationFactor = firstRestartDelay, lastRestartDelay, 2, 0
	delays.Reset()
	return restarts{delays}
}

// after returns how long to wait, given how long the child that just ended was ready.
func (r restarts) after(ready time.Duration) time.Duration {
	if ready >= healthyRun {
		r.delays.Reset()
	}
	return r.delays.NextBackOff()
}
