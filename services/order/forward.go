package order

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/retry"
	"github.com/meridian-store/meridian/kit/sqldb"
	"github.com/meridian-store/meridian/replication/outbox"
)

// sell takes the saga forward to its confirmation. It gives a verdict when that can not be, and an error when this holder has to
// stop with the saga's end open.
func (d *drive) sell(ctx context.Context) (*verdict, error) {
	if d.saga.takenOver() {
		return d.sellOn(ctx)
	}
	if end, err := d.reserve(ctx); end != nil || err != nil {
		return end, err
	}
	return d.chargeAndConfirm(ctx, nil)
}

// sellOn goes on where another holder stopped. The payment tells how far that one came: it was asked only behind a reservation,
// and inventory keeps the hold of a charge that stands.
func (d *drive) sellOn(ctx context.Context) (*verdict, error) {
	var payment contract.Payment
	charged := true
	err := d.persist(ctx, "read the payment", func(ctx context.Context) error {
		var err error
		payment, err = d.neighbours.payment(ctx, d.saga.id)
		if contract.CodeOf(err) == contract.CodeNotFound {
			charged, err = false, nil
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if charged {
		return d.chargeAndConfirm(ctx, &payment)
	}
	if d.isOverdue() {
		end := lapsed()
		return &end, nil
	}
	if end, err := d.reserve(ctx); end != nil || err != nil {
		return end, err
	}
	return d.chargeAndConfirm(ctx, nil)
}

func (d *drive) isOverdue() bool { return !time.Now().Before(d.overdue) }

func (d *drive) reserve(ctx context.Context) (*verdict, error) {
	if err := d.enter(ctx, StepReserve); err != nil {
		return nil, err
	}
	d.tried.reserve = true
	pauses := retry.Backoff(firstPause, lastPause)
	for tries := 1; ; tries++ {
		first := tries == 1 && !d.saga.takenOver()
		err := d.neighbours.reserve(ctx, d.saga.id, d.current(), d.config.Hold, first)
		switch {
		case err == nil:
			d.note(StepReserve, outcomeReserved)
			return nil, d.boundary(ctx, d.saga, After(StepReserve))
		case ctx.Err() != nil:
			return nil, fmt.Errorf("reserve: %w", context.Cause(ctx))
		case contract.CodeOf(err) == contract.CodeOutOfStock:
			// Refused at the first attempt, nothing is held, and there is nothing to give back.
			d.tried.reserve = !first
			end := outOfStock(err)
			d.note(StepReserve, end.reason)
			return &end, d.boundary(ctx, d.saga, After(StepReserve))
		case !passing(err):
			d.log.ErrorContext(ctx, "Inventory refused a saga.", "saga_id", d.saga.id, "error", err.Error())
			end := refused()
			return &end, nil
		case d.isOverdue():
			end := lapsed()
			return &end, nil
		}
		d.log.WarnContext(ctx, "Stock could not be reserved; it will be tried again.", "saga_id", d.saga.id, "tries", tries, "error", err.Error())
		if err := d.pause(ctx, pauses.NextBackOff()); err != nil {
			return nil, fmt.Errorf("reserve: %w", err)
		}
	}
}

// ask learns of the payment: from what is known already, by charging, and then by reading and charging in turn. Payment charges a
// saga once however often it is asked, and each asking heals what the last one may have lost.
func (d *drive) ask(ctx context.Context, known *contract.Payment, tries int) (contract.Payment, error) {
	switch {
	case known != nil && tries == 1:
		return *known, nil
	case (tries%2 == 1) == (known == nil):
		return d.charge(ctx)
	default:
		return d.neighbours.payment(ctx, d.saga.id)
	}
}

// charge charges, and looks at the payment as soon as an event tells of it: an answer that is slow, or repeats another holder's
// question, is not waited for once the payment is settled.
func (d *drive) charge(ctx context.Context) (contract.Payment, error) {
	type answer struct {
		payment contract.Payment
		err     error
	}
	asking, cancel := context.WithCancel(ctx)
	answered := make(chan answer, 1)
	go func() {
		payment, err := d.neighbours.charge(asking, d.saga, d.current())
		answered <- answer{payment, err}
	}()
	defer cancel()
	for {
		select {
		case a := <-answered:
			return a.payment, a.err
		case <-d.woken:
		}
		payment, err := d.neighbours.payment(ctx, d.saga.id)
		if err == nil && payment.State != contract.PaymentStatePending {
			cancel()
			<-answered
			return payment, nil
		}
	}
}

// chargeAndConfirm charges, asks until the payment is settled, and sells what is paid. known is the payment that another holder
// has begun, nil when there is none.
func (d *drive) chargeAndConfirm(ctx context.Context, known *contract.Payment) (*verdict, error) {
	if err := d.enter(ctx, StepCharge); err != nil {
		return nil, err
	}
	d.tried.charge = true
	pauses := retry.Backoff(firstPause, lastPause)
	for tries := 1; ; tries++ {
		payment, err := d.ask(ctx, known, tries)
		if ctx.Err() != nil {
			return nil, fmt.Errorf("charge: %w", context.Cause(ctx))
		}
		if err == nil {
			captured, end, settled := judge(payment, d.saga, d.current())
			switch {
			case captured:
				d.note(StepCharge, outcomeCharged)
				if err := d.boundary(ctx, d.saga, After(StepCharge)); err != nil {
					return nil, err
				}
				return nil, d.confirm(ctx, payment)
			case settled:
				// What was declined or voided took nothing, and its owner refuses to charge it later.
				d.tried.charge = payment.State == contract.PaymentStateCaptured
				d.note(StepCharge, end.reason)
				return end, d.boundary(ctx, d.saga, After(StepCharge))
			}
		}
		if err != nil && contract.CodeOf(err) != contract.CodeNotFound && !passing(err) {
			d.log.WarnContext(ctx, "Payment refused a charge.", "saga_id", d.saga.id, "error", err.Error())
			end := refusedCharge(err)
			return &end, d.boundary(ctx, d.saga, After(StepCharge))
		}
		if d.isOverdue() {
			end := lapsed()
			return &end, nil
		}
		if err := d.pause(ctx, pauses.NextBackOff()); err != nil {
			return nil, fmt.Errorf("charge: %w", err)
		}
	}
}

// refusedCharge judges a refusal: a token that payment does not take is mended by other means of payment, just as a decline is.
func refusedCharge(err error) verdict {
	var typed *contract.Error
	if errors.As(err, &typed) && (typed.Field == "payment.token" || typed.Code == contract.CodeDeclined) {
		return declined(typed.Message)
	}
	return refused()
}

// enter tells where the saga is, for its row, and lets a drill end it there.
func (d *drive) enter(ctx context.Context, step Step) error {
	d.mu.Lock()
	d.step = step
	d.mu.Unlock()
	return d.boundary(ctx, d.saga, Before(step))
}

// confirm records that the order is sold: the saga's end, the final answer and the event in one transaction.
func (d *drive) confirm(ctx context.Context, payment contract.Payment) error {
	if err := d.enter(ctx, StepConfirm); err != nil {
		return err
	}
	d.note(StepConfirm, outcomeConfirmed)
	sold := d.current()
	sold.Status, sold.Reason, sold.PaymentID, sold.UpdatedAt = contract.OrderStatusConfirmed, "", payment.ID, sqlTime(d.now())
	sold.version++
	body, err := json.Marshal(sold.Order)
	if err != nil {
		return fmt.Errorf("encode the order: %w", err)
	}
	sold.answer = answer{status: http.StatusCreated, body: body}
	if err := d.finish(ctx, stateConfirmed, contract.OrderConfirmed, sold); err != nil {
		return err
	}
	return d.boundary(ctx, d.saga, After(StepConfirm))
}

// finish ends the saga. When a commit's answer is lost, the saga's row tells whether it took effect.
func (d *drive) finish(ctx context.Context, state, event string, last placed) error {
	end := ending{state: state, order: last, event: outbox.Draft{
		Topic: contract.TopicOrders, Type: event, Aggregate: last.ID, Version: last.version, Data: last.change(),
	}}
	return d.persist(ctx, "end the saga", func(ctx context.Context) error {
		d.mu.Lock()
		defer d.mu.Unlock()
		err := d.store.finish(ctx, d.saga, end, d.writer, d.written, d.unwritten)
		if errors.Is(err, errFenced) || errors.Is(err, sqldb.ErrAmbiguousCommit) {
			ended, lookErr := d.store.ended(ctx, d.saga)
			if lookErr != nil {
				return lookErr
			}
			if ended {
				err = nil
			}
		}
		if err != nil {
			return err
		}
		d.logged()
		d.order, d.final = last, &last.answer
		d.writer.Wake()
		return nil
	})
}
