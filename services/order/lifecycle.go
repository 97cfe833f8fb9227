package order

import (
	"slices"

	"github.com/meridian-store/meridian/contract"
)

// A sold order's status is never set: it follows from what was cancelled, fulfilled, returned and refunded, each of which is kept
// as a row of its own. What is still to be sent comes first, so that a list by status is the warehouse's list of work.
//
//	pending ─► failed
//	   │
//	   ▼
//	confirmed ─► partially_fulfilled ─► fulfilled ─► partially_returned ─► returned ─► refunded
//	   │                 │                  │                │                            ▲
//	   │                 │                  └─► partially_refunded ──────────────────────►┤
//	   └─────────────────┴───────── (everything is given back) ──────────────────────────►┘
//	   └─► cancelled, when every unit is
//
// Cancelling the rest of an order that was fulfilled in part leaves what was sent: it goes on as fulfilled.

// transitions is the drawing as a table: where an order may be after one deed.
var transitions = map[string][]string{
	contract.OrderStatusConfirmed: {
		contract.OrderStatusPartiallyFulfilled, contract.OrderStatusFulfilled, contract.OrderStatusRefunded, contract.OrderStatusCancelled,
		// Everything is sent at once, of an order whose money had been given back in part.
		contract.OrderStatusPartiallyRefunded,
	},
	// Cancelling the rest may leave an order whose sent units have come back, or whose money has in part.
	contract.OrderStatusPartiallyFulfilled: {
		contract.OrderStatusFulfilled, contract.OrderStatusPartiallyReturned, contract.OrderStatusReturned, contract.OrderStatusPartiallyRefunded,
		contract.OrderStatusRefunded,
	},
	contract.OrderStatusFulfilled: {
		contract.OrderStatusPartiallyReturned, contract.OrderStatusReturned, contract.OrderStatusPartiallyRefunded, contract.OrderStatusRefunded,
	},
	contract.OrderStatusPartiallyReturned: {contract.OrderStatusReturned, contract.OrderStatusRefunded},
	contract.OrderStatusPartiallyRefunded: {
		contract.OrderStatusPartiallyReturned, contract.OrderStatusReturned, contract.OrderStatusRefunded,
	},
	contract.OrderStatusReturned: {contract.OrderStatusRefunded},
	// Units that were neither sent nor cancelled when all was given back.
	contract.OrderStatusRefunded: {contract.OrderStatusCancelled},
}

// mayBecome says whether one deed may take an order from a status to another; staying is always allowed.
func mayBecome(from, to string) bool { return from == to || slices.Contains(transitions[from], to) }

// statusOf derives a sold order's status.
func statusOf(order contract.Order) string {
	units := unitsOf(order)
	kept := units.ordered - units.cancelled
	switch {
	case order.Status == contract.OrderStatusPending || order.Status == contract.OrderStatusFailed:
		return order.Status
	case kept == 0:
		return contract.OrderStatusCancelled
	case refunded(order) > 0 && refunded(order) >= order.Total.Amount:
		return contract.OrderStatusRefunded
	case units.fulfilled == 0:
		return contract.OrderStatusConfirmed
	case units.fulfilled < kept:
		return contract.OrderStatusPartiallyFulfilled
	case units.received == kept:
		return contract.OrderStatusReturned
	case units.received > 0:
		return contract.OrderStatusPartiallyReturned
	case refunded(order) > refundedFor(order, order.Cancellations):
		return contract.OrderStatusPartiallyRefunded
	default:
		return contract.OrderStatusFulfilled
	}
}

// units counts an order's units over all SKUs.
type units struct{ ordered, cancelled, fulfilled, received int64 }

func unitsOf(order contract.Order) units {
	var sum units
	for _, t := range tallyOf(order) {
		sum.ordered += t.ordered
		sum.cancelled += t.cancelled
		sum.fulfilled += t.fulfilled
		sum.received += t.received
	}
	return sum
}

// tally counts the units of one SKU. asked are those of returns that were not refused, received among them.
type tally struct {
	sku                                            string
	ordered, cancelled, fulfilled, asked, received int64
}

// open is what may still be fulfilled or cancelled.
func (t tally) open() int64 { return t.ordered - t.cancelled - t.fulfilled }

// returnable is what may still be sent back.
func (t tally) returnable() int64 { return t.fulfilled - t.asked }

// tallyOf counts an order's units, in the order of its lines.
func tallyOf(order contract.Order) []tally {
	tallies := make([]tally, 0, len(order.Quote.Lines))
	at := make(map[string]int, len(order.Quote.Lines))
	for _, line := range order.Quote.Lines {
		at[line.SKU] = len(tallies)
		tallies = append(tallies, tally{sku: line.SKU, ordered: line.Quantity})
	}
	each := func(lines []contract.SKUCount, add func(*tally, int64)) {
		for _, line := range lines {
			if i, known := at[line.SKU]; known {
				add(&tallies[i], line.Quantity)
			}
		}
	}
	for _, c := range order.Cancellations {
		each(c.Lines, func(t *tally, n int64) { t.cancelled += n })
	}
	for _, f := range order.Fulfilments {
		each(f.Lines, func(t *tally, n int64) { t.fulfilled += n })
	}
	for _, r := range order.Returns {
		if r.State != contract.ReturnStateRefused {
			each(r.Lines, func(t *tally, n int64) { t.asked += n })
		}
		if r.State == contract.ReturnStateReceived {
			each(r.Lines, func(t *tally, n int64) { t.received += n })
		}
	}
	return tallies
}

// refunded is what the provider has given back.
func refunded(order contract.Order) (amount int64) {
	for _, r := range order.Refunds {
		if r.State == contract.RefundStateSucceeded {
			amount += r.Amount.Amount
		}
	}
	return amount
}

// refundedFor is what the provider has given back for cancellations.
func refundedFor(order contract.Order, cancellations []contract.OrderCancellation) (amount int64) {
	for _, r := range order.Refunds {
		if r.State == contract.RefundStateSucceeded && slices.ContainsFunc(cancellations, func(c contract.OrderCancellation) bool { return c.RefundID == r.ID }) {
			amount += r.Amount.Amount
		}
	}
	return amount
}

// refundLeft is what may still be promised back: refunds under way count as given, those that failed do not.
func refundLeft(order contract.Order) int64 {
	left := order.Total.Amount
	for _, r := range order.Refunds {
		if r.State != contract.RefundStateFailed {
			left -= r.Amount.Amount
		}
	}
	return left
}
