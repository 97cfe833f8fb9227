package audit

import (
	"fmt"

	"github.com/meridian-store/meridian/contract"
)

// orderRules judge orders against what was charged for them.
func orderRules() []rule {
	return []rule{
		{Check{"order_without_charge", "A sold order has a captured payment."}, orderWithoutCharge},
		{Check{"charge_without_order", "A captured payment has a sold order, or was given back."}, chargeWithoutOrder},
		{Check{"order_failed_charged", "A failed order is not charged, or all of it was given back."}, orderFailedCharged},
		{Check{"order_cancelled_charged", "A cancelled order's money was given back, or is on its way."}, orderCancelledCharged},
		{Check{"order_total_not_charged", "What was charged is what the order's quote says, in its currency."}, orderTotalNotCharged},
		{Check{"order_names_other_payment", "An order names the payment of its own saga."}, orderNamesOtherPayment},
		{Check{"quote_not_added_up", "An order's lines, discount, shipping and tax add up to its total, in one known currency."}, quoteNotAddedUp},
		{Check{"two_orders_of_saga", "A saga makes one order."}, twoOrdersOfSaga},
	}
}

func orderWithoutCharge(c *chain) []broken {
	order, found := c.order()
	free := order.Total.Amount == 0 && !order.Archived
	if !found || !order.sold() || free || len(c.captured()) > 0 {
		return nil
	}
	state := "there is none"
	if payment, found := one(c.Payments); found {
		state = "it is " + payment.State
	}
	return breach(fmt.Sprintf("Order %s is %s for %s, but its payment is not captured: %s.", order.ID, order.Status, order.Total, state), order.ID)
}

// left is what of a captured payment was not given back.
func left(c *chain, payment paymentRow) contract.Money {
	return contract.Money{Amount: payment.Amount.Amount - c.refunded(bookPayment), Currency: payment.Amount.Currency}
}

func chargeWithoutOrder(c *chain) []broken {
	order, found := c.order()
	if c.running() || found && order.Status != contract.OrderStatusPending {
		return nil
	}
	state := "there is no order"
	if found {
		state = "the order " + order.ID + " is still pending and nobody goes on with it"
	}
	var all []broken
	for _, payment := range c.captured() {
		if kept := left(c, payment); kept.Amount > 0 {
			all = append(all, broken{fmt.Sprintf("Payment %s holds %s, but %s.", payment.ID, kept, state), []string{payment.ID}})
		}
	}
	return all
}

func orderFailedCharged(c *chain) []broken {
	return chargedAlthough(c, contract.OrderStatusFailed)
}

func orderCancelledCharged(c *chain) []broken {
	return chargedAlthough(c, contract.OrderStatusCancelled)
}

func chargedAlthough(c *chain, status string) []broken {
	order, found := c.order()
	if !found || order.Status != status {
		return nil
	}
	var all []broken
	for _, payment := range c.captured() {
		if kept := left(c, payment); kept.Amount > 0 {
			all = append(all, broken{fmt.Sprintf("Order %s is %s, but %s of its payment is kept.", order.ID, status, kept), []string{order.ID, payment.ID}})
		}
	}
	return all
}

func orderTotalNotCharged(c *chain) []broken {
	order, found := c.order()
	if !found || order.Archived {
		return nil
	}
	var all []broken
	for _, payment := range c.captured() {
		if payment.Amount != order.Total {
			all = append(all, broken{fmt.Sprintf("Order %s is for %s, but %s was charged.", order.ID, order.Total, payment.Amount), []string{order.ID, payment.ID}})
		}
	}
	return all
}

func orderNamesOtherPayment(c *chain) []broken {
	order, found := c.order()
	if !found || !order.sold() || order.Archived {
		return nil
	}
	var all []broken
	for _, payment := range c.captured() {
		if payment.ID != order.PaymentID || payment.OrderID != order.ID {
			all = append(all, broken{
				fmt.Sprintf("Order %s names the payment %q, and payment %s the order %q.", order.ID, order.PaymentID, payment.ID, payment.OrderID),
				[]string{order.ID, payment.ID},
			})
		}
	}
	return all
}

func quoteNotAddedUp(c *chain) []broken {
	var all []broken
	for _, order := range c.Orders {
		if order.Sums != "" {
			all = append(all, broken{fmt.Sprintf("The quote of order %s does not add up: %s.", order.ID, order.Sums), []string{order.ID}})
		}
	}
	return all
}

func twoOrdersOfSaga(c *chain) []broken {
	if len(c.Orders) < 2 || c.saga == "" {
		return nil
	}
	var ids []string
	for _, order := range c.Orders {
		ids = append(ids, order.ID)
	}
	return breach(fmt.Sprintf("One saga has made %d orders.", len(ids)), ids...)
}
