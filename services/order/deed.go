package order

import (
	"fmt"
	"slices"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
)

// deed is one thing done to a sold order: the rows that it adds or changes, what others have to do about it, and the event that
// tells of it ("" for none). It is decided on the order as it stands and written with it, or not at all.
type deed struct {
	event        string
	part         []contract.SKUCount
	cancellation *contract.OrderCancellation
	fulfilment   *contract.OrderFulfilment
	// returned is a new return or an old one's new state; refund likewise.
	returned *contract.OrderReturn
	refund   *contract.OrderRefund
	restock  *contract.StockReturn
	// result is what whoever asked is answered with.
	result any
}

// applied is the order after the deed.
func (d deed) applied(order placed, at time.Time) placed {
	if d.cancellation != nil {
		order.Cancellations = append(slices.Clip(order.Cancellations), *d.cancellation)
	}
	if d.fulfilment != nil {
		order.Fulfilments = append(slices.Clip(order.Fulfilments), *d.fulfilment)
	}
	if d.returned != nil {
		order.Returns = put(order.Returns, *d.returned, func(r contract.OrderReturn) string { return r.ID })
	}
	if d.refund != nil {
		order.Refunds = put(order.Refunds, *d.refund, func(r contract.OrderRefund) string { return r.ID })
	}
	order.Status, order.UpdatedAt = statusOf(order.Order), at
	order.version++
	return order
}

// put replaces the item of the same id, or adds it, in a copy.
func put[T any](items []T, item T, id func(T) string) []T {
	items = slices.Clone(items)
	if i := slices.IndexFunc(items, func(other T) bool { return id(other) == id(item) }); i >= 0 {
		items[i] = item
		return items
	}
	return append(items, item)
}

// author makes the deeds of one moment on an order.
type author struct {
	order contract.Order
	// code is the order's region, for the ids of what is made.
	code string
	now  time.Time
}

func authorOf(order contract.Order, now time.Time) (author, error) {
	id, err := geo.ParseID(order.ID)
	if err != nil {
		return author{}, fmt.Errorf("read an order's id: %w", err)
	}
	if order.Status == contract.OrderStatusPending || order.Status == contract.OrderStatusFailed {
		return author{}, contract.Errorf(contract.CodeConflict, "the order is %s: there is nothing to change", order.Status)
	}
	return author{order: order, code: id.Region, now: sqlTime(now)}, nil
}
