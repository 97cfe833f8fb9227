package order_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/services/order/promotion"
)

// wholeCarts is how many carts are bought to their end. The arithmetic of 10,000 carts is in TestTheMoneyOfTenThousandCarts.
const wholeCarts = 10_000 / pace

// everyKind makes promotions of every kind, in every currency, and gives their codes.
func (s *shop) everyKind(currencies []string) []string {
	in := func(amount int64) (all []contract.Money) {
		for _, currency := range currencies {
			all = append(all, contract.Money{Amount: amount, Currency: currency})
		}
		return all
	}
	var codes []string
	for i, p := range []promotion.Promotion{
		{Kind: promotion.Percentage, BasisPoints: 1234, Priority: 3},
		{Kind: promotion.Percentage, BasisPoints: 5000, SKUs: []string{"W1", "W3", "W5"}, Exclusive: true},
		{Kind: promotion.Amount, Amounts: in(777), Minimum: in(5000)},
		{Kind: promotion.BuyXGetY, Buy: 2, Get: 1, BasisPoints: 10_000, Priority: 5},
		{Kind: promotion.FreeShipping},
		{Kind: promotion.Percentage, BasisPoints: 333, UseLimit: 500},
	} {
		p.Title, p.Code = "A promotion", fmt.Sprintf("CODE-%d", i)
		codes = append(codes, s.promote(p).Code)
	}
	return codes
}

// TestQuoteIsOrderIsCharge buys random carts in four currencies, with random codes, to their end: what was quoted is what the order says
// and what the payment service was asked to charge, to the minor unit.
func TestQuoteIsOrderIsCharge(t *testing.T) {
	t.Parallel()
	s := openShop(t, unhurried())
	currencies := []string{"USD", "EUR", "JPY", "KWD"}
	codes := s.everyKind(currencies)
	countries := []string{"IE", "US", "JP", "KW", "CA", "DE"}
	r := rand.New(rand.NewPCG(8, 2026))
	for i := range 40 {
		s.setPrice(fmt.Sprintf("W%d", i), 1+r.Int64N([]int64{9, 999, 99_999, 9_999_999}[i%4]))
		s.stock[fmt.Sprintf("W%d", i)] = 1 << 40
	}
	type wanted struct {
		ref, country string
	}
	queue := make(chan wanted, wholeCarts)
	for i := range wholeCarts {
		ref := s.fill("use")
		s.alter(ref, func(c *contract.CartContents) {
			c.Currency = currencies[i%len(currencies)]
			for range 1 + r.IntN(6) {
				c.Lines = append(c.Lines, contract.SKUCount{SKU: fmt.Sprintf("W%d", r.IntN(40)), Quantity: 1 + r.Int64N(9)})
			}
			for _, n := range r.Perm(len(codes))[:r.IntN(4)] {
				c.Codes = append(c.Codes, codes[n])
			}
		})
		queue <- wanted{ref, countries[r.IntN(len(countries))]}
	}
	close(queue)
	var discounted, usedUp atomic.Int64
	var group sync.WaitGroup
	for range 32 {
		group.Go(func() {
			for w := range queue {
				s.buyAsQuoted(w.ref, w.country, &discounted, &usedUp)
			}
		})
	}
	group.Wait()
	t.Logf("%d carts quoted, ordered and charged in %v: %d with a discount, %d quoted again because a code was used up", wholeCarts, currencies, discounted.Load(), usedUp.Load())
	s.checkCharges(t)
}

// checkCharges holds every order's row against what the payment service was asked for.
func (s *shop) checkCharges(t *testing.T) {
	t.Helper()
	rows, err := s.DB.Query(t.Context(), `SELECT saga_id, (quote->'total'->>'amount')::INT8, quote->'total'->>'currency' FROM orders WHERE crdb_region = 'us-east' AND status = 'confirmed'`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	orders := 0
	for rows.Next() {
		var sagaID string
		var total contract.Money
		if err := rows.Scan(&sagaID, &total.Amount, &total.Currency); err != nil {
			t.Fatal(err)
		}
		orders++
		s.mu.Lock()
		charged, times := s.payments[sagaID].Amount, s.charges[sagaID]
		s.mu.Unlock()
		if charged != total || times != 1 {
			t.Errorf("an order of %s was charged %s, %d times", total, charged, times)
		}
	}
	if err := rows.Err(); err != nil || orders != wholeCarts {
		t.Errorf("%d orders are confirmed (%v)", orders, err)
	}
}

func (s *shop) buyAsQuoted(ref, country string, discounted, usedUp *atomic.Int64) {
	request := paying("tok_visa")
	request.ShippingAddress.Country = country
	for range 3 {
		quote, err := s.quote(ref, map[string]any{"shipping_address": request.ShippingAddress})
		if err != nil {
			s.t.Errorf("%v", err)
			return
		}
		request.Quote = quote.Quote
		got, err := s.insist(ref, "key", request)
		if err == nil && got.status == http.StatusConflict {
			usedUp.Add(1)
			continue
		}
		if err != nil || got.status != http.StatusCreated {
			s.t.Errorf("%s (%v)", got, err)
			return
		}
		order := got.order(s.t)
		if order.Quote.Quote != quote.Quote || order.Total != quote.Total {
			s.t.Errorf("quoted %s, ordered %s", quote.Total, order.Total)
		}
		if quote.Discount.Amount > 0 {
			discounted.Add(1)
		}
		return
	}
	s.t.Errorf("the quote of %s changed again and again", ref[:30])
}
