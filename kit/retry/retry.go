// Package retry repeats work that failed, with exponential backoff and jitter.
package retry

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// Backoff returns pauses that double from first to last, each shortened or lengthened by up to half, so that those who failed
// together do not try again together. It is not safe for concurrent use.
func Backoff(first, last time.Duration) *backoff.ExponentialBackOff {
	pauses := backoff.NewExponentialBackOff()
	pauses.InitialInterval, pauses.MaxInterval, pauses.Multiplier = first, last, 2
	pauses.Reset()
	return pauses
}

// Until calls attempt until it succeeds, with pauses as Backoff has them. It returns nil, the error that attempt wrapped with
// Permanent, or the cause of ctx's end. notify, when not nil, is called before each pause.
func Until(ctx context.Context, first, last time.Duration, attempt func(context.Context) error, notify func(err error, pause time.Duration)) error {
	_, err := backoff.Retry(ctx, func() (struct{}, error) { return struct{}{}, attempt(ctx) },
		backoff.WithBackOff(Backoff(first, last)), backoff.WithNotify(notify), backoff.WithMaxElapsedTime(0))
	return err
}

// Permanent wraps an error that Until returns at once.
func Permanent(err error) error { return backoff.Permanent(err) }

// After wraps an error after which Until pauses for d, as a server asks by Retry-After, and up to a quarter longer: callers that share a
// limit must not come back together. An error without a pause stays as it is.
func After(err error, d time.Duration) error {
	if d <= 0 {
		return err
	}
	return errors.Join(err, &backoff.RetryAfterError{Duration: d + rand.N(d/4+1)})
}

// Pause waits for d or until ctx ends, and returns the cause of the end.
func Pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
