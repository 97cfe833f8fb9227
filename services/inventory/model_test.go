package inventory

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/meridian-store/meridian/contract"
)

// stockedIn is a SKU in a warehouse.
type stockedIn struct{ sku, warehouse string }

// model is what the rules say that the stock is, without SQL.
type model struct {
	onHand, reserved map[stockedIn]int64
	sagas            map[string]*contract.Reservation
	returns          int
	order            []string
}

func (m *model) available(sku string) (total int64) {
	for key, onHand := range m.onHand {
		if key.sku == sku {
			total += onHand - m.reserved[key]
		}
	}
	return total
}

func (m *model) known(sku string) bool {
	for key := range m.onHand {
		if key.sku == sku {
			return true
		}
	}
	return false
}

// TestRandomHistories runs random reserves, releases, confirms, returns, counts, adjustments and splits and compares each answer and the stock after each with
// the model.
func TestRandomHistories(t *testing.T) {
	t.Parallel()
	shop := start(t)
	histories := 0
	rapid.Check(t, func(rt *rapid.T) {
		histories++
		// SKUs of its own keep the histories apart in one database.
		names := []string{fmt.Sprintf("A%d", histories), fmt.Sprintf("B%d", histories)}
		m := &model{onHand: map[stockedIn]int64{}, reserved: map[stockedIn]int64{}, sagas: map[string]*contract.Reservation{}}
		for range rapid.IntRange(4, 14).Draw(rt, "steps") {
			switch rapid.SampledFrom([]string{"count", "adjust", "adjust", "reserve", "reserve", "reserve", "release", "confirm", "confirm", "return", "split"}).Draw(rt, "step") {
			case "count":
				m.count(t, rt, shop, names)
			case "reserve":
				m.reserve(t, rt, shop, names)
			case "adjust":
				m.adjust(t, rt, shop, names)
			case "return":
				m.takeBack(t, rt, shop, histories)
			case "split":
				if sku := rapid.SampledFrom(names).Draw(rt, "sku"); m.known(sku) {
					shop.rebucket(t, sku, rapid.Int64Range(1, 4).Draw(rt, "buckets")) // moves units and changes no sum
				}
			case "release":
				m.settle(t, rt, shop, "release", contract.ReservationReleased, contract.ReservationSold)
			case "confirm":
				m.settle(t, rt, shop, "confirm", contract.ReservationSold, contract.ReservationReleased)
			}
			m.compare(t, rt, shop, names)
		}
	})
	shop.audit(t)
}

func (m *model) count(t *testing.T, rt *rapid.T, shop shop, names []string) {
	count := stock(rapid.SampledFrom(names).Draw(rt, "sku"), rapid.SampledFrom([]string{iad, dub, sin}).Draw(rt, "warehouse"), rapid.Int64Range(0, 9).Draw(rt, "on hand"))
	key := stockedIn{count.SKU, count.Warehouse}
	want := outcomeApplied
	if count.OnHand < m.reserved[key] {
		want = outcomeRefused
	} else {
		m.onHand[key] = count.OnHand
	}
	if got := shop.tryCount(t, count)[0]; got.Outcome != want {
		rt.Fatalf("the count %+v was %s, want %s", count, got.Outcome, want)
	}
	if want == outcomeApplied {
		count.OnHand++ // the same reference with another figure changes nothing
		if got := shop.tryCount(t, count)[0]; got.Outcome != outcomeUnchanged {
			rt.Fatalf("the repeated count was %s", got.Outcome)
		}
	}
}

func (m *model) adjust(t *testing.T, rt *rapid.T, shop shop, names []string) {
	a := contract.StockAdjustment{
		SKU: rapid.SampledFrom(names).Draw(rt, "sku"), Warehouse: rapid.SampledFrom([]string{iad, dub, sin}).Draw(rt, "warehouse"),
		Delta: rapid.Int64Range(-5, 9).Draw(rt, "delta"), Kind: movementAdjusted, Reference: newSaga(),
	}
	key := stockedIn{a.SKU, a.Warehouse}
	want := outcomeApplied
	if m.onHand[key]+a.Delta < m.reserved[key] {
		want = outcomeRefused
	} else {
		m.onHand[key] += a.Delta
	}
	if got := shop.adjust(t, a)[0]; got.Outcome != want {
		rt.Fatalf("the adjustment %+v was %+v, want %s", a, got, want)
	}
	if want == outcomeApplied {
		if got := shop.adjust(t, a)[0]; got.Outcome != outcomeUnchanged {
			rt.Fatalf("the repeated adjustment was %s", got.Outcome)
		}
	}
}

