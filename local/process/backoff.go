package process

import "time"

const (
	// The first restart comes at once: a killed engine should be back before its
	// clients have given up on their first retry.
	firstRestartDelay = 50 * time.Millisecond
	lastRestartDelay  = 5 * time.Second
	// A child that served this long has earned a quick restart again.
	healthyRun = time.Minute
)

// backoff is the delay before the next restart of a child that keeps dying.
type backoff struct{ next time.Duration }

// after returns how long to wait, given how long the child that just ended was ready.
func (b *backoff) after(ready time.Duration) time.Duration {
	if b.next == 0 || ready >= healthyRun {
		b.next = firstRestartDelay
	}
	delay := b.next
	b.next = min(2*b.next, lastRestartDelay)
	return delay
}
