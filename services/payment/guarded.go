package payment

import (
	"context"
	"errors"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/sony/gobreaker/v2"

	"github.com/meridian-store/meridian/kit/retry"
	"github.com/meridian-store/meridian/services/payment/provider"
)

// guarded stands before the provider. While most calls bring no answer it refuses them at once, so that an outage of the provider
// costs a shopper no wait and a payment process no pile of open calls. It counts the calls without an answer, an outage's first sign.
type guarded struct {
	next       provider.Provider
	breaker    *gobreaker.CircuitBreaker[any]
	unanswered prometheus.Counter
}

const (
	// tripAfter calls in a row without an answer open the circuit for tripFor; then a few are tried.
	tripAfter = 8
	tripFor   = 2 * time.Second
	tryAgain  = 3
	// A charge that the provider is busy with is asked for again after pauses that double, about a second in all.
	firstPause = 20 * time.Millisecond
	lastPause  = 640 * time.Millisecond
	busyTries  = 7
)

func guard(next provider.Provider, registry *prometheus.Registry) *guarded {
	unanswered := prometheus.NewCounter(prometheus.CounterOpts{
		Name: "meridian_payment_provider_unanswered_total", Help: "Calls to the payment provider that brought no answer.",
	})
	open := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "meridian_payment_provider_circuit_open", Help: "1 while calls to the payment provider are refused at once.",
	})
	registry.MustRegister(unanswered, open)
	return &guarded{next: next, unanswered: unanswered, breaker: gobreaker.NewCircuitBreaker[any](gobreaker.Settings{
		Name: "payment provider", MaxRequests: tryAgain, Timeout: tripFor,
		ReadyToTrip:  func(counts gobreaker.Counts) bool { return counts.ConsecutiveFailures >= tripAfter },
		IsSuccessful: func(err error) bool { return err == nil || isFinal(err) || errors.Is(err, context.Canceled) },
		OnStateChange: func(_ string, _, to gobreaker.State) {
			open.Set(0)
			if to == gobreaker.StateOpen {
				open.Set(1)
			}
		},
	})}
}

// isFinal says that the provider has answered, and would answer a repeat alike.
func isFinal(err error) bool {
	var refused *provider.Refused
	return errors.As(err, &refused) || errors.Is(err, provider.ErrInvalidToken) || errors.Is(err, provider.ErrKeyReused) || errors.Is(err, provider.ErrNotFound) || errors.Is(err, provider.ErrBusy)
}

// through makes a call unless the circuit is open, and repeats it for a while when the provider is busy with the same charge.
func through[T any](ctx context.Context, g *guarded, call func() (T, error)) (T, error) {
	var answer T
	var last error
	_, _ = backoff.Retry(ctx, func() (T, error) { // last is the provider's own error, also when ctx ends
		_, last = g.breaker.Execute(func() (any, error) {
			var err error
			answer, err = call()
			if err != nil && !isFinal(err) {
				g.unanswered.Inc()
			}
			return nil, err
		})
		if errors.Is(last, provider.ErrBusy) {
			return answer, last
		}
		return answer, nil
	}, backoff.WithBackOff(retry.Backoff(firstPause, lastPause)), backoff.WithMaxTries(busyTries))
	return answer, last
}

func (g *guarded) Prepare(ctx context.Context, charge provider.Charge) (provider.Intent, error) {
	return through(ctx, g, func() (provider.Intent, error) { return g.next.Prepare(ctx, charge) })
}

func (g *guarded) Confirm(ctx context.Context, confirmation provider.Confirmation) (provider.Intent, error) {
	return through(ctx, g, func() (provider.Intent, error) { return g.next.Confirm(ctx, confirmation) })
}

func (g *guarded) Capture(ctx context.Context, intentID, key string) (provider.Intent, error) {
	return through(ctx, g, func() (provider.Intent, error) { return g.next.Capture(ctx, intentID, key) })
}

func (g *guarded) Cancel(ctx context.Context, intentID, key string) (provider.Intent, error) {
	return through(ctx, g, func() (provider.Intent, error) { return g.next.Cancel(ctx, intentID, key) })
}

func (g *guarded) Refund(ctx context.Context, order provider.RefundOrder) (provider.Refund, error) {
	return through(ctx, g, func() (provider.Refund, error) { return g.next.Refund(ctx, order) })
}

func (g *guarded) Find(ctx context.Context, intentID string) (provider.Intent, error) {
	return through(ctx, g, func() (provider.Intent, error) { return g.next.Find(ctx, intentID) })
}

func (g *guarded) FindRefund(ctx context.Context, id string) (provider.Refund, error) {
	return through(ctx, g, func() (provider.Refund, error) { return g.next.FindRefund(ctx, id) })
}

// Notice asks nobody.
func (g *guarded) Notice(payload []byte, signature string, now time.Time) (provider.Notice, error) {
	return g.next.Notice(payload, signature, now)
}
