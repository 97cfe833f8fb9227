package inventory

import (
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/meridian-store/meridian/contract"
)

// Splitting and joining lose nothing, make nothing, leave reservations where they are, and never lower the sum of versions.
func TestSpreadingKeepsEveryUnit(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var buckets []bucket
		for number := range rapid.Int64Range(1, 6).Draw(t, "buckets") {
			onHand := rapid.Int64Range(0, 40).Draw(t, "on hand")
			buckets = append(buckets, bucket{
				shelf: shelf{"A", places[0]}, number: number, onHand: onHand,
				reserved: rapid.Int64Range(0, onHand).Draw(t, "reserved"), version: rapid.Int64Range(0, 9).Draw(t, "version"),
			})
		}
		n := rapid.Int64Range(1, maxBuckets).Draw(t, "n")
		kept, dropped := spread(buckets, n)
		reserved := map[int64]int64{}
		var onHand, least, most int64
		least = 1 << 40
		for _, b := range kept {
			onHand += b.onHand
			reserved[b.number] = b.reserved
			if b.number < n {
				least, most = min(least, b.available()), max(most, b.available())
			} else if b.available() != 0 {
				t.Fatalf("%+v is not among the first %d and has units", b, n)
			}
		}
		for _, b := range buckets {
			onHand -= b.onHand
			if reserved[b.number] != b.reserved {
				t.Fatalf("bucket %d had %d reserved and has %d", b.number, b.reserved, reserved[b.number])
			}
		}
		if onHand != 0 || most-least > 1 || kept[0].number != 0 {
			t.Fatalf("%+v became %+v", buckets, kept)
		}
		if versionsOf(kept) <= versionsOf(buckets) {
			t.Fatalf("the versions fell from %d to %d, %d buckets were dropped", versionsOf(buckets), versionsOf(kept), len(dropped))
		}
	})
}

func (s shop) rebucket(t testing.TB, sku string, n int64) []contract.StockLevel {
	t.Helper()
	var answer struct{ Items []contract.StockLevel }
	body := map[string]int64{"buckets": n}
	if got := s.Do(t, http.MethodPut, "/api/v1/admin/inventory/"+sku+"/buckets", body, &answer, s.asAdmin(t)); got.StatusCode != http.StatusOK {
		t.Fatalf("splitting got %d", got.StatusCode)
	}
	return answer.Items
}

func TestASplitSKUIsSoldFromAllItsBuckets(t *testing.T) {
	t.Parallel()
	shop := start(t)
	shop.count(t, stock("A", iad, 10), stock("A", dub, 2))
	early, wide := newSaga(), newSaga()
	shop.reserve(t, request(early, "US", line("A", 3)))
	for _, level := range shop.rebucket(t, "A", 4) {
		if level.Buckets != 4 {
			t.Errorf("%+v is not split in 4", level)
		}
	}
	got, status := shop.reserve(t, request(wide, "US", line("A", 8)))
	wantState(t, got, status, contract.ReservationHeld, http.StatusCreated)
	wantAllocations(t, got.Allocations, contract.Allocation{Region: "us-east", Warehouse: iad, SKU: "A", Quantity: 7},
		contract.Allocation{Region: "eu-west", Warehouse: dub, SKU: "A", Quantity: 1})
	if again, status := shop.reserve(t, request(wide, "US", line("A", 8))); status != http.StatusOK || len(again.Allocations) != 2 {
		t.Errorf("the repeat got %d %+v", status, again)
	}
	shop.rebucket(t, "A", 1)
	shop.audit(t)
	shop.act(t, early, "confirm")
	shop.act(t, wide, "release")
	shop.rebucket(t, "A", 2)
	shop.count(t, stock("A", iad, 1), stock("A", dub, 20)) // what goes is taken from any bucket
	for _, level := range shop.rebucket(t, "A", 1) {
		if level.Buckets != 1 || level.Reserved != 0 {
			t.Errorf("joined, it is %+v", level)
		}
	}
	if levels := shop.levels(t, "A"); levels[iad] != [2]int64{1, 0} || levels[dub] != [2]int64{20, 0} {
		t.Errorf("the stock is %v", levels)
	}
	for path, want := range map[string]int{"A": http.StatusUnprocessableEntity, "nothing": http.StatusNotFound} {
		body := map[string]int64{"buckets": map[string]int64{"A": 99, "nothing": 2}[path]}
		got := shop.Do(t, http.MethodPut, "/api/v1/admin/inventory/"+path+"/buckets", body, nil, shop.asAdmin(t)).StatusCode
		if got != want && got != http.StatusBadRequest {
			t.Errorf("splitting %s wrongly got %d, want %d", path, got, want)
		}
	}
	shop.audit(t)
}

