package audit

import (
	"fmt"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/services/payment/provider"
)

// paymentRules judge the payment service's own books.
func paymentRules() []rule {
	return []rule{
		{Check{"two_payments_of_saga", "A saga has one payment."}, twoPaymentsOfSaga},
		{Check{"payment_left_open", "A payment is open only while its saga runs."}, paymentLeftOpen},
		{Check{"payment_amount_unsound", "A payment's amount is positive and in a known currency."}, paymentAmountUnsound},
	}
}

func twoPaymentsOfSaga(c *chain) []broken {
	if len(c.Payments) < 2 || c.saga == "" {
		return nil
	}
	var ids []string
	for _, payment := range c.Payments {
		ids = append(ids, payment.ID)
	}
	return breach(fmt.Sprintf("One saga has %d payments.", len(ids)), ids...)
}

func paymentLeftOpen(c *chain) []broken {
	saga, known := one(c.Sagas)
	if known && saga.State == sagaRunning {
		return nil
	}
	for _, payment := range c.Payments {
		if payment.State == contract.PaymentStatePending {
			return breach(fmt.Sprintf("Payment %s over %s is still open, but its saga has ended.", payment.ID, payment.Amount), payment.ID)
		}
	}
	return nil
}

// paymentAmountUnsound passes over tombstones: they are of no amount.
func paymentAmountUnsound(c *chain) []broken {
	var all []broken
	for _, payment := range c.Payments {
		if payment.State == contract.PaymentStateVoided && payment.OrderID == "" {
			continue
		}
		if payment.Amount.Amount < 1 || contract.ValidateCurrency("currency", payment.Amount.Currency) != nil {
			all = append(all, broken{fmt.Sprintf("Payment %s is over %d %q.", payment.ID, payment.Amount.Amount, payment.Amount.Currency), []string{payment.ID}})
		}
	}
	return all
}

// ledgerRules lay our payments beside the provider's charges.
func ledgerRules() []rule {
	return []rule{
		{Check{"capture_not_at_provider", "What we hold for captured is captured in the provider's books."}, captureNotAtProvider},
		{Check{"capture_at_provider_only", "What the provider has captured and not given back is captured in our books."}, captureAtProviderOnly},
		{Check{"charge_unknown", "Every charge of the provider's belongs to a payment of ours."}, chargeUnknown},
		{Check{"provider_amount_differs", "A captured charge is over the same amount, in the same currency, in both books."}, providerAmountDiffers},
		{Check{"charged_twice", "A saga is charged once at the provider."}, chargedTwice},
	}
}

// taken gives the provider's charges that took money.
func (c *chain) taken() []intentRow {
	var all []intentRow
	for _, intent := range c.Intents {
		if intent.State == provider.Captured {
			all = append(all, intent)
		}
	}
	return all
}

func captureNotAtProvider(c *chain) []broken {
	var all []broken
	for _, payment := range c.captured() {
		if len(c.taken()) == 0 {
			all = append(all, broken{fmt.Sprintf("Payment %s is captured in our books, but the provider has captured nothing.", payment.ID), []string{payment.ID}})
		}
	}
	return all
}

// kept is what the provider has taken by an intent and not given back.
func (c *chain) kept(intent intentRow) int64 {
	kept := intent.Captured
	for _, r := range c.Refunds {
		if r.Book == bookProvider && r.IntentID == intent.ID && r.State != contract.RefundStateFailed {
			kept -= r.Amount.Amount
		}
	}
	return kept
}

func captureAtProviderOnly(c *chain) []broken {
	if c.running() || len(c.Payments) == 0 || len(c.captured()) > 0 {
		return nil
	}
	var all []broken
	for _, intent := range c.taken() {
		if kept := c.kept(intent); kept > 0 {
			all = append(all, broken{
				fmt.Sprintf("The provider holds %s of charge %s, but our payment %s is %s.", contract.Money{Amount: kept, Currency: intent.Amount.Currency}, intent.ID, c.Payments[0].ID, c.Payments[0].State),
				[]string{intent.ID, c.Payments[0].ID},
			})
		}
	}
	return all
}

func chargeUnknown(c *chain) []broken {
	if len(c.Payments) > 0 {
		return nil
	}
	var all []broken
	for _, intent := range c.Intents {
		all = append(all, broken{fmt.Sprintf("The provider has a charge %s over %s, %s, that no payment of ours knows.", intent.ID, intent.Amount, intent.State), []string{intent.ID}})
	}
	return all
}

func providerAmountDiffers(c *chain) []broken {
	var all []broken
	for _, payment := range c.captured() {
		for _, intent := range c.taken() {
			taken := contract.Money{Amount: intent.Captured, Currency: intent.Amount.Currency}
			if taken != payment.Amount {
				all = append(all, broken{fmt.Sprintf("Payment %s is over %s, but the provider has captured %s.", payment.ID, payment.Amount, taken), []string{payment.ID, intent.ID}})
			}
		}
	}
	return all
}

// chargedTwice counts what was taken, also what was given back since: a shopper sees both on a statement.
func chargedTwice(c *chain) []broken {
	taken := c.taken()
	if len(taken) < 2 || c.saga == "" {
		return nil
	}
	var ids []string
	for _, intent := range taken {
		ids = append(ids, intent.ID)
	}
	return breach(fmt.Sprintf("The provider has captured %d charges for one saga.", len(ids)), ids...)
}
