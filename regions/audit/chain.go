package audit

import (
	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/services/payment/provider"
)

// chain is all that the databases and the payment provider hold of one saga. In a sound shop each part occurs once at most.
type chain struct {
	saga string

	Orders       []orderRow       `json:",omitempty"`
	Sagas        []sagaRow        `json:",omitempty"`
	Payments     []paymentRow     `json:",omitempty"`
	Intents      []intentRow      `json:",omitempty"`
	Refunds      []refundRow      `json:",omitempty"`
	Reservations []reservationRow `json:",omitempty"`
	// Lines are the rows that stock.reserved counts, Sold and Returned what left the shelves and came back.
	Lines    []contract.Allocation `json:",omitempty"`
	Sold     []contract.Allocation `json:",omitempty"`
	Returned []contract.Allocation `json:",omitempty"`
}

// add joins what was read elsewhere of the same saga.
func (c *chain) add(other chain) {
	c.Orders = append(c.Orders, other.Orders...)
	c.Sagas = append(c.Sagas, other.Sagas...)
	c.Payments = append(c.Payments, other.Payments...)
	c.Intents = append(c.Intents, other.Intents...)
	c.Refunds = append(c.Refunds, other.Refunds...)
	c.Reservations = append(c.Reservations, other.Reservations...)
	c.Lines = append(c.Lines, other.Lines...)
	c.Sold = append(c.Sold, other.Sold...)
	c.Returned = append(c.Returned, other.Returned...)
}

// orderRow is an order without anything personal.
type orderRow struct {
	ID, Status   string
	AnswerStatus int64
	PaymentID    string
	Total        contract.Money
	// SKUs are the units ordered.
	SKUs map[string]int64
	// Sums says why the quote does not add up; empty when it does.
	Sums string
	// Archived says that the rest of the order is in a file: only its ID and Status are known.
	Archived bool `json:",omitempty"`
}

// sold says whether the checkout was acknowledged, whatever has become of the order since.
func (o orderRow) sold() bool {
	return o.Status != contract.OrderStatusPending && o.Status != contract.OrderStatusFailed
}

type sagaRow struct {
	State, OrderID string
	HasToken       bool
	// OverdueSeconds is how far it is past the time in which it may sell; negative while it is not.
	OverdueSeconds float64
}

type paymentRow struct {
	ID, OrderID, State string
	Amount             contract.Money
	// Refunded is the payment's own sum of what was given back or is under way.
	Refunded int64
}

// intentRow is a charge in the provider's books.
type intentRow struct {
	ID, OrderID string
	State       provider.State
	Amount      contract.Money
	Captured    int64
}

// The books that know refunds.
const (
	bookOrder    = "order"
	bookPayment  = "payment"
	bookProvider = "provider"
)

// refundRow is a refund in one of three books.
type refundRow struct {
	Book, ID, IntentID, State string
	Amount                    contract.Money
}

type reservationRow struct {
	State       string
	Allocations []contract.Allocation
}

// shelf is a SKU in a warehouse.
type shelf struct{ Region, Warehouse, SKU string }

// one gives the only element, or the first; a zero one when there is none.
func one[T any](rows []T) (row T, found bool) {
	if len(rows) > 0 {
		return rows[0], true
	}
	return row, false
}

// order gives the chain's order.
func (c *chain) order() (orderRow, bool) { return one(c.Orders) }

// running says whether the saga is under way and within its limits, so that what is missing may be about to come.
func (c *chain) running() bool {
	saga, found := one(c.Sagas)
	return found && saga.State == sagaRunning && !saga.stuck()
}

// captured gives the payments that stand.
func (c *chain) captured() []paymentRow {
	var all []paymentRow
	for _, p := range c.Payments {
		if p.State == contract.PaymentStateCaptured {
			all = append(all, p)
		}
	}
	return all
}

// refunded adds up what a book gave back, refunds under way among it.
func (c *chain) refunded(book string) (amount int64) {
	for _, r := range c.Refunds {
		if r.Book == book && r.State != contract.RefundStateFailed {
			amount += r.Amount.Amount
		}
	}
	return amount
}

// byShelf adds up units.
func byShelf(units []contract.Allocation) map[shelf]int64 {
	sums := map[shelf]int64{}
	for _, a := range units {
		where := shelf{a.Region, a.Warehouse, a.SKU}
		if sums[where] += a.Quantity; sums[where] == 0 {
			delete(sums, where)
		}
	}
	return sums
}
