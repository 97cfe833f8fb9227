package order

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
)

// sold makes a confirmed order of some SKUs with a discount, a tax and shipping, so that nothing divides evenly.
func sold(t *rapid.T) placed {
	quote := contract.Quote{Currency: "USD", Shipping: contract.Money{Amount: rapid.Int64Range(0, 999).Draw(t, "shipping"), Currency: "USD"}}
	money := func(amount int64) contract.Money { return contract.Money{Amount: amount, Currency: "USD"} }
	var goods, discount int64
	for _, sku := range []string{"A", "B", "C"}[:rapid.IntRange(1, 3).Draw(t, "lines")] {
		quantity, price := rapid.Int64Range(1, 4).Draw(t, "quantity"), rapid.Int64Range(0, 5000).Draw(t, "price")
		off := rapid.Int64Range(0, quantity*price).Draw(t, "discount")
		quote.Lines = append(quote.Lines, contract.QuoteLine{SKU: sku, Quantity: quantity, UnitPrice: money(price), Total: money(price * quantity), Discount: money(off)})
		goods, discount = goods+quantity*price, discount+off
	}
	quote.Subtotal, quote.Discount = money(goods), money(discount)
	quote.Tax = contract.QuoteTax{Amount: money(rapid.Int64Range(0, 800).Draw(t, "tax"))}
	quote.Total = money(goods - discount + quote.Shipping.Amount + quote.Tax.Amount.Amount)
	return placed{Order: contract.Order{ID: geo.NewID("ord", "use"), Status: contract.OrderStatusConfirmed, Quote: quote, Total: quote.Total}, version: 2}
}

func drawLines(t *rapid.T) []contract.SKUCount {
	lines := []contract.SKUCount{}
	for range rapid.IntRange(0, 3).Draw(t, "asked") {
		lines = append(lines, contract.SKUCount{SKU: rapid.SampledFrom([]string{"A", "B", "C"}).Draw(t, "sku"), Quantity: rapid.Int64Range(1, 3).Draw(t, "units")})
	}
	return lines
}

// drawDeed tries one thing that someone may do.
func drawDeed(t *rapid.T, as author) (deed, error) {
	anyReturn := func() string {
		if len(as.order.Returns) == 0 {
			return "none"
		}
		return rapid.SampledFrom(as.order.Returns).Draw(t, "return").ID
	}
	someAmount := func() *contract.Money {
		if rapid.Bool().Draw(t, "default amount") {
			return nil
		}
		return &contract.Money{Amount: rapid.Int64Range(0, 9000).Draw(t, "amount"), Currency: "USD"}
	}
	switch rapid.IntRange(0, 8).Draw(t, "deed") {
	case 0:
		return as.cancelAll("")
	case 1:
		return as.cancelOpen("")
	case 2, 3:
		return as.fulfil(drawLines(t), nil)
	case 4:
		return as.askReturn(drawLines(t), "")
	case 5:
		return as.receive(anyReturn(), rapid.Bool().Draw(t, "restock"), someAmount(), "")
	case 6:
		return as.refuseReturn(anyReturn(), "")
	case 7:
		return as.refundMoney(someAmount(), drawLines(t), "")
	default:
		if len(as.order.Refunds) == 0 {
			return deed{}, errNoOrder()
		}
		refund := rapid.SampledFrom(as.order.Refunds).Draw(t, "refund")
		settled, changed := as.settleRefund(refund.ID, rapid.SampledFrom([]string{contract.RefundStateSucceeded, contract.RefundStateSucceeded, contract.RefundStateFailed}).Draw(t, "state"), "")
		if !changed {
			return deed{}, errNoOrder()
		}
		return settled, nil
	}
}

// Whatever is done in whatever order, the status moves along the drawing, no unit is in two places, and no more is given back than was
// paid.
func TestWhateverBecomesOfAnOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		order := sold(t)
		for range rapid.IntRange(1, 12).Draw(t, "deeds") {
			as, err := authorOf(order.Order, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			decided, err := drawDeed(t, as)
			if err != nil {
				if contract.CodeOf(err) == contract.CodeInternal {
					t.Fatal(err)
				}
				continue
			}
			after := decided.applied(order, as.now)
			if !mayBecome(order.Status, after.Status) {
				t.Fatalf("from %s to %s by %+v", order.Status, after.Status, decided)
			}
			if after.version != order.version+1 {
				t.Fatalf("version %d after %d", after.version, order.version)
			}
			order = after
			sound(t, order)
		}
	})
}

func sound(t *rapid.T, order placed) {
	for _, units := range tallyOf(order.Order) {
		if units.open() < 0 || units.returnable() < 0 || units.received > units.asked {
			t.Fatalf("units of %s are in two places: %+v", units.sku, units)
		}
	}
	if left := refundLeft(order.Order); left < 0 || refunded(order.Order)+left > order.Total.Amount {
		t.Fatalf("%d is left of %s with %+v", left, order.Total, order.Refunds)
	}
	if order.Status == contract.OrderStatusCancelled && len(order.Fulfilments) > 0 {
		t.Fatal("cancelled with goods on their way")
	}
}

// Taken apart line by line and unit by unit, an order gives back exactly what its goods cost: the total less shipping with its tax.
func TestReturnsOneByOneGiveBackTheWhole(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		order := sold(t)
		all := []contract.SKUCount{}
		for _, line := range order.Quote.Lines {
			all = append(all, contract.SKUCount{SKU: line.SKU, Quantity: line.Quantity})
		}
		do := func(decide func(author) (deed, error)) deed {
			as, err := authorOf(order.Order, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			decided, err := decide(as)
			if err != nil {
				t.Fatal(err)
			}
			order = decided.applied(order, as.now)
			return decided
		}
		do(func(as author) (deed, error) { return as.fulfil(nil, nil) })
		var given int64
		for _, line := range all {
			for range line.Quantity {
				asked := do(func(as author) (deed, error) {
					return as.askReturn([]contract.SKUCount{{SKU: line.SKU, Quantity: 1}}, "")
				})
				received := do(func(as author) (deed, error) { return as.receive(asked.returned.ID, true, nil, "") })
				if received.refund != nil {
					given += received.refund.Amount.Amount
				}
			}
		}
		if whole := refundable(order.Quote, all).Amount; given != whole {
			t.Fatalf("%d was given back one by one, %d at once", given, whole)
		}
		if order.Status != contract.OrderStatusReturned {
			t.Fatalf("the order is %s", order.Status)
		}
	})
}

func TestAnOrderThatWasNeverSoldIsNotTouched(t *testing.T) {
	t.Parallel()
	for _, status := range []string{contract.OrderStatusPending, contract.OrderStatusFailed} {
		if _, err := authorOf(contract.Order{ID: geo.NewID("ord", "use"), Status: status}, time.Now()); contract.CodeOf(err) != contract.CodeConflict {
			t.Errorf("%s: %v", status, err)
		}
	}
}

func TestNumbersAreReadAsPeopleCopyThem(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"M7K2-9QX4": "M7K2-9QX4", " m7k29qx4 ": "M7K2-9QX4", "M7K2 9QX4": "M7K2-9QX4", "0OIL-l123": "0011-1123", "x": "X",
	} {
		if got := readNumber(text); got != want {
			t.Errorf("%q is read as %q, not %q", text, got, want)
		}
	}
	if !sameAddress(" Ada@Example.com", "ada@example.COM ") || sameAddress("ada@example.com", "eve@example.com") {
		t.Error("addresses are compared wrongly")
	}
}
