package inventory

import (
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/local/kittest"
)

func TestCountsSayWhatBecameOfEach(t *testing.T) {
	t.Parallel()
	shop := start(t)
	shop.count(t, contract.StockCount{SKU: "A", Warehouse: iad, OnHand: 10, Reference: "import 1"})
	shop.reserve(t, request(newSaga(), "US", line("A", 4)))
	results := shop.tryCount(t,
		contract.StockCount{SKU: "A", Warehouse: iad, OnHand: 99, Reference: "import 1"},
		contract.StockCount{SKU: "B", Warehouse: dub, OnHand: 0, Reference: "import 1"},
		contract.StockCount{SKU: "B", Warehouse: "moon-1", OnHand: 1, Reference: "import 1"},
		contract.StockCount{SKU: "B", Warehouse: dub, OnHand: 7, Reference: "import 2"},
		contract.StockCount{SKU: " ", Warehouse: dub, OnHand: 7, Reference: "import 2"},
		contract.StockCount{SKU: "C", Warehouse: dub, OnHand: 7, Reference: "a\tb"},
	)
	want := []string{outcomeUnchanged, outcomeApplied, outcomeRefused, outcomeRefused, outcomeRefused, outcomeRefused}
	for i, result := range results {
		if result.Outcome != want[i] || (result.Reason == "") != (want[i] != outcomeRefused) {
			t.Errorf("count %d got %+v, want %s", i, result, want[i])
		}
	}
	if !strings.Contains(results[2].Reason, "moon-1") || !strings.Contains(results[3].Reason, dub) {
		t.Errorf("the reasons are %q and %q", results[2].Reason, results[3].Reason)
	}
	below := shop.tryCount(t, contract.StockCount{SKU: "A", Warehouse: iad, OnHand: 3, Reference: "import 3"})[0]
	if below.Outcome != outcomeRefused || !strings.Contains(below.Reason, "4") {
		t.Errorf("a count below what is reserved got %+v", below)
	}
	shop.count(t, contract.StockCount{SKU: "A", Warehouse: iad, OnHand: 4, Reference: "import 4"})
	if levels := shop.levels(t, "A"); levels[iad] != [2]int64{4, 4} {
		t.Errorf("the stock is %v", levels)
	}
	shop.audit(t)
}

// An import that is run again after sales must not undo them, and one whose reference is a saga's id must not block its sale.
func TestACountIsAppliedOnce(t *testing.T) {
	t.Parallel()
	shop := start(t)
	saga := newSaga()
	count := contract.StockCount{SKU: "A", Warehouse: iad, OnHand: 10, Reference: saga}
	shop.count(t, count)
	shop.reserve(t, request(saga, "US", line("A", 3)))
	if _, status := shop.act(t, saga, "confirm"); status != http.StatusOK {
		t.Fatalf("confirm got %d", status)
	}
	if result := shop.tryCount(t, count)[0]; result.Outcome != outcomeUnchanged {
		t.Errorf("the repeated count got %+v", result)
	}
	if levels := shop.levels(t, "A"); levels[iad] != [2]int64{7, 0} {
		t.Errorf("the stock is %v", levels)
	}
	shop.audit(t)
}

