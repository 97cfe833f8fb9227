package audit_test

import (
	"slices"
	"testing"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/regions/audit"
	"github.com/meridian-store/meridian/services/payment/provider"
)

// seeded is one violation of a promise, made by hand in a shop that is sound otherwise.
type seeded struct {
	code string
	seed func(s *shop) (id string)
}

const (
	order     = contract.ServiceOrder
	payment   = contract.ServicePayment
	inventory = contract.ServiceInventory
)

// seededViolations has at least one for every check.
func seededViolations() []seeded {
	return slices.Concat(seededOrders(), seededSagas(), seededPayments(), seededLedger(), seededRefunds(), seededHolds(), seededStock(), seededElsewhere())
}

func seededOrders() []seeded {
	return []seeded{
		{"order_without_charge", func(s *shop) string {
			one := s.sell(confirmed)
			s.exec(payment, `DELETE FROM payments WHERE saga_id = $1`, one.saga)
			s.ledger.intents = nil
			return one.order
		}},
		{"order_without_charge", func(s *shop) string {
			one := s.sell(confirmed)
			s.exec(payment, `UPDATE payments SET state = 'declined' WHERE saga_id = $1`, one.saga)
			s.ledger.intents[0].State, s.ledger.intents[0].Captured = provider.Declined, 0
			return one.order
		}},
		{"charge_without_order", func(s *shop) string {
			one := newSale()
			s.writePayment(one, confirmed)
			return one.payment
		}},
		{"order_failed_charged", func(s *shop) string {
			how := failed
			how.payment = "captured"
			return s.sell(how).order
		}},
		{"order_cancelled_charged", func(s *shop) string {
			one := s.sell(confirmed)
			s.exec(order, `UPDATE orders SET status = 'cancelled' WHERE id = $1`, one.order)
			return one.order
		}},
		{"order_total_not_charged", func(s *shop) string {
			one := s.sell(confirmed)
			s.exec(payment, `UPDATE payments SET amount = amount + 1 WHERE saga_id = $1`, one.saga)
			s.ledger.intents[0].Amount.Amount++
			s.ledger.intents[0].Captured++
			return one.order
		}},
		{"order_total_not_charged", func(s *shop) string {
			one := s.sell(confirmed)
			s.exec(payment, `UPDATE payments SET currency = 'EUR' WHERE saga_id = $1`, one.saga)
			s.ledger.intents[0].Amount.Currency = "EUR"
			return one.order
		}},
		{"order_names_other_payment", func(s *shop) string {
			one := s.sell(confirmed)
			s.exec(order, `UPDATE orders SET payment_id = 'pay_use_other' WHERE id = $1`, one.order)
			return one.order
		}},
		{"quote_not_added_up", func(s *shop) string {
			one := s.sell(confirmed)
			s.exec(order, `UPDATE orders SET quote = jsonb_set(quote, '{lines,0,unit_price,amount}', '999') WHERE id = $1`, one.order)
			return one.order
		}},
		{"two_orders_of_saga", func(s *shop) string {
			one := s.sell(confirmed)
			twin := one
			twin.order = newSale().order
			twin.cart = newSale().cart
			s.writeOrder(twin, confirmed)
			return one.order
		}},
		{"cart_bought_twice", func(s *shop) string {
			first, second := s.sell(confirmed), s.sell(confirmed)
			s.exec(order, `UPDATE orders SET cart_id = $1, follows = ''`, first.cart)
			return min(first.order, second.order)
		}},
	}
}

