package order

import (
	"fmt"
	"slices"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
)

func (a author) openReturn(id string) (contract.OrderReturn, error) {
	i := slices.IndexFunc(a.order.Returns, func(r contract.OrderReturn) bool { return r.ID == id })
	if i < 0 {
		return contract.OrderReturn{}, contract.Errorf(contract.CodeNotFound, "the order has no such return")
	}
	if state := a.order.Returns[i].State; state != contract.ReturnStateRequested {
		return contract.OrderReturn{}, contract.Errorf(contract.CodeConflict, "the return has been %s already", state)
	}
	return a.order.Returns[i], nil
}

// choose sums the lines asked for by SKU, checks them against what each SKU has left, and takes everything left when none are asked
// for.
func (a author) choose(lines []contract.SKUCount, left func(tally) int64, what string) ([]contract.SKUCount, error) {
	rest := map[string]int64{}
	var all []contract.SKUCount
	for _, t := range tallyOf(a.order) {
		rest[t.sku] = left(t)
		if left(t) > 0 {
			all = append(all, contract.SKUCount{SKU: t.sku, Quantity: left(t)})
		}
	}
	if len(lines) == 0 {
		if len(all) == 0 {
			return nil, contract.Errorf(contract.CodeConflict, "no unit of the order %s", what)
		}
		return all, nil
	}
	chosen := sumBySKU(lines)
	for i, line := range chosen {
		if _, bought := rest[line.SKU]; !bought {
			return nil, contract.Invalid(fmt.Sprintf("lines[%d].sku", i), "the order has no %q", line.SKU)
		}
		if line.Quantity > rest[line.SKU] {
			return nil, contract.Errorf(contract.CodeConflict, "%d of %q %s, not %d", rest[line.SKU], line.SKU, what, line.Quantity)
		}
	}
	return chosen, nil
}

func (a author) validateAmount(amount contract.Money) error {
	switch {
	case amount.Currency != a.order.Total.Currency:
		return contract.Invalid("amount.currency", "the order was paid in %s", a.order.Total.Currency)
	case amount.Amount < 0:
		return contract.Invalid("amount.amount", "is below 0")
	case amount.Amount > refundLeft(a.order):
		left := contract.Money{Amount: refundLeft(a.order), Currency: amount.Currency}
		return contract.Errorf(contract.CodeConflict, "no more than %s is left to give back", left).With("left", left)
	}
	return nil
}

// worthOf is what units give back that are cancelled or received now, after those that were before: however an order is taken apart,
// the parts sum to what the whole gives back.
func (a author) worthOf(lines []contract.SKUCount) int64 {
	var before []contract.SKUCount
	for _, c := range a.order.Cancellations {
		before = append(before, c.Lines...)
	}
	for _, r := range a.order.Returns {
		if r.State == contract.ReturnStateReceived {
			before = append(before, r.Lines...)
		}
	}
	after := sumBySKU(append(slices.Clone(before), lines...))
	worth := refundable(a.order.Quote, after).Amount
	if len(before) > 0 {
		worth -= refundable(a.order.Quote, sumBySKU(before)).Amount
	}
	return max(0, min(worth, refundLeft(a.order)))
}

// giveBack makes a pending refund; nil when there is nothing to give.
func (a author) giveBack(amount int64, reason string) *contract.OrderRefund {
	if amount <= 0 {
		return nil
	}
	return &contract.OrderRefund{
		ID: geo.NewID("rfd", a.code), Amount: contract.Money{Amount: amount, Currency: a.order.Total.Currency}, State: contract.RefundStatePending, Reason: reason,
		CreatedAt: a.now, UpdatedAt: a.now,
	}
}

func (a author) restock(lines []contract.SKUCount) *contract.StockReturn {
	return &contract.StockReturn{ReturnID: geo.NewID("rst", a.code), Lines: lines}
}
