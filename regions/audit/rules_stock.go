package audit

import (
	"fmt"
	"maps"

	"github.com/meridian-store/meridian/contract"
)

// reservationRules judge holds against the sagas that they are for.
func reservationRules() []rule {
	return []rule{
		{Check{"hold_left_over", "A hold ends with its saga: it is sold with the order, or released."}, holdLeftOver},
		{Check{"order_without_stock", "A sold order's stock was held for it, and is sold."}, orderWithoutStock},
		{Check{"sale_without_order", "Stock is sold to sold orders only."}, saleWithoutOrder},
		{Check{"hold_not_order", "A hold is for the units of its order."}, holdNotOrder},
		{Check{"hold_lines_differ", "A hold's lines are what it took; a reservation that was sold or released has none."}, holdLinesDiffer},
		{Check{"lines_without_reservation", "Reservation lines belong to a reservation."}, linesWithoutReservation},
	}
}

func (c *chain) reservation() (reservationRow, bool) { return one(c.Reservations) }

func holdLeftOver(c *chain) []broken {
	reservation, found := c.reservation()
	saga, known := one(c.Sagas)
	order, has := c.order()
	if !found || reservation.State != contract.ReservationHeld || known && saga.State == sagaRunning {
		return nil
	}
	if has && order.sold() {
		return breach(fmt.Sprintf("Order %s is %s, but its stock is held and not sold.", order.ID, order.Status), order.ID)
	}
	if has && order.Status == contract.OrderStatusPending {
		return nil // order_left_pending says it
	}
	return breach("Stock is held for a saga that has ended.")
}

func orderWithoutStock(c *chain) []broken {
	reservation, found := c.reservation()
	order, has := c.order()
	if !has || !order.sold() || found && reservation.State != contract.ReservationReleased {
		return nil
	}
	state := "there is no reservation"
	if found {
		state = "its reservation was released"
	}
	return breach(fmt.Sprintf("Order %s is %s, but no stock was kept for it: %s.", order.ID, order.Status, state), order.ID)
}

func saleWithoutOrder(c *chain) []broken {
	reservation, found := c.reservation()
	order, has := c.order()
	if !found || reservation.State != contract.ReservationSold || has && order.sold() || c.running() {
		return nil
	}
	if has {
		return breach(fmt.Sprintf("Stock was sold to order %s, which is %s.", order.ID, order.Status), order.ID)
	}
	return breach("Stock was sold to a saga that has no order.")
}

func holdNotOrder(c *chain) []broken {
	reservation, found := c.reservation()
	order, has := c.order()
	if !found || !has || order.Archived || reservation.State == contract.ReservationReleased {
		return nil
	}
	units := map[string]int64{}
	for _, a := range reservation.Allocations {
		units[a.SKU] += a.Quantity
	}
	if maps.Equal(units, order.SKUs) {
		return nil
	}
	return breach(fmt.Sprintf("The units taken from the shelves for order %s are not those that it is for.", order.ID), order.ID)
}

func holdLinesDiffer(c *chain) []broken {
	reservation, found := c.reservation()
	if !found {
		return nil
	}
	var bound []contract.Allocation
	if reservation.State == contract.ReservationHeld {
		bound = reservation.Allocations
	}
	if maps.Equal(byShelf(bound), byShelf(c.Lines)) {
		return nil
	}
	return breach(fmt.Sprintf("A reservation is %s, but its lines bind other units than it took.", reservation.State))
}

func linesWithoutReservation(c *chain) []broken {
	if len(c.Lines) == 0 || len(c.Reservations) > 0 {
		return nil
	}
	return breach(fmt.Sprintf("%d lines bind stock for a saga that has no reservation.", len(c.Lines)))
}

// saleRules judge what has left the shelves, and what came back.
func saleRules() []rule {
	return []rule{
		{Check{"sale_not_allocated", "What left the shelves for an order is what was held for it."}, saleNotAllocated},
		{Check{"returned_too_much", "No more comes back of a sale than was sold."}, returnedTooMuch},
	}
}

func saleNotAllocated(c *chain) []broken {
	var sold []contract.Allocation
	if reservation, found := c.reservation(); found && reservation.State == contract.ReservationSold {
		sold = reservation.Allocations
	}
	if maps.Equal(byShelf(sold), byShelf(c.Sold)) {
		return nil
	}
	return breach("The units that left the shelves for a saga are not those that were sold to it.")
}

func returnedTooMuch(c *chain) []broken {
	sold := byShelf(c.Sold)
	for where, units := range byShelf(c.Returned) {
		if units > sold[where] {
			return breach("More units came back of a sale than were sold.")
		}
	}
	return nil
}