func seededSagas() []seeded {
	return []seeded{
		{"saga_stuck", func(s *shop) string {
			one := s.sell(running)
			s.exec(order, `UPDATE sagas SET deadline = now() - INTERVAL '2 minutes' WHERE id = $1`, one.saga)
			s.exec(payment, `UPDATE payments SET state = 'declined' WHERE saga_id = $1`, one.saga)
			s.ledger.intents[0].State, s.ledger.intents[0].Captured = provider.Declined, 0
			return one.order
		}},
		{"saga_without_order", func(s *shop) string {
			one := s.sell(failed)
			s.exec(order, `DELETE FROM orders WHERE id = $1`, one.order)
			return one.order
		}},
		{"saga_not_its_order", func(s *shop) string {
			one := s.sell(confirmed)
			s.exec(order, `UPDATE sagas SET state = 'failed' WHERE id = $1`, one.saga)
			return one.order
		}},
		{"order_left_pending", func(s *shop) string {
			one := s.sell(failed)
			s.exec(order, `UPDATE orders SET status = 'pending', answer_status = 0 WHERE id = $1`, one.order)
			return one.order
		}},
		{"token_kept", func(s *shop) string {
			one := s.sell(confirmed)
			s.exec(order, `UPDATE sagas SET payment_token = 'tok_visa' WHERE id = $1`, one.saga)
			return one.order
		}},
		{"answer_not_order", func(s *shop) string {
			one := s.sell(failed)
			s.exec(order, `UPDATE orders SET answer_status = 201 WHERE id = $1`, one.order)
			return one.order
		}},
		{"answer_not_order", func(s *shop) string {
			one := s.sell(confirmed)
			s.exec(order, `UPDATE orders SET answer_status = 402 WHERE id = $1`, one.order)
			return one.order
		}},
		{"key_used_twice", func(s *shop) string {
			first, second := s.sell(confirmed), s.sell(failed)
			s.exec(order, `UPDATE sagas SET cart_id = $1`, first.cart)
			return min(first.saga, second.saga)
		}},
	}
}

func seededPayments() []seeded {
	return []seeded{
		{"two_payments_of_saga", func(s *shop) string {
			one := s.sell(confirmed)
			other := newSale().payment
			s.exec(payment, `INSERT INTO payments (crdb_region, saga_id, id, order_id, amount, currency, token_hash, state, reason, voiding, provider_id,
				version, created_at, updated_at) VALUES ($1, $2, $3, $4, 1, 'USD', '', 'declined', '', FALSE, '', 1, now(), now())`, away, one.saga, other, one.order)
			return min(one.payment, other)
		}},
		{"two_charges_of_order", func(s *shop) string {
			first, second := s.sell(confirmed), newSale()
			s.writeOrder(second, running) // its own chain is under way, and says nothing yet
			s.writeSaga(second, running)
			second.order, second.quote = first.order, first.quote
			s.writePayment(second, confirmed)
			return min(first.payment, second.payment)
		}},
		{"payment_left_open", func(s *shop) string {
			how := failed
			how.payment = "pending"
			one := s.sell(how)
			s.ledger.intents[0].State = provider.Open
			return one.payment
		}},
		{"payment_amount_unsound", func(s *shop) string {
			how := failed
			one := s.sell(how)
			s.exec(payment, `UPDATE payments SET currency = 'XXQ' WHERE saga_id = $1`, one.saga)
			return one.payment
		}},
	}
}

func seededLedger() []seeded {
	return []seeded{
		{"capture_not_at_provider", func(s *shop) string {
			one := s.sell(confirmed)
			s.ledger.intents = nil
			return one.payment
		}},
		{"capture_at_provider_only", func(s *shop) string {
			one := s.sell(failed)
			s.ledger.intents[0].State, s.ledger.intents[0].Captured = provider.Captured, one.quote.Total.Amount
			return one.intent
		}},
		{"charge_unknown", func(s *shop) string {
			one := newSale()
			s.ledger.intents = append(s.ledger.intents, intentOf(one, confirmed))
			return one.intent
		}},
		{"charge_unknown", func(s *shop) string {
			s.ledger.intents = append(s.ledger.intents, provider.Intent{ID: "pi_by_hand", State: provider.Captured, Amount: usd(5), Captured: 5, CreatedAt: time.Now()})
			return "pi_by_hand"
		}},
		{"provider_amount_differs", func(s *shop) string {
			one := s.sell(confirmed)
			s.ledger.intents[0].Captured--
			return one.payment
		}},
		{"provider_amount_differs", func(s *shop) string {
			one := s.sell(confirmed)
			s.ledger.intents[0].Amount.Currency = "JPY"
			return one.payment
		}},
		{"charged_twice", func(s *shop) string {
			one := s.sell(confirmed)
			again := intentOf(one, confirmed)
			again.ID = newSale().intent
			s.ledger.intents = append(s.ledger.intents, again)
			return min(one.intent, again.ID)
		}},
	}
}

