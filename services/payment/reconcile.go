package payment

import (
	"context"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit"
	"github.com/meridian-store/meridian/kit/httpx"
)

const (
	// reconcileBatch is how many open payments, and refunds, one pass asks about.
	reconcileBatch = 100
	// reconcileFailures end a pass early: each may have cost a time-out, because the provider is away.
	reconcileFailures = 3
	// settleMargin is how long after the last moment of a call nobody else asks about its payment.
	settleMargin = 5 * time.Second
	longestPause = 10 * time.Minute
)

// dueAfterCall is when a payment is asked about again whose call to the provider begins now.
func (s *Service) dueAfterCall() *time.Time {
	due := s.now().Add(s.config.providerLimit + s.config.findLimit + settleMargin)
	return &due
}

// reconcile settles payments and refunds of some regions that were left open, by a crash or a lost answer.
func (s *Service) reconcile(ctx context.Context, regions []string, before time.Time) error {
	payments, err := s.store.due(ctx, regions, before, reconcileBatch)
	if err != nil {
		return err
	}
	refunds, err := s.store.dueRefunds(ctx, regions, before, reconcileBatch)
	if err != nil {
		return err
	}
	var tasks []func() error
	for _, p := range payments {
		tasks = append(tasks, func() error { return s.askAgain(ctx, p) })
	}
	for _, r := range refunds {
		tasks = append(tasks, func() error { _, err := s.giveBack(ctx, r); return err })
	}
	run := func(_ context.Context, task func() error) error { return task() }
	kit.Attempt(ctx, tasks, reconcileFailures, run, func(_ func() error, err error) {
		s.log.WarnContext(ctx, "An open payment could not be settled; it will be tried again.", "error", httpx.ErrorChain(err))
	})
	return nil
}

// askAgain goes on with what was left open. A charge that is still unconfirmed stays pending: only the saga has the token, and will
// charge or void; so it is asked about ever more seldom.
func (s *Service) askAgain(ctx context.Context, p payment) error {
	asked := s.now()
	if p.voiding {
		_, err := s.finishVoid(ctx, p)
		return err
	}
	told, known, err := s.look(ctx, p)
	if err != nil {
		return contract.Unavailable(err, "the payment provider did not answer about %s", p.ID)
	}
	if known {
		_, err := s.settle(ctx, p, told)
		return err
	}
	pause := min(max(asked.Sub(p.createdAt)/2, settleMargin), longestPause)
	return s.store.postpone(ctx, p, asked.Add(pause))
}
