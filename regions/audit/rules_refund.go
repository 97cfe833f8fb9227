package audit

import (
	"fmt"

	"github.com/meridian-store/meridian/contract"
)

// refundRules lay the three books of refunds side by side: the order's, which decides, the payment's and the provider's.
func refundRules() []rule {
	return []rule{
		{Check{"refund_not_at_provider", "What payment holds for given back was given back by the provider."}, refundNotAtProvider},
		{Check{"refund_at_provider_only", "What the provider gave back is a refund, or a void, of ours."}, refundAtProviderOnly},
		{Check{"refund_not_given", "What an order holds for given back was given back by payment."}, refundNotGiven},
		{Check{"refund_without_order", "What payment gives back is a refund of its order."}, refundWithoutOrder},
		{Check{"refund_differs", "A refund is of the same amount in every book."}, refundDiffers},
		{Check{"refunds_miscounted", "A payment's sum of what was given back is that of its refunds."}, refundsMiscounted},
		{Check{"refunded_too_much", "No more is given back than was charged."}, refundedTooMuch},
	}
}

// refund finds a refund in a book.
func (c *chain) refund(book, id string) (refundRow, bool) {
	for _, r := range c.Refunds {
		if r.Book == book && r.ID == id {
			return r, true
		}
	}
	return refundRow{}, false
}

// eachRefund judges the refunds of a book; verdict "" means sound.
func eachRefund(c *chain, book string, judge func(refundRow) (verdict string)) []broken {
	var all []broken
	for _, r := range c.Refunds {
		if r.Book != book {
			continue
		}
		if what := judge(r); what != "" {
			id := r.ID
			if id == "" {
				id = r.IntentID
			}
			all = append(all, broken{what, []string{id}})
		}
	}
	return all
}

func refundNotAtProvider(c *chain) []broken {
	return eachRefund(c, bookPayment, func(r refundRow) string {
		there, found := c.refund(bookProvider, r.ID)
		if r.State != contract.RefundStateSucceeded || found && there.State != contract.RefundStateFailed {
			return ""
		}
		return fmt.Sprintf("Refund %s of %s succeeded in our books, but the provider has not given it back.", r.ID, r.Amount)
	})
}

func refundAtProviderOnly(c *chain) []broken {
	if c.voided() {
		return nil
	}
	return eachRefund(c, bookProvider, func(r refundRow) string {
		ours, found := c.refund(bookPayment, r.ID)
		if r.State == contract.RefundStateFailed || found && ours.State != contract.RefundStateFailed {
			return ""
		}
		return fmt.Sprintf("The provider gives back %s of charge %s by a refund %q that our books do not have, or hold for failed.", r.Amount, r.IntentID, r.ID)
	})
}

// voided says whether all of a capture was given back because its saga failed: that is no order's refund.
func (c *chain) voided() bool {
	for _, p := range c.Payments {
		if p.State == contract.PaymentStateVoided {
			return true
		}
	}
	return false
}

func refundNotGiven(c *chain) []broken {
	return eachRefund(c, bookOrder, func(r refundRow) string {
		given, found := c.refund(bookPayment, r.ID)
		if r.State != contract.RefundStateSucceeded || found && given.State == contract.RefundStateSucceeded {
			return ""
		}
		return fmt.Sprintf("Refund %s of %s succeeded for its order, but payment has not given it back.", r.ID, r.Amount)
	})
}

func refundWithoutOrder(c *chain) []broken {
	if order, found := c.order(); found && order.Archived {
		return nil // its refunds are in the file
	}
	return eachRefund(c, bookPayment, func(r refundRow) string {
		if _, found := c.refund(bookOrder, r.ID); found || r.State == contract.RefundStateFailed {
			return ""
		}
		return fmt.Sprintf("Refund %s of %s is no refund of an order's.", r.ID, r.Amount)
	})
}

func refundDiffers(c *chain) []broken {
	return eachRefund(c, bookPayment, func(r refundRow) string {
		for _, book := range []string{bookOrder, bookProvider} {
			if other, found := c.refund(book, r.ID); found && other.Amount != r.Amount {
				return fmt.Sprintf("Refund %s is of %s in payment's books and of %s in the %s's.", r.ID, r.Amount, other.Amount, book)
			}
		}
		return ""
	})
}

func refundsMiscounted(c *chain) []broken {
	payment, found := one(c.Payments)
	// What is voided was given back without a refund of its own.
	if sum := c.refunded(bookPayment); found && payment.State == contract.PaymentStateCaptured && payment.Refunded != sum {
		return breach(fmt.Sprintf("Payment %s holds %d for given back, but its refunds are of %d.", payment.ID, payment.Refunded, sum), payment.ID)
	}
	return nil
}

// refundedTooMuch looks at the provider's charges one by one, and at our books by saga.
func refundedTooMuch(c *chain) []broken {
	for _, intent := range c.taken() {
		if kept := c.kept(intent); kept < 0 {
			return breach(fmt.Sprintf("The provider gives back %d more of charge %s than it has captured.", -kept, intent.ID), intent.ID)
		}
	}
	for _, payment := range c.captured() {
		if back := max(c.refunded(bookPayment), c.refunded(bookOrder)); back > payment.Amount.Amount {
			return breach(fmt.Sprintf("%d is given back of payment %s, which is over %s.", back, payment.ID, payment.Amount), payment.ID)
		}
	}
	return nil
}