func seededRefunds() []seeded {
	// given is a sale of which a part was given back, and then something happened to the books.
	given := func(code string, happened func(s *shop, one sale, refund string)) seeded {
		return seeded{code, func(s *shop) string {
			one := s.sell(confirmed)
			refund := s.refund(one, 100)
			happened(s, one, refund)
			return refund
		}}
	}
	forget := func(s *shop, one sale) {
		s.exec(payment, `DELETE FROM refunds WHERE saga_id = $1`, one.saga)
		s.exec(payment, `UPDATE payments SET refunded = 0`)
	}
	return []seeded{
		given("refund_not_at_provider", func(s *shop, _ sale, _ string) { s.ledger.refunds = nil }),
		given("refund_not_at_provider", func(s *shop, _ sale, _ string) { s.ledger.refunds[0].State = provider.RefundFailed }),
		given("refund_at_provider_only", func(s *shop, one sale, refund string) {
			forget(s, one)
			s.exec(order, `DELETE FROM order_refunds WHERE id = $1`, refund)
		}),
		{"refund_at_provider_only", func(s *shop) string {
			one := s.sell(confirmed)
			s.ledger.refunds = append(s.ledger.refunds, provider.Refund{
				ID: "re_by_hand", SagaID: one.saga, IntentID: one.intent, State: provider.RefundSucceeded, Amount: usd(5), CreatedAt: time.Now(),
			})
			return one.intent
		}},
		given("refund_not_given", func(s *shop, one sale, _ string) {
			forget(s, one)
			s.ledger.refunds = nil
		}),
		given("refund_without_order", func(s *shop, _ sale, _ string) { s.exec(order, `DELETE FROM order_refunds`) }),
		given("refund_differs", func(s *shop, _ sale, _ string) { s.ledger.refunds[0].Amount.Amount++ }),
		given("refund_differs", func(s *shop, _ sale, _ string) { s.exec(order, `UPDATE order_refunds SET currency = 'EUR'`) }),
		{"refunds_miscounted", func(s *shop) string {
			one := s.sell(confirmed)
			s.refund(one, 100)
			s.exec(payment, `UPDATE payments SET refunded = 0`)
			return one.payment
		}},
		{"refunded_too_much", func(s *shop) string {
			one := s.sell(confirmed)
			s.refund(one, 2640)
			s.refund(one, 1)
			return one.intent
		}},
		{"refunded_too_much", func(s *shop) string {
			one := s.sell(confirmed)
			s.refund(one, 2641)
			s.exec(order, `UPDATE order_refunds SET state = 'pending'`)
			s.exec(payment, `UPDATE refunds SET state = 'pending'`)
			s.ledger.refunds = nil
			return one.payment
		}},
	}
}

func seededHolds() []seeded {
	return []seeded{
		{"hold_left_over", func(s *shop) string {
			how := failed
			how.reservation = "held"
			return s.sell(how).saga
		}},
		{"hold_left_over", func(s *shop) string {
			how := confirmed
			how.reservation = "held"
			return s.sell(how).order
		}},
		{"order_without_stock", func(s *shop) string {
			how := confirmed
			how.reservation = "released"
			return s.sell(how).order
		}},
		{"order_without_stock", func(s *shop) string {
			how := confirmed
			how.reservation = ""
			return s.sell(how).order
		}},
		{"sale_without_order", func(s *shop) string {
			how := failed
			how.reservation = "sold"
			return s.sell(how).order
		}},
		{"sale_without_order", func(s *shop) string {
			one := newSale()
			s.writeStock(one, confirmed)
			return one.saga
		}},
		{"hold_not_order", func(s *shop) string {
			one := s.sell(confirmed)
			s.exec(order, `UPDATE orders SET quote = replace(quote::TEXT, $2, 'another')::JSONB WHERE id = $1`, one.order, one.sku)
			return one.order
		}},
		{"hold_lines_differ", func(s *shop) string {
			how := running
			one := s.sell(how)
			s.exec(inventory, `UPDATE reservation_lines SET quantity = 1`)
			s.exec(inventory, `UPDATE stock SET reserved = 1`)
			return one.saga
		}},
		{"hold_lines_differ", func(s *shop) string {
			one := s.sell(failed)
			s.exec(inventory, `INSERT INTO reservation_lines (crdb_region, saga_id, sku, warehouse, quantity) VALUES ($1, $2, $3, 'dub', 2)`, away, one.saga, one.sku)
			s.exec(inventory, `UPDATE stock SET reserved = 2`)
			return one.saga
		}},
		{"lines_without_reservation", func(s *shop) string {
			one := s.sell(running)
			s.exec(inventory, `DELETE FROM reservations`)
			return one.saga
		}},
		{"sale_not_allocated", func(s *shop) string {
			one := s.sell(confirmed)
			s.exec(inventory, `UPDATE movements SET quantity = -3 WHERE kind = 'sold'`)
			s.exec(inventory, `UPDATE stock SET on_hand = 7`)
			return one.saga
		}},
	}
}

