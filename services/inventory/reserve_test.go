package inventory

import (
	"math/rand/v2"
	"net/http"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
)

func TestStockIsTakenNearTheDestinationFirst(t *testing.T) {
	t.Parallel()
	shop := start(t)
	shop.count(t, stock("A", iad, 10), stock("A", dub, 3), stock("A", sin, 10), stock("B", sin, 1))
	saga := newSaga()
	before := time.Now()
	got, status := shop.reserve(t, request(saga, "IE", line("A", 2), line("B", 1), line("A", 3)))
	wantState(t, got, status, contract.ReservationHeld, http.StatusCreated)
	wantAllocations(t, got.Allocations,
		contract.Allocation{Region: "eu-west", Warehouse: dub, SKU: "A", Quantity: 3},
		contract.Allocation{Region: "us-east", Warehouse: iad, SKU: "A", Quantity: 2},
		contract.Allocation{Region: "ap-southeast", Warehouse: sin, SKU: "B", Quantity: 1})
	if expected := before.Add(holdSeconds * time.Second); got.ExpiresAt.Before(expected.Truncate(time.Microsecond)) || got.ExpiresAt.After(expected.Add(time.Minute)) {
		t.Errorf("it expires at %s, want about %s", got.ExpiresAt, expected)
	}
	if levels := shop.levels(t, "A"); levels[dub] != [2]int64{3, 3} || levels[iad] != [2]int64{10, 2} || levels[sin] != [2]int64{10, 0} {
		t.Errorf("the stock is %v", levels)
	}
	event := shop.waitEvent(t, saga, contract.InventoryReserved)
	var change contract.ReservationChange
	if err := event.Decode(&change); err != nil || !reflect.DeepEqual(change, contract.ReservationChange{SagaID: saga, Allocations: got.Allocations}) {
		t.Errorf("announced %+v, %v", change, err)
	}
	shop.audit(t)
}

func TestARepeatedReserveIsAnsweredAlike(t *testing.T) {
	t.Parallel()
	shop := start(t)
	shop.count(t, stock("A", iad, 5))
	saga := newSaga()
	first, status := shop.reserve(t, request(saga, "US", line("A", 5)))
	wantState(t, first, status, contract.ReservationHeld, http.StatusCreated)
	// All stock is gone, into this very reservation: the repeat must not be told that there is none.
	again, status := shop.reserve(t, request(saga, "US", line("A", 3), line("A", 2)))
	if status != http.StatusOK || !reflect.DeepEqual(again, first) {
		t.Errorf("the repeat got %d %+v, want %+v", status, again, first)
	}
	if _, status := shop.reserve(t, request(saga, "US", line("A", 4))); status != http.StatusConflict {
		t.Errorf("other lines of the same saga got %d, want 409", status)
	}
	if found, status := shop.get(t, saga); status != http.StatusOK || !reflect.DeepEqual(found, first) {
		t.Errorf("got %d %+v, want %+v", status, found, first)
	}
	shop.audit(t)
}

func TestIdenticalReservesAtTheSameTimeHoldOnce(t *testing.T) {
	t.Parallel()
	shop := start(t)
	shop.count(t, stock("A", iad, 100))
	saga := newSaga()
	var created atomic.Int64
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() {
			got, status := shop.reserve(t, request(saga, "US", line("A", 3)))
			if status == http.StatusCreated {
				created.Add(1)
			} else if status != http.StatusOK {
				t.Errorf("got %d", status)
			}
			wantAllocations(t, got.Allocations, contract.Allocation{Region: "us-east", Warehouse: iad, SKU: "A", Quantity: 3})
		})
	}
	group.Wait()
	if levels := shop.levels(t, "A"); created.Load() != 1 || levels[iad] != [2]int64{100, 3} {
		t.Errorf("%d were created and the stock is %v", created.Load(), levels)
	}
	shop.audit(t)
}

func TestWhatIsShortIsToldAndNothingIsHeld(t *testing.T) {
	t.Parallel()
	shop := start(t)
	shop.count(t, stock("A", iad, 2), stock("A", dub, 1), stock("B", iad, 5))
	saga := newSaga()
	response := shop.Do(t, http.MethodPost, "/internal/v1/reservations", request(saga, "US", line("A", 4), line("B", 5), line("C", 1)), nil, shop.Internal())
	var problem struct {
		Type string
		SKUs []shortage
	}
	decode(t, response, &problem)
	want := []shortage{{"A", 4, 3}, {"C", 1, 0}}
	if response.StatusCode != http.StatusConflict || !reflect.DeepEqual(problem.SKUs, want) {
		t.Errorf("got %d %+v, want %+v", response.StatusCode, problem, want)
	}
	if _, status := shop.get(t, saga); status != http.StatusNotFound {
		t.Errorf("the saga has a reservation, status %d", status)
	}
	if levels := shop.levels(t, "B"); levels[iad] != [2]int64{5, 0} {
		t.Errorf("the stock is %v", levels)
	}
	shop.audit(t)
}

func TestAReleaseGivesBackAndRefusesALateReserve(t *testing.T) {
	t.Parallel()
	shop := start(t)
	shop.count(t, stock("A", iad, 5), stock("A", dub, 5))
	saga := newSaga()
	shop.reserve(t, request(saga, "US", line("A", 7)))
	for range 2 {
		released, status := shop.act(t, saga, "release")
		wantState(t, released, status, contract.ReservationReleased, http.StatusOK)
	}
	if levels := shop.levels(t, "A"); levels[iad] != [2]int64{5, 0} || levels[dub] != [2]int64{5, 0} {
		t.Errorf("the stock is %v", levels)
	}
	if _, status := shop.act(t, saga, "confirm"); status != http.StatusConflict {
		t.Errorf("a confirm after the release got %d, want 409", status)
	}
	early := newSaga()
	released, status := shop.act(t, early, "release")
	wantState(t, released, status, contract.ReservationReleased, http.StatusOK)
	for _, s := range []string{saga, early} {
		if _, status := shop.reserve(t, request(s, "US", line("A", 7))); status != http.StatusConflict {
			t.Errorf("a reserve after the release got %d, want 409", status)
		}
	}
	shop.waitEvent(t, saga, contract.InventoryReleased)
	shop.audit(t)
}

