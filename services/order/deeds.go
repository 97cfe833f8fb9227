package order

import (
	"slices"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
)

// cancelAll takes the whole order back, as its shopper may while nothing of it has been sent.
func (a author) cancelAll(reason string) (deed, error) {
	if len(a.order.Fulfilments) > 0 {
		return deed{}, contract.Errorf(contract.CodeConflict, "part of the order has been sent; ask for a return of what has arrived")
	}
	return a.cancelOpen(reason)
}

// cancelOpen cancels whatever has not been sent. When nothing has, everything that was charged goes back, shipping among it;
// otherwise what the units cost.
func (a author) cancelOpen(reason string) (deed, error) {
	var open []contract.SKUCount
	for _, t := range tallyOf(a.order) {
		if t.open() > 0 {
			open = append(open, contract.SKUCount{SKU: t.sku, Quantity: t.open()})
		}
	}
	if len(open) == 0 {
		return deed{}, contract.Errorf(contract.CodeConflict, "there is nothing left to cancel: every unit has been sent or cancelled")
	}
	amount := refundLeft(a.order)
	if len(a.order.Fulfilments) > 0 {
		amount = a.worthOf(open)
	}
	cancelled := &contract.OrderCancellation{ID: geo.NewID("can", a.code), Lines: open, Reason: reason, CreatedAt: a.now}
	d := deed{event: contract.OrderCancelled, part: open, cancellation: cancelled, restock: a.restock(open), result: cancelled}
	if d.refund = a.giveBack(amount, reason); d.refund != nil {
		cancelled.RefundID = d.refund.ID
	}
	return d, nil
}

// fulfil sends units: those of lines, or everything open when lines is empty.
func (a author) fulfil(lines []contract.SKUCount, tracking *contract.Tracking) (deed, error) {
	if refundLeft(a.order) == 0 && a.order.Total.Amount > 0 {
		return deed{}, contract.Errorf(contract.CodeConflict, "everything that was paid has been given back: cancel what has not been sent")
	}
	sent, err := a.choose(lines, tally.open, "can still be sent")
	if err != nil {
		return deed{}, err
	}
	fulfilment := &contract.OrderFulfilment{ID: geo.NewID("ful", a.code), Lines: sent, Tracking: tracking, CreatedAt: a.now}
	return deed{event: contract.OrderFulfilled, part: sent, fulfilment: fulfilment, result: fulfilment}, nil
}

// askReturn announces that units come back. Nothing moves before they are received.
func (a author) askReturn(lines []contract.SKUCount, reason string) (deed, error) {
	back, err := a.choose(lines, tally.returnable, "can be returned")
	if err != nil {
		return deed{}, err
	}
	asked := &contract.OrderReturn{
		ID: geo.NewID("ret", a.code), Lines: back, State: contract.ReturnStateRequested, Reason: reason, CreatedAt: a.now, UpdatedAt: a.now,
	}
	return deed{returned: asked, result: asked}, nil
}

// receive ends a return with the goods in the warehouse. A nil amount gives back what the units cost, as far as it has not been given
// back already; restock puts them on sale again.
func (a author) receive(returnID string, restock bool, amount *contract.Money, note string) (deed, error) {
	received, err := a.openReturn(returnID)
	if err != nil {
		return deed{}, err
	}
	back := a.worthOf(received.Lines)
	if amount != nil {
		if err := a.validateAmount(*amount); err != nil {
			return deed{}, err
		}
		back = amount.Amount
	}
	received.State, received.Note, received.Restocked, received.UpdatedAt = contract.ReturnStateReceived, note, restock, a.now
	d := deed{event: contract.OrderReturned, part: received.Lines, returned: &received, result: &received}
	if d.refund = a.giveBack(back, received.Reason); d.refund != nil {
		received.RefundID = d.refund.ID
	}
	if restock {
		d.restock = a.restock(received.Lines)
	}
	return d, nil
}

// refuseReturn ends a return without the goods: its units may be asked back again.
func (a author) refuseReturn(returnID, note string) (deed, error) {
	refused, err := a.openReturn(returnID)
	if err != nil {
		return deed{}, err
	}
	refused.State, refused.Note, refused.UpdatedAt = contract.ReturnStateRefused, note, a.now
	return deed{returned: &refused, result: &refused}, nil
}

// refundMoney gives money back without goods: an amount, what some units cost, or everything that is left.
func (a author) refundMoney(amount *contract.Money, lines []contract.SKUCount, reason string) (deed, error) {
	back := refundLeft(a.order)
	switch {
	case amount != nil:
		if err := a.validateAmount(*amount); err != nil {
			return deed{}, err
		}
		back = amount.Amount
	case len(lines) > 0:
		chosen, err := a.choose(lines, func(t tally) int64 { return t.ordered }, "were bought")
		if err != nil {
			return deed{}, err
		}
		back = min(refundable(a.order.Quote, chosen).Amount, back)
	}
	d := deed{refund: a.giveBack(back, reason)}
	if d.refund == nil {
		return deed{}, contract.Errorf(contract.CodeConflict, "there is nothing left to give back")
	}
	d.result = d.refund
	return d, nil
}

// settleRefund takes payment's word on a refund. It is no deed when the word is known already.
func (a author) settleRefund(refundID, state, why string) (settled deed, changed bool) {
	i := slices.IndexFunc(a.order.Refunds, func(r contract.OrderRefund) bool { return r.ID == refundID })
	if i < 0 || a.order.Refunds[i].State != contract.RefundStatePending || state == contract.RefundStatePending {
		return deed{}, false
	}
	refund := a.order.Refunds[i]
	refund.State, refund.UpdatedAt = state, a.now
	if why != "" {
		refund.Reason = why
	}
	settled = deed{refund: &refund}
	if state == contract.RefundStateSucceeded {
		settled.event = contract.OrderRefunded
	}
	return settled, true
}
