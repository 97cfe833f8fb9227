package order

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit"
	"github.com/meridian-store/meridian/kit/httpx"
	"github.com/meridian-store/meridian/replication/outbox"
)

const (
	// taskBatch is how many tasks one pass takes.
	taskBatch = 20
	// taskFailures end a pass early: each may have cost a time-out, because a service is away.
	taskFailures = 3
	// longestWait is how long a task that keeps failing waits at most for its next attempt.
	longestWait = 5 * time.Minute
	// taskGrace is how long another region's tasks are left to that region's own services.
	taskGrace = time.Minute
)

// Kinds of tasks.
const (
	taskRefund  = "refund"
	taskRestock = "restock"
)

// task is something that another service still has to do about an order. Its id was fixed before anyone was asked, so that it is
// done once however often it is asked for.
type task struct {
	id, home, orderID, sagaID string
	kind                      string
	request                   string
	attempts                  int64
}

// tasks does what deeds have left to do: soon after them, and again until it is done.
type tasks struct {
	store      *store
	neighbours neighbours
	writer     *outbox.Writer
	now        func() time.Time
	log        *slog.Logger
	metrics    *taskMetrics
	// lease is how long whoever took a task has for it before it is taken again.
	lease time.Duration
	woken chan struct{}
}

// wake has the tasks looked for at once.
func (t *tasks) wake() {
	select {
	case t.woken <- struct{}{}:
	default: // they will be
	}
}

// loop looks for due tasks at an interval and whenever it is woken; other regions' own services have a grace to do theirs.
func (t *tasks) loop(every, grace time.Duration, base *kit.Base) func(context.Context) error {
	pass := base.Overdue(grace, t.pass)
	return func(ctx context.Context) error {
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		for {
			if err := pass(ctx); err != nil {
				return err
			}
			select {
			case <-ctx.Done():
				return nil
			case <-ticker.C:
			case <-t.woken:
			}
		}
	}
}

// pass does the tasks of some regions that are due before a time.
func (t *tasks) pass(ctx context.Context, regions []string, before time.Time) error {
	taken, err := t.store.takeTasks(ctx, regions, before, t.now().Add(t.lease), taskBatch)
	if err != nil {
		return err
	}
	failures := 0
	for _, due := range taken {
		err := t.do(ctx, due)
		if err == nil {
			t.metrics.done.WithLabelValues(due.kind).Inc()
			continue
		}
		if ctx.Err() != nil {
			return nil //nolint:nilerr // the service stops; the task is taken again when its lease is over
		}
		t.metrics.failed.WithLabelValues(due.kind).Inc()
		t.log.WarnContext(ctx, "A task about an order could not be done; it will be tried again.", "task", due.kind, "task_id", due.id, "order_id", due.orderID,
			"attempts", due.attempts, "error", httpx.ErrorChain(err))
		if err := t.store.postponeTask(ctx, due, t.now().Add(waitAfter(due.attempts))); err != nil {
			return err
		}
		if failures++; failures == taskFailures {
			return nil
		}
	}
	if len(taken) == taskBatch {
		t.wake()
	}
	return nil
}

// waitAfter is a second after the first attempt, and twice as long after each that follows.
func waitAfter(attempts int64) time.Duration {
	return min(time.Second<<min(max(attempts-1, 0), 20), longestWait)
}

func (t *tasks) do(ctx context.Context, due task) error {
	if due.kind == taskRestock {
		return t.restock(ctx, due)
	}
	return t.refund(ctx, due)
}

func (t *tasks) restock(ctx context.Context, due task) error {
	if err := t.neighbours.restock(ctx, due.sagaID, json.RawMessage(due.request)); err != nil {
		return err
	}
	return t.store.endTask(ctx, due)
}

// refund asks payment, and keeps its word. What payment refuses for good ends the refund as failed, so that its amount may be promised
// again; an answer that ought not to be, such as a charge that is not found, is asked for again until someone has looked.
func (t *tasks) refund(ctx context.Context, due task) error {
	got, err := t.neighbours.refund(ctx, due.sagaID, json.RawMessage(due.request))
	state, why := got.State, got.Reason
	switch {
	case err != nil && contract.CodeOf(err) != contract.CodeConflict && contract.CodeOf(err) != contract.CodeInvalid:
		return err
	case err != nil:
		t.log.ErrorContext(ctx, "Payment refused a refund.", "refund_id", due.id, "order_id", due.orderID, "error", httpx.ErrorChain(err))
		state, why = contract.RefundStateFailed, string(contract.CodeOf(err))
	case got.ID != due.id:
		return fmt.Errorf("payment answered for the refund %q when asked for %s", got.ID, due.id)
	case state == contract.RefundStatePending:
		return contract.Errorf(contract.CodeInProgress, "the provider has not said yet whether it gave the money back")
	case state == contract.RefundStateFailed:
		t.log.ErrorContext(ctx, "A refund failed at the provider; the order's money is still with us.", "refund_id", due.id, "order_id", due.orderID)
	}
	return t.store.settleRefund(ctx, t.writer, due, state, why, t.now())
}
