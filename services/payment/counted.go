package payment

import (
	"context"
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/meridian-store/meridian/services/payment/provider"
)

// counted counts the calls of a provider that bring no answer: the first sign of its outage.
type counted struct {
	next       provider.Provider
	unanswered prometheus.Counter
}

func (c counted) note(err error) {
	if err != nil && !errors.Is(err, provider.ErrInvalidToken) {
		c.unanswered.Inc()
	}
}

func (c counted) Charge(ctx context.Context, charge provider.Charge) (provider.Result, error) {
	result, err := c.next.Charge(ctx, charge)
	c.note(err)
	return result, err
}

func (c counted) Cancel(ctx context.Context, key string) (provider.Result, error) {
	result, err := c.next.Cancel(ctx, key)
	c.note(err)
	return result, err
}

func (c counted) Void(ctx context.Context, key string) (provider.Result, error) {
	result, err := c.next.Void(ctx, key)
	c.note(err)
	return result, err
}

func (c counted) Find(ctx context.Context, key string) (provider.Result, bool, error) {
	result, found, err := c.next.Find(ctx, key)
	c.note(err)
	return result, found, err
}