func TestOneCountByItsSKU(t *testing.T) {
	t.Parallel()
	shop := start(t)
	const sku = "Tee/XL 50% “blue”"
	path := "/api/v1/admin/inventory/" + url.PathEscape(sku)
	put := func(body any) (contract.StockResult, int) {
		var result contract.StockResult
		return result, shop.Do(t, http.MethodPut, path, body, &result, shop.asAdmin(t)).StatusCode
	}
	body := map[string]any{"warehouse": dub, "on_hand": 6, "reference": "r1"}
	for _, outcome := range []string{outcomeApplied, outcomeUnchanged} {
		result, status := put(body)
		if want := (contract.StockResult{SKU: sku, Warehouse: dub, Outcome: outcome}); status != http.StatusOK || result != want {
			t.Errorf("got %d %+v, want %+v", status, result, want)
		}
	}
	if _, status := put(contract.StockCount{SKU: "other", Warehouse: dub, OnHand: 6, Reference: "r2"}); status != http.StatusBadRequest {
		t.Errorf("a body of another SKU got %d, want 400", status)
	}
	if _, status := put(map[string]any{"warehouse": "moon-1", "on_hand": 6, "reference": "r2"}); status != http.StatusBadRequest {
		t.Errorf("an unknown warehouse got %d, want 400", status)
	}
	if _, status := put(map[string]any{"warehouse": dub, "on_hand": -1, "reference": "r2"}); status != http.StatusBadRequest && status != http.StatusUnprocessableEntity {
		t.Errorf("a negative count got %d", status)
	}
	shop.reserve(t, request(newSaga(), "IE", line(sku, 6)))
	if _, status := put(map[string]any{"warehouse": dub, "on_hand": 5, "reference": "r2"}); status != http.StatusConflict {
		t.Errorf("a count below what is reserved got %d, want 409", status)
	}
	var answer struct{ Items []contract.StockLevel }
	shop.Do(t, http.MethodGet, path, nil, &answer, shop.asAdmin(t))
	want := []contract.StockLevel{{SKU: sku, Region: "eu-west", Warehouse: dub, OnHand: 6, Reserved: 6, Buckets: 1}}
	if !reflect.DeepEqual(answer.Items, want) {
		t.Errorf("got %+v, want %+v", answer.Items, want)
	}
}

func TestOnlyOperatorsCount(t *testing.T) {
	t.Parallel()
	shop := start(t)
	for _, who := range []struct {
		headers map[string]string
		want    int
	}{
		{nil, http.StatusUnauthorized},
		{map[string]string{"Authorization": shop.Token(t, contract.RoleShopper)}, http.StatusForbidden},
		{map[string]string{"Authorization": shop.Token(t, contract.RoleSupport)}, http.StatusForbidden},
		{map[string]string{"Authorization": shop.Token(t, contract.RoleAdmin)}, http.StatusOK},
	} {
		body := map[string]any{"items": []contract.StockCount{stock("A", iad, 1)}}
		if response := shop.Do(t, http.MethodPost, "/api/v1/admin/inventory", body, nil, who.headers); response.StatusCode != who.want {
			t.Errorf("counting with %v got %d, want %d", who.headers, response.StatusCode, who.want)
		}
		response := shop.Do(t, http.MethodGet, "/api/v1/admin/inventory/A", nil, nil, who.headers)
		if response.StatusCode != who.want {
			t.Errorf("reading stock with %v got %d, want %d", who.headers, response.StatusCode, who.want)
		}
	}
}

func TestAvailabilityTellsBandsOnly(t *testing.T) {
	t.Parallel()
	shop := start(t)
	shop.count(t, stock("A", iad, 100), stock("A", dub, contract.LowStock))
	var got contract.Availability
	response := shop.Do(t, http.MethodGet, "/api/v1/inventory/A", nil, &got)
	want := contract.Availability{SKU: "A", Stock: contract.BandInStock, Regions: []contract.RegionAvailability{
		{Region: "us-east", Stock: contract.BandInStock}, {Region: "eu-west", Stock: contract.BandLow}, {Region: "ap-southeast", Stock: contract.BandOut},
	}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	tag := response.Header.Get("ETag")
	if tag == "" || response.Header.Get("Cache-Control") != "no-cache" {
		t.Errorf("the headers are %v", response.Header)
	}
	unchanged := map[string]string{"If-None-Match": tag}
	if response := shop.Do(t, http.MethodGet, "/api/v1/inventory/A", nil, nil, unchanged); response.StatusCode != http.StatusNotModified {
		t.Errorf("an unchanged SKU got %d, want 304", response.StatusCode)
	}
	shop.reserve(t, request(newSaga(), "IE", line("A", contract.LowStock)))
	kittest.Eventually(t, func() error { // a count is believed for a second
		if response := shop.Do(t, http.MethodGet, "/api/v1/inventory/A", nil, &got, unchanged); response.StatusCode != http.StatusOK || got.Regions[1].Stock != contract.BandOut {
			return fmt.Errorf("after a sale got %d %+v", response.StatusCode, got)
		}
		return nil
	})
	if response := shop.Do(t, http.MethodGet, "/api/v1/inventory/nothing", nil, nil); response.StatusCode != http.StatusNotFound {
		t.Errorf("an unknown SKU got %d, want 404", response.StatusCode)
	}
}