// takeBack returns all that is out of one SKU of a saga, or one too many.
func (m *model) takeBack(t *testing.T, rt *rapid.T, shop shop, history int) {
	if len(m.order) == 0 {
		return
	}
	saga := rapid.SampledFrom(m.order).Draw(rt, "saga")
	known := m.sagas[saga]
	sku := known.Allocations[0].SKU
	var out int64
	for _, a := range known.Allocations {
		if a.SKU == sku {
			out += a.Quantity
		}
	}
	tooMany := rapid.Bool().Draw(rt, "too many")
	want, asked := http.StatusCreated, out
	if asked == 0 || tooMany {
		asked++
	}
	if known.State == contract.ReservationReleased || asked > out {
		want = http.StatusConflict
	}
	m.returns++
	request := back(fmt.Sprintf("r%d-%d", history, m.returns), line(sku, asked))
	if got := shop.takeBack(t, saga, request); got != want {
		rt.Fatalf("returning %d of the %d of %s that are out of what is %s got %d, want %d", asked, out, sku, known.State, got, want)
	}
	if want != http.StatusCreated {
		return
	}
	m.sell(known)
	for i, a := range known.Allocations {
		if a.SKU == sku {
			m.onHand[stockedIn{a.SKU, a.Warehouse}] += a.Quantity
			known.Allocations[i].Quantity = 0
		}
	}
	if got := shop.takeBack(t, saga, request); got != http.StatusOK {
		rt.Fatalf("the repeated return got %d", got)
	}
}

// sell books a hold as sold.
func (m *model) sell(known *contract.Reservation) {
	if known.State != contract.ReservationHeld {
		return
	}
	known.State = contract.ReservationSold
	for _, a := range known.Allocations {
		m.reserved[stockedIn{a.SKU, a.Warehouse}] -= a.Quantity
		m.onHand[stockedIn{a.SKU, a.Warehouse}] -= a.Quantity
	}
}

func (m *model) reserve(t *testing.T, rt *rapid.T, shop shop, names []string) {
	lines := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) contract.SKUCount {
		return line(rapid.SampledFrom(names).Draw(t, "sku"), rapid.Int64Range(1, 6).Draw(t, "quantity"))
	}), 1, 3).Draw(rt, "lines")
	summed, err := sumLines(lines)
	if err != nil {
		rt.Fatal(err)
	}
	want := http.StatusCreated
	if slices.ContainsFunc(summed, func(l contract.SKUCount) bool { return m.available(l.SKU) < l.Quantity }) {
		want = http.StatusConflict
	}
	saga := newSaga()
	got, status := shop.reserve(t, request(saga, rapid.SampledFrom([]string{"US", "IE", "SG"}).Draw(rt, "country"), lines...))
	if status != want {
		rt.Fatalf("reserving %+v got %d, want %d", lines, status, want)
	}
	if status == http.StatusCreated {
		m.sagas[saga] = &got
		m.order = append(m.order, saga)
		for _, a := range got.Allocations {
			m.reserved[stockedIn{a.SKU, a.Warehouse}] += a.Quantity
		}
	}
}

func (m *model) settle(t *testing.T, rt *rapid.T, shop shop, action, target, refused string) {
	if len(m.order) == 0 {
		return
	}
	saga := rapid.SampledFrom(m.order).Draw(rt, "saga")
	known := m.sagas[saga]
	want := http.StatusOK
	if known.State == refused {
		want = http.StatusConflict
	}
	if _, status := shop.act(t, saga, action); status != want {
		rt.Fatalf("%s of what is %s got %d, want %d", action, known.State, status, want)
	}
	if known.State != contract.ReservationHeld {
		return
	}
	known.State = target
	for _, a := range known.Allocations {
		key := stockedIn{a.SKU, a.Warehouse}
		m.reserved[key] -= a.Quantity
		if target == contract.ReservationSold {
			m.onHand[key] -= a.Quantity
		}
	}
}

func (m *model) compare(t *testing.T, rt *rapid.T, shop shop, names []string) {
	for _, sku := range names {
		for warehouse, level := range shop.levels(t, sku) {
			key := stockedIn{sku, warehouse}
			if want := [2]int64{m.onHand[key], m.reserved[key]}; level != want {
				rt.Fatalf("%v has %v, want %v", key, level, want)
			}
		}
	}
}
