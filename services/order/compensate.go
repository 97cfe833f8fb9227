package order

import (
	"context"
	"fmt"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/httpx"
)

// turn ends the way forward. What may have been done is given back only after the new direction is committed; where nothing can
// have been done, the turn and the end are one transaction.
func (d *drive) turn(ctx context.Context, end verdict) error {
	problem := httpx.NewProblem(ctx, end.problem)
	body, err := problem.MarshalJSON()
	if err != nil {
		return fmt.Errorf("encode the refusal: %w", err)
	}
	if err := d.enter(ctx, StepTurn); err != nil {
		return err
	}
	d.mu.Lock()
	d.order.Reason, d.order.UpdatedAt = end.reason, sqlTime(d.now())
	d.order.answer = answer{status: problem.Status, body: body}
	d.mu.Unlock()
	if !d.tried.reserve && !d.tried.charge {
		return d.fail(ctx)
	}
	d.note(StepTurn, outcomeCompensating)
	err = d.persist(ctx, "turn the saga", func(ctx context.Context) error {
		d.mu.Lock()
		defer d.mu.Unlock()
		if err := d.store.turn(ctx, d.saga, end.reason, d.order.answer, d.order.UpdatedAt, d.written, d.unwritten); err != nil {
			return err
		}
		d.logged()
		return nil
	})
	if err != nil {
		return err
	}
	if err := d.boundary(ctx, d.saga, After(StepTurn)); err != nil {
		return err
	}
	return d.giveBack(ctx)
}

// giveBack undoes what may have been done, the last first, and does not rest until it is: a shopper's money and the shop's stock
// depend on it.
func (d *drive) giveBack(ctx context.Context) error {
	undo := []struct {
		step    Step
		outcome string
		needed  bool
		call    func(context.Context, string) error
	}{
		{StepVoid, outcomeVoided, d.tried.charge, d.neighbours.void},
		{StepRelease, outcomeReleased, d.tried.reserve, d.neighbours.release},
	}
	for _, u := range undo {
		if !u.needed {
			continue
		}
		if err := d.enter(ctx, u.step); err != nil {
			return err
		}
		if err := d.persist(ctx, string(u.step), func(ctx context.Context) error { return u.call(ctx, d.saga.id) }); err != nil {
			return err
		}
		d.note(u.step, u.outcome)
		if err := d.boundary(ctx, d.saga, After(u.step)); err != nil {
			return err
		}
	}
	return d.fail(ctx)
}

// fail records that the order is not sold, and why.
func (d *drive) fail(ctx context.Context) error {
	if err := d.enter(ctx, StepFail); err != nil {
		return err
	}
	d.note(StepFail, outcomeFailed)
	last := d.current()
	last.Status, last.UpdatedAt = contract.OrderStatusFailed, sqlTime(d.now())
	last.version++
	if err := d.finish(ctx, stateFailed, contract.OrderFailed, last); err != nil {
		return err
	}
	return d.boundary(ctx, d.saga, After(StepFail))
}