func TestAConfirmSells(t *testing.T) {
	t.Parallel()
	shop := start(t)
	shop.count(t, stock("A", iad, 5), stock("A", dub, 5))
	saga := newSaga()
	held, _ := shop.reserve(t, request(saga, "US", line("A", 7)))
	for range 2 {
		sold, status := shop.act(t, saga, "confirm")
		wantState(t, sold, status, contract.ReservationSold, http.StatusOK)
		wantAllocations(t, sold.Allocations, held.Allocations...)
	}
	if levels := shop.levels(t, "A"); levels[iad] != [2]int64{0, 0} || levels[dub] != [2]int64{3, 0} {
		t.Errorf("the stock is %v", levels)
	}
	if _, status := shop.act(t, saga, "release"); status != http.StatusConflict {
		t.Errorf("a release after the sale got %d, want 409", status)
	}
	if again, status := shop.reserve(t, request(saga, "US", line("A", 7))); status != http.StatusOK || again.State != contract.ReservationSold {
		t.Errorf("the repeated reserve got %d %+v", status, again)
	}
	if _, status := shop.act(t, newSaga(), "confirm"); status != http.StatusNotFound {
		t.Errorf("a confirm of nothing got %d, want 404", status)
	}
	shop.waitEvent(t, saga, contract.InventorySold)
	shop.audit(t)
}

func TestSagasOfNoRegionAreRefused(t *testing.T) {
	t.Parallel()
	shop := start(t)
	for _, saga := range []string{"nonsense", geo.NewID("sga", "xxx")} {
		if _, status := shop.reserve(t, request(saga, "US", line("A", 1))); status != http.StatusBadRequest {
			t.Errorf("reserve for %s got %d, want 400", saga, status)
		}
		for _, action := range []string{"release", "confirm"} {
			if _, status := shop.act(t, saga, action); status != http.StatusBadRequest {
				t.Errorf("%s of %s got %d, want 400", action, saga, status)
			}
		}
	}
	if response := shop.Do(t, http.MethodPost, "/internal/v1/reservations", request(newSaga(), "US", line("A", 1)), nil); response.StatusCode != http.StatusNotFound {
		t.Errorf("a caller without the internal secret got %d, want 404", response.StatusCode)
	}
}

func TestTenUnitsAreSoldToTenOfSixtyFour(t *testing.T) {
	t.Parallel()
	shop := start(t)
	shop.count(t, stock("A", iad, 4), stock("A", dub, 3), stock("A", sin, 3))
	var held, short atomic.Int64
	var group sync.WaitGroup
	for i := range 64 {
		group.Go(func() {
			saga := newSaga()
			_, status := shop.reserve(t, request(saga, []string{"US", "IE", "SG"}[i%3], line("A", 1)))
			switch status {
			case http.StatusConflict:
				short.Add(1)
			case http.StatusCreated:
				held.Add(1)
				if _, status := shop.act(t, saga, "confirm"); status != http.StatusOK {
					t.Errorf("confirm got %d", status)
				}
			default:
				t.Errorf("reserve got %d", status)
			}
		})
	}
	group.Wait()
	if held.Load() != 10 || short.Load() != 54 {
		t.Errorf("%d were sold and %d refused, want 10 and 54", held.Load(), short.Load())
	}
	for warehouse, level := range shop.levels(t, "A") {
		if level != [2]int64{0, 0} {
			t.Errorf("%s has %v left", warehouse, level)
		}
	}
	shop.audit(t)
	shop.bandBecomes(t, "A", contract.BandOut)
}

// Lines in any order, releases, confirms and counts at once: nothing deadlocks for good and the sums hold.
func TestManySKUsAtOnce(t *testing.T) {
	t.Parallel()
	shop := start(t)
	names := []string{"A", "B", "C", "D"}
	var counts []contract.StockCount
	for _, sku := range names {
		for _, warehouse := range []string{iad, dub, sin} {
			counts = append(counts, stock(sku, warehouse, 40))
		}
	}
	shop.count(t, counts...)
	var group sync.WaitGroup
	for i := range 12 {
		group.Go(func() {
			random := rand.New(rand.NewPCG(uint64(i), 1))
			for range 8 {
				var lines []contract.SKUCount
				for _, k := range random.Perm(len(names)) {
					lines = append(lines, line(names[k], 1+random.Int64N(3)))
				}
				saga := newSaga()
				_, status := shop.reserve(t, request(saga, []string{"US", "IE", "SG"}[random.IntN(3)], lines...))
				if status != http.StatusCreated && status != http.StatusConflict {
					t.Errorf("reserve got %d", status)
				}
				switch action := []string{"release", "confirm", ""}[random.IntN(3)]; {
				case status != http.StatusCreated || action == "":
				default:
					if _, status := shop.act(t, saga, action); status != http.StatusOK {
						t.Errorf("%s got %d", action, status)
					}
				}
				if random.IntN(4) == 0 {
					shop.tryCount(t, stock(names[random.IntN(4)], dub, 40), stock(names[random.IntN(4)], iad, 40))
				}
			}
		})
	}
	group.Wait()
	shop.audit(t)
}
