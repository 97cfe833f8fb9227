package order

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/retry"
)

const (
	firstPause = 50 * time.Millisecond
	lastPause  = 2 * time.Second
	// yieldTimeout bounds the goodbye of a saga that the stopping service hands over.
	yieldTimeout = time.Second
)

// drive is one holder's work on one saga.
type drive struct {
	*orchestrator
	saga   saga
	cancel context.CancelCauseFunc
	// overdue is when the saga stops trying to sell, by this process's monotonic clock.
	overdue time.Time
	// woken says that the payment has changed; done closes when the drive is over.
	woken, done chan struct{}
	// final is the stored answer once the saga has ended here; read it after done.
	final *answer
	// tried is the compensation stack: what may have had an effect that has to be given back.
	tried struct{ reserve, charge bool }

	// mu makes the saga's writes follow one another, so that its log is numbered once.
	mu        sync.Mutex
	order     placed
	step      Step
	written   int
	unwritten []entry
}

func (d *drive) drive(ctx context.Context) {
	defer close(d.done)
	defer d.leave(d)
	var keeper sync.WaitGroup
	keeper.Go(func() { d.keepLease(ctx) })
	err := d.guarded(ctx)
	cause := context.Cause(ctx)
	d.cancel(nil)
	keeper.Wait()
	attributes := []any{"saga_id", d.saga.id, "epoch", d.saga.epoch}
	switch {
	case err == nil:
		d.metrics.ended.WithLabelValues(d.order.Status, d.order.Reason).Inc()
		d.log.InfoContext(ctx, "A saga has ended.", append(attributes, "order_id", d.order.ID, "status", d.order.Status, "reason", d.order.Reason)...)
	case errors.Is(err, errAbandoned):
		d.log.WarnContext(ctx, "A saga was abandoned for a drill.", append(attributes, "error", err.Error())...)
	case errors.Is(err, errFenced), errors.Is(cause, errLost):
		d.metrics.fenced.Inc()
		d.log.WarnContext(ctx, "A saga went to another holder; nothing more is changed here.", attributes...)
	case errors.Is(cause, errStopping):
		d.log.InfoContext(ctx, "A saga is handed over because the service stops.", attributes...)
		d.handOver(ctx)
	default:
		d.log.ErrorContext(ctx, "A saga could not be taken further; another attempt follows when its lease is over.", append(attributes, "error", err.Error())...)
	}
}

func (d *drive) handOver(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), yieldTimeout)
	defer cancel()
	if err := d.store.yield(ctx, d.saga); err != nil {
		d.log.WarnContext(ctx, "A saga's lease could not be given up; it ends by itself.", "saga_id", d.saga.id, "error", err.Error())
	}
}

// guarded turns a panic into an error: one bad saga must not end the process that drives the others.
func (d *drive) guarded(ctx context.Context) (err error) {
	defer func() {
		if problem := recover(); problem != nil {
			err = fmt.Errorf("panic: %v\n%s", problem, debug.Stack())
		}
	}()
	if d.saga.takenOver() {
		if err := d.load(ctx); err != nil {
			return err
		}
	}
	if d.saga.direction == compensate {
		return d.giveBack(ctx)
	}
	end, err := d.sell(ctx)
	if err != nil || end == nil {
		return err
	}
	return d.turn(ctx, *end)
}

// load reads the order of a saga that another holder opened. Nobody knows what that one tried, so all of it is given back.
func (d *drive) load(ctx context.Context) error {
	d.tried.reserve, d.tried.charge = true, true
	return d.persist(ctx, "read the order", func(ctx context.Context) error {
		order, err := d.store.order(ctx, d.saga.home, d.saga.orderID)
		if err != nil {
			return err
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		d.order = order
		return nil
	})
}

// keepLease renews the lease until the drive is over. A holder who can not renew it in time stops by itself, before another one
// may begin.
func (d *drive) keepLease(ctx context.Context) {
	ticker := time.NewTicker(d.config.Renew)
	defer ticker.Stop()
	for kept := time.Now(); ; {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		asked := time.Now()
		err := d.renew(ctx)
		switch {
		case err == nil:
			kept = asked
		case ctx.Err() != nil:
			return
		case errors.Is(err, errFenced) || time.Since(kept) > d.config.Lease:
			d.cancel(errLost)
			return
		default:
			d.log.WarnContext(ctx, "A saga's lease could not be renewed; it will be tried again.", "saga_id", d.saga.id, "error", err.Error())
		}
	}
}

func (d *drive) renew(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, d.config.Lease)
	defer cancel()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.final != nil {
		return nil // it has ended meanwhile
	}
	if err := d.store.renew(ctx, d.saga, d.config.Lease, d.step, d.written, d.unwritten); err != nil {
		return err
	}
	d.logged()
	return nil
}

// note adds to the log; it is written with the saga's next write.
func (d *drive) note(step Step, outcome string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.add(step, outcome)
}

func (d *drive) add(step Step, outcome string) {
	d.unwritten = append(d.unwritten, entry{step: step, outcome: outcome, at: sqlTime(d.now())})
}

// logged moves what was written into the order's history, as its row tells it.
func (d *drive) logged() {
	d.order.History = d.history()
	d.written += len(d.unwritten)
	d.unwritten = nil
}

func (d *drive) history() []contract.OrderEntry {
	history := append(make([]contract.OrderEntry, 0, len(d.order.History)+len(d.unwritten)), d.order.History...)
	for _, e := range d.unwritten {
		history = append(history, contract.OrderEntry{Step: e.outcome, At: e.at})
	}
	return history
}

// current gives the order as it stands, with its history so far.
func (d *drive) current() placed {
	d.mu.Lock()
	defer d.mu.Unlock()
	order := d.order
	order.History = d.history()
	return order
}

// persist tries until it succeeds, the saga is another's, or the drive ends.
func (d *drive) persist(ctx context.Context, what string, attempt func(context.Context) error) error {
	pauses := retry.Backoff(firstPause, lastPause)
	for tries := 1; ; tries++ {
		err := attempt(ctx)
		switch {
		case err == nil || errors.Is(err, errFenced) || errors.Is(err, errAbandoned):
			return err
		case ctx.Err() != nil:
			return fmt.Errorf("%s: %w", what, context.Cause(ctx))
		}
		d.log.WarnContext(ctx, "A step of a saga failed and will be tried again.", "saga_id", d.saga.id, "step", what, "tries", tries, "error", err.Error())
		if err := d.pause(ctx, pauses.NextBackOff()); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
	}
}

// pause waits between attempts, at most for limit and less when the payment is known to have changed.
func (d *drive) pause(ctx context.Context, limit time.Duration) error {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
	case <-d.woken:
	}
	return nil
}
