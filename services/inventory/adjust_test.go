package inventory

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/meridian-store/meridian/contract"
)

func (s shop) adjust(t testing.TB, items ...contract.StockAdjustment) []contract.StockResult {
	t.Helper()
	var answer struct{ Results []contract.StockResult }
	body := map[string]any{"items": items}
	if response := s.Do(t, http.MethodPost, "/api/v1/admin/inventory/adjustments", body, &answer, s.asAdmin(t)); response.StatusCode != http.StatusOK {
		t.Fatalf("adjusting got %d", response.StatusCode)
	}
	return answer.Results
}

func adjustment(warehouse string, delta int64, kind, reference string) contract.StockAdjustment {
	return contract.StockAdjustment{SKU: "A", Warehouse: warehouse, Delta: delta, Kind: kind, Reference: reference, Reason: "truck"}
}

func TestAdjustmentsSayWhatBecameOfEach(t *testing.T) {
	t.Parallel()
	shop := start(t)
	items := []contract.StockAdjustment{
		adjustment(iad, 10, movementReceived, "r1"),
		adjustment(iad, 5, movementReceived, "r2"),  // two deliveries of one SKU in one request
		adjustment(iad, 5, movementReceived, "r2"),  // the same one twice
		adjustment(iad, -4, movementAdjusted, "r1"), // another kind has references of its own
		adjustment(iad, 0, movementReceived, "r3"),
		adjustment(iad, -12, movementAdjusted, "r4"), // 11 are there
		adjustment("moon-1", 1, movementReceived, "r5"),
		adjustment(dub, 3, movementAdjusted, "a\tb"),
	}
	want := []string{outcomeApplied, outcomeApplied, outcomeRefused, outcomeApplied, outcomeRefused, outcomeRefused, outcomeRefused, outcomeRefused}
	for i, result := range shop.adjust(t, items...) {
		if result.Outcome != want[i] || (result.Reason == "") != (want[i] != outcomeRefused) {
			t.Errorf("adjustment %d got %+v, want %s", i, result, want[i])
		}
	}
	for i, result := range shop.adjust(t, items[0], items[1], items[3]) {
		if result.Outcome != outcomeUnchanged {
			t.Errorf("the repeated adjustment %d got %+v", i, result)
		}
	}
	shop.reserve(t, request(newSaga(), "US", line("A", 9)))
	if below := shop.adjust(t, adjustment(iad, -3, movementAdjusted, "r6"))[0]; below.Outcome != outcomeRefused || !strings.Contains(below.Reason, "9") {
		t.Errorf("taking what is reserved got %+v", below)
	}
	if levels := shop.levels(t, "A"); levels[iad] != [2]int64{11, 9} {
		t.Errorf("the stock is %v", levels)
	}
	shop.audit(t)
}

// The ledger is read page by page; its quantities add up to what is on hand.
func TestTheLedgerAddsUpToWhatIsOnHand(t *testing.T) {
	t.Parallel()
	shop := start(t)
	saga := newSaga()
	for i, warehouse := range []string{iad, dub, sin, iad, dub} {
		shop.adjust(t, adjustment(warehouse, int64(3+i), movementReceived, fmt.Sprint("r", i)))
	}
	shop.reserve(t, request(saga, "US", line("A", 11)))
	shop.act(t, saga, "confirm")
	shop.takeBack(t, saga, contract.StockReturn{ReturnID: "back", Lines: []contract.SKUCount{line("A", 2)}})
	var ledger []contract.StockMovement
	for cursor := ""; ; {
		var page struct {
			Items      []contract.StockMovement `json:"items"`
			NextCursor string                   `json:"next_cursor"`
		}
		path := "/api/v1/admin/inventory/A/movements?limit=2&cursor=" + cursor
		if got := shop.Do(t, http.MethodGet, path, nil, &page, shop.asAdmin(t)); got.StatusCode != http.StatusOK || len(page.Items) > 2 {
			t.Fatalf("a page got %d with %d items", got.StatusCode, len(page.Items))
		}
		ledger = append(ledger, page.Items...)
		if cursor = page.NextCursor; cursor == "" {
			break
		}
	}
	if !slices.IsSortedFunc(ledger, func(a, b contract.StockMovement) int { return b.At.Compare(a.At) }) {
		t.Error("the ledger is not in order")
	}
	sums := map[string]int64{}
	kinds := map[string]int{}
	for _, m := range ledger {
		sums[m.Warehouse] += m.Quantity
		kinds[m.Kind]++
	}
	for warehouse, level := range shop.levels(t, "A") {
		if sums[warehouse] != level[0] {
			t.Errorf("%s has %d on hand, its movements add up to %d", warehouse, level[0], sums[warehouse])
		}
	}
	if kinds[movementReceived] != 5 || kinds[movementSold] < 1 || kinds[movementReturned] != 1 {
		t.Errorf("the ledger has %v", kinds)
	}
	if got := shop.Do(t, http.MethodGet, "/api/v1/admin/inventory/A/movements?cursor=x", nil, nil, shop.asAdmin(t)); got.StatusCode != http.StatusBadRequest {
		t.Errorf("a broken cursor got %d, want 400", got.StatusCode)
	}
}

func FuzzLedgerCursor(f *testing.F) {
	f.Add("")
	f.Add("eyJ0IjoiMjAyNi0xMS0yM1QwMDowMDowMFoifQ")
	f.Fuzz(func(t *testing.T, cursor string) {
		place, err := ledgerAfter(cursor)
		if err != nil || cursor == "" {
			return
		}
		text, err := place.cursor()
		if err != nil {
			t.Fatal(err)
		}
		if again, err := ledgerAfter(text); err != nil || !again.At.Equal(place.At) || again.Reference != place.Reference {
			t.Fatalf("%+v came back as %+v, %v", place, again, err)
		}
	})
}
