package inventory

import (
	"net/http"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"github.com/meridian-store/meridian/contract"
)

func (s shop) takeBack(t testing.TB, saga string, back contract.StockReturn) int {
	t.Helper()
	return s.Do(t, http.MethodPost, "/internal/v1/reservations/"+saga+"/returns", back, nil, s.Internal()).StatusCode
}

func back(id string, lines ...contract.SKUCount) contract.StockReturn {
	return contract.StockReturn{ReturnID: id, Lines: lines}
}

func TestWhatComesBackGoesWhereItCameFrom(t *testing.T) {
	t.Parallel()
	shop := start(t)
	shop.count(t, stock("A", iad, 3), stock("A", dub, 9), stock("B", sin, 4))
	saga := newSaga()
	shop.reserve(t, request(saga, "US", line("A", 5), line("B", 4)))
	shop.act(t, saga, "confirm")
	for _, step := range []struct {
		back contract.StockReturn
		want int
	}{
		{back("r1", line("A", 1), line("A", 3), line("B", 1)), http.StatusCreated},
		{back("r1", line("A", 4), line("B", 1)), http.StatusOK}, // the same again
		{back("r1", line("A", 1)), http.StatusConflict},         // another under the same name
		{back("r2", line("A", 2)), http.StatusConflict},         // one is still out
		{back("r2", line("C", 1)), http.StatusConflict},         // never sold
		{back("r2", line("A", 1), line("B", 3)), http.StatusCreated},
	} {
		if got := shop.takeBack(t, saga, step.back); got != step.want {
			t.Errorf("%+v got %d, want %d", step.back, got, step.want)
		}
	}
	if a, b := shop.levels(t, "A"), shop.levels(t, "B"); a[iad] != [2]int64{3, 0} || a[dub] != [2]int64{9, 0} || b[sin] != [2]int64{4, 0} {
		t.Errorf("the stock is %v and %v", a, b)
	}
	event := shop.waitEvent(t, saga, contract.InventoryReturned)
	var change contract.ReservationChange
	want := []contract.Allocation{
		{Region: "eu-west", Warehouse: dub, SKU: "A", Quantity: 2}, {Region: "us-east", Warehouse: iad, SKU: "A", Quantity: 2},
		{Region: "ap-southeast", Warehouse: sin, SKU: "B", Quantity: 1},
	}
	if err := event.Decode(&change); err != nil || event.AggregateVersion != 3 || !reflect.DeepEqual(change.Allocations, want) {
		t.Errorf("announced version %d of %+v, %v", event.AggregateVersion, change, err)
	}
	shop.audit(t)
}

// An order that is cancelled before its sale was booked: the hold is sold and comes back.
func TestAHoldIsSoldBeforeItComesBack(t *testing.T) {
	t.Parallel()
	shop := start(t)
	shop.count(t, stock("A", iad, 5))
	saga, other, gone := newSaga(), newSaga(), newSaga()
	shop.reserve(t, request(saga, "US", line("A", 2)))
	if got := shop.takeBack(t, saga, back("r1", line("A", 3))); got != http.StatusConflict {
		t.Errorf("more than is held got %d, want 409", got)
	}
	if got := shop.takeBack(t, saga, back("r1", line("A", 2))); got != http.StatusCreated {
		t.Errorf("the return of a hold got %d, want 201", got)
	}
	shop.eventually(t, saga, contract.ReservationSold)
	if got, status := shop.act(t, saga, "confirm"); status != http.StatusOK || got.State != contract.ReservationSold {
		t.Errorf("the late confirmation got %d %+v", status, got)
	}
	shop.reserve(t, request(other, "US", line("A", 1)))
	if got := shop.takeBack(t, other, back("r1", line("A", 1))); got != http.StatusConflict {
		t.Errorf("another saga's return of the same name got %d, want 409", got)
	}
	shop.act(t, gone, "release")
	for id, want := range map[string]int{gone: http.StatusConflict, newSaga(): http.StatusNotFound, "nonsense": http.StatusBadRequest} {
		if got := shop.takeBack(t, id, back("r2", line("A", 1))); got != want {
			t.Errorf("a return of %s got %d, want %d", id, got, want)
		}
	}
	if levels := shop.levels(t, "A"); levels[iad] != [2]int64{5, 1} {
		t.Errorf("the stock is %v", levels)
	}
	shop.audit(t)
}

func TestReturnsAtTheSameTimeNeverExceedTheSale(t *testing.T) {
	t.Parallel()
	shop := start(t)
	shop.count(t, stock("A", iad, 10))
	saga := newSaga()
	shop.reserve(t, request(saga, "US", line("A", 5)))
	shop.act(t, saga, "confirm")
	var created atomic.Int64
	var group sync.WaitGroup
	for i := range 24 {
		group.Go(func() {
			switch got := shop.takeBack(t, saga, back([]string{"a", "b", "c", "d", "e", "f", "g", "h"}[i%8], line("A", 1))); got {
			case http.StatusCreated:
				created.Add(1)
			case http.StatusOK, http.StatusConflict:
			default:
				t.Errorf("got %d", got)
			}
		})
	}
	group.Wait()
	if levels := shop.levels(t, "A"); created.Load() != 5 || levels[iad] != [2]int64{10, 0} {
		t.Errorf("%d returns were made and the stock is %v, want 5 and all of it", created.Load(), levels)
	}
	shop.audit(t)
}

func TestReturnsAreAllottedWithinTheSale(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		summed, stock, way := drawSituation(t)
		takings, shortages := supplyOf(stock, 0).allocate(summed, way)
		if len(shortages) > 0 {
			return
		}
		sold := merged(takings)
		var before []contract.Allocation
		out := map[shelf]int64{}
		for _, a := range sold {
			out[shelfOf(a)] += a.Quantity
		}
		for range rapid.IntRange(1, 5).Draw(t, "returns") {
			sku := skus.Draw(t, "sku")
			quantity := rapid.Int64Range(1, 9).Draw(t, "quantity")
			got, err := comeBack{lines: []contract.SKUCount{line(sku, quantity)}}.allot(sold, before)
			var still, given int64
			for key, units := range out {
				if key.sku == sku {
					still += units
				}
			}
			for _, a := range got {
				given += a.Quantity
				if out[shelfOf(a)] -= a.Quantity; out[shelfOf(a)] < 0 || !slices.ContainsFunc(sold, func(s contract.Allocation) bool { return shelfOf(s) == shelfOf(a) }) {
					t.Fatalf("%+v comes back to a shelf that did not sell it", a)
				}
			}
			if (err == nil) != (quantity <= still) || err == nil && given != quantity {
				t.Fatalf("%d of %s came back as %+v, %v; %d were out", quantity, sku, got, err, still)
			}
			before = append(before, got...)
		}
	})
}