func seededStock() []seeded {
	return []seeded{
		{"on_hand_not_movements", func(s *shop) string {
			one := s.sell(confirmed)
			s.exec(inventory, `UPDATE stock SET on_hand = on_hand + 1`)
			return one.sku
		}},
		{"on_hand_not_movements", func(s *shop) string {
			one := s.sell(confirmed)
			s.exec(inventory, `DELETE FROM stock`)
			return one.sku
		}},
		{"on_hand_not_movements", func(s *shop) string {
			one := s.sell(confirmed)
			s.exec(inventory, `INSERT INTO stock (crdb_region, sku, warehouse, bucket, on_hand) VALUES ($1, $2, 'dub', 1, 4)`, away, one.sku)
			return one.sku
		}},
		{"reserved_not_lines", func(s *shop) string {
			one := s.sell(running)
			s.exec(inventory, `UPDATE stock SET reserved = reserved + 1`)
			return one.sku
		}},
		{"returned_too_much", func(s *shop) string {
			one := s.sell(confirmed)
			s.bringBack(one, 2)
			s.bringBack(one, 1)
			return one.saga
		}},
		{"return_not_moved", func(s *shop) string {
			one := s.sell(confirmed)
			id := s.bringBack(one, 1)
			s.exec(inventory, `UPDATE movements SET quantity = 2 WHERE kind = 'returned'`)
			s.exec(inventory, `UPDATE stock SET on_hand = on_hand + 1`)
			return id
		}},
		{"return_not_moved", func(s *shop) string {
			one := s.sell(confirmed)
			id := s.bringBack(one, 1)
			s.exec(inventory, `DELETE FROM returns`)
			return id
		}},
		{"stock_oversold", func(s *shop) string {
			one := s.sell(running)
			s.exec(inventory, `UPDATE movements SET quantity = 1`)
			s.exec(inventory, `UPDATE stock SET on_hand = 1`)
			return one.sku
		}},
	}
}

func seededElsewhere() []seeded {
	stranded := func(service string) seeded {
		return seeded{"events_stranded", func(s *shop) string {
			s.exec(service, `INSERT INTO outbox (crdb_region, shard, aggregate, version, topic, event, created_at)
				VALUES ($1, 0, 'an aggregate', 1, 'a topic', '{}', now() - INTERVAL '2 minutes')`, away)
			return "an aggregate"
		}}
	}
	return []seeded{
		{"promotion_uses_miscounted", func(s *shop) string {
			one := s.sell(confirmed)
			s.redeem(one, 3, 5)
			s.exec(order, `UPDATE promotion_uses SET used = 2`)
			return "prm"
		}},
		{"promotion_uses_miscounted", func(s *shop) string {
			one := s.sell(confirmed)
			s.redeem(one, 1, 5)
			s.exec(order, `DELETE FROM promotion_uses`)
			return "prm"
		}},
		{"promotion_over_limit", func(s *shop) string {
			s.redeem(s.sell(confirmed), 2, 1)
			return "prm"
		}},
		{"promotion_use_left_over", func(s *shop) string {
			one := s.sell(failed)
			s.redeem(one, 1, 5)
			return one.order
		}},
		{"promotion_use_left_over", func(s *shop) string {
			one := newSale()
			s.redeem(one, 1, 5)
			return one.order
		}},
		stranded(order), stranded(payment), stranded(inventory), stranded(contract.ServiceCatalog),
	}
}

// TestEverySeededViolationIsFound makes one violation after another, and expects that and no other to be found.
func TestEverySeededViolationIsFound(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	seen := map[string]bool{}
	for _, v := range seededViolations() {
		s.empty()
		id := v.seed(s)
		report := s.audit()
		if len(report.Violations) != 1 || report.Violations[0].Code != v.code || report.Violations[0].IDs[0] != id {
			t.Errorf("%s of %s was seeded, and found: %+v", v.code, id, report.Violations)
			continue
		}
		seen[v.code] = true
	}
	for _, check := range audit.Checks() {
		if !seen[check.Code()] {
			t.Errorf("nothing breaks %s", check.Code())
		}
	}
	t.Logf("%d seeded violations of %d kinds were found", len(seededViolations()), len(seen))
}