// While three processes sell a SKU it is split, joined and counted all the time: no unit is lost and none is sold twice.
func TestSplittingUnderFire(t *testing.T) {
	t.Parallel()
	shop := start(t)
	const units = 90
	shop.count(t, stock("A", iad, units))
	var sold, short int
	var mu sync.Mutex
	var shoppers, splitting sync.WaitGroup
	done := make(chan struct{})
	for _, region := range shop.Regions {
		service := shop.serviceIn(region.Name)
		for range 5 {
			shoppers.Go(func() {
				for range 10 {
					_, _, err := service.reserve(t.Context(), request(newSaga(), "US", line("A", 1)))
					mu.Lock()
					switch contract.CodeOf(err) {
					case "":
						sold++
					case contract.CodeOutOfStock:
						short++
					default:
						t.Error(err)
					}
					mu.Unlock()
				}
			})
		}
	}
	splitter := shop.serviceIn("us-east").store
	splitting.Go(func() {
		for n := int64(0); ; n++ {
			select {
			case <-done:
				return
			default:
				if err := splitter.rebucket(t.Context(), "A", 1+n%4, 0); err != nil {
					t.Error(err)
				}
			}
		}
	})
	shoppers.Wait()
	close(done)
	splitting.Wait()
	if sold != units || short != 150-units {
		t.Errorf("%d were sold and %d refused, want %d and %d", sold, short, units, 150-units)
	}
	shop.audit(t)
}

// Demand splits a SKU; its absence, or its end, joins it.
func TestHotSKUsAreSplitAndJoinedAgain(t *testing.T) {
	t.Parallel()
	shop := start(t)
	shop.count(t, stock("A", iad, 100), stock("A", dub, 3))
	service := shop.service()
	splitter := &splitter{store: service.store, heat: service.heat, own: 0, buckets: 3, log: slog.New(slog.DiscardHandler), looked: map[string]look{}}
	pass := func(at time.Time, want int) {
		t.Helper()
		if err := splitter.pass(t.Context(), at); err != nil {
			t.Fatal(err)
		}
		buckets, err := service.store.stock(t.Context(), []string{"A"})
		if err != nil || len(buckets) != want {
			t.Errorf("there are %d buckets, %v, want %d", len(buckets), err, want)
		}
	}
	now := time.Now()
	service.heat.add("A", hotAt-1)
	pass(now, 2) // warm, not hot
	service.heat.add("A", hotAt)
	pass(now, 4) // three of them where enough is, one where it is not
	pass(now.Add(coolAfter/2), 4)
	for range quiet + 1 {
		if _, _, err := service.reserve(t.Context(), request(newSaga(), "IE", line("A", 1))); err != nil {
			t.Fatal(err)
		}
	}
	pass(now.Add(coolAfter), 4)   // it was not quiet
	pass(now.Add(2*coolAfter), 3) // joined; what is reserved keeps its bucket
	service.heat.add("A", hotAt)
	pass(now.Add(2*coolAfter), 3) // too little is left to be worth it
	shop.audit(t)
}
