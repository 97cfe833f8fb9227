package gateway_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/local/kittest"
	"github.com/meridian-store/meridian/services/gateway"
)

func TestRequestsReachTheServiceOfTheTable(t *testing.T) {
	t.Parallel()
	shop := kittest.Start(t, gateway.Definition())
	for _, name := range []string{contract.ServiceCatalog, contract.ServiceCart, contract.ServiceInventory, contract.ServiceOrder} {
		shop.Neighbour(t, name, echo(t, name))
	}
	admin := map[string]string{"Authorization": shop.Token(t, contract.RoleAdmin)}
	key := map[string]string{"Idempotency-Key": "k1"}
	traced := map[string]string{"Traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
	for _, request := range []struct {
		method, path, service string
		headers               map[string]string
	}{
		{"GET", "/api/v1/products?limit=20&cursor=a%2Fb+c&q=%C3%A9", contract.ServiceCatalog, nil},
		{"GET", "/api/v1/products/blue-shirt", contract.ServiceCatalog, nil},
		{"GET", "/api/v1/categories", contract.ServiceCatalog, nil},
		{"GET", "/api/v1/inventory/AB%2FC%20d", contract.ServiceInventory, nil},
		{"GET", "/api/v1/cart", contract.ServiceCart, nil},
		{"POST", "/api/v1/cart/items", contract.ServiceCart, nil},
		{"DELETE", "/api/v1/cart/items/SKU%2f1", contract.ServiceCart, nil},
		{"POST", "/api/v1/checkout/quote", contract.ServiceOrder, nil},
		{"POST", "/api/v1/checkout", contract.ServiceOrder, key},
		{"GET", "/api/v1/orders/ord_use_1", contract.ServiceOrder, nil},
		{"POST", "/api/v1/orders/ord_use_1/cancel", contract.ServiceOrder, key},
		{"PUT", "/api/v1/admin/products/prd_use_1", contract.ServiceCatalog, admin},
		{"POST", "/api/v1/admin/categories", contract.ServiceCatalog, admin},
		{"PUT", "/api/v1/admin/inventory/SKU-1", contract.ServiceInventory, admin},
	} {
		body := any([]byte(nil))
		if request.method != http.MethodGet && request.method != http.MethodDelete {
			body = []byte(`{"a": 1}`)
		}
		var got heard
		response := shop.Do(t, request.method, request.path, body, &got, request.headers, traced)
		if got.Who != request.service || got.Method != request.method || got.URI != request.path {
			t.Errorf("%s %s came to %s as %s %s", request.method, request.path, got.Who, got.Method, got.URI)
		}
		if got.Host != request.service {
			t.Errorf("%s heard the caller's host %q", got.Who, got.Host)
		}
		if got.Body != "" && got.Body != `{"a": 1}` {
			t.Errorf("the body came as %q", got.Body)
		}
		for _, name := range []string{"X-Region", "Traceparent"} {
			if values := response.Header.Values(name); len(values) != 1 || values[0] == "the service's own" {
				t.Errorf("%s is %q, want one value of the gateway's", name, values)
			}
		}
		trace := response.Header.Get("Traceparent")
		if len(trace) != 55 || got.Header.Get("Traceparent") != trace || !strings.Contains(trace, "0af7651916cd43dd8448eb211c80319c") {
			t.Errorf("the service heard the trace %q, the caller %q", got.Header.Get("Traceparent"), trace)
		}
		if response.Header.Get("Etag") != `"1"` {
			t.Error("the service's ETag got lost")
		}
	}
}

func TestHeadIsGetWithoutItsBody(t *testing.T) {
	t.Parallel()
	shop := kittest.Start(t, gateway.Definition())
	shop.Neighbour(t, contract.ServiceCatalog, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Heard", r.Method)
		w.Header().Set("Content-Type", "text/plain")
		if _, err := w.Write([]byte("twelve bytes")); err != nil {
			t.Error(err)
		}
	}))
	response := shop.Do(t, http.MethodHead, "/api/v1/products", nil, nil)
	if response.StatusCode != http.StatusOK || response.Header.Get("X-Heard") != http.MethodGet || response.ContentLength != 12 {
		t.Fatalf("HEAD: status %d, heard %q, length %d", response.StatusCode, response.Header.Get("X-Heard"), response.ContentLength)
	}
}

func TestStatusesAndEmptyAnswersPassUnchanged(t *testing.T) {
	t.Parallel()
	shop := kittest.Start(t, gateway.Definition())
	shop.Neighbour(t, contract.ServiceCatalog, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Cache-Tag", "a")
		w.Header().Add("Cache-Tag", "b")
		switch {
		case r.Header.Get("If-None-Match") != "":
			w.WriteHeader(http.StatusNotModified)
		default:
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusNotFound)
			if _, err := w.Write([]byte(`{"status":404}`)); err != nil {
				t.Error(err)
			}
		}
	}))
	unchanged := shop.Do(t, http.MethodGet, "/api/v1/products", nil, nil, map[string]string{"If-None-Match": `"1"`})
	if unchanged.StatusCode != http.StatusNotModified || !slices.Equal(unchanged.Header.Values("Cache-Tag"), []string{"a", "b"}) {
		t.Errorf("status %d with tags %q", unchanged.StatusCode, unchanged.Header.Values("Cache-Tag"))
	}
	missing := shop.Do(t, http.MethodGet, "/api/v1/products/x", nil, nil)
	if missing.StatusCode != http.StatusNotFound || missing.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("status %d, type %q", missing.StatusCode, missing.Header.Get("Content-Type"))
	}
}

func TestNothingElseIsServed(t *testing.T) {
	t.Parallel()
	shop := kittest.Start(t, gateway.Definition())
	shop.Neighbour(t, contract.ServiceCatalog, echo(t, contract.ServiceCatalog))
	for _, path := range []string{
		"/", "/api", "/api/v1", "/api/v1/nothing", "/api/v1/products/", "/API/v1/products", "/api/v1/Products", "/api/v1/prod%75cts",
		"/api/v1/internal/products", "/internal/v1/stock", "/api/internal/v1/stock", "/products",
	} {
		problem(t, shop.Do(t, http.MethodGet, path, nil, nil), http.StatusNotFound)
	}
	for _, path := range []string{
		"/api/v1//products", "/api/v1/products/../../../internal/v1/stock", "/api/v1/products/%2e%2e/x", "/api/v1/products/..%2f..%2fx",
		"/api/v1/products/%2E", "/api/v1/products/a%00b", "/api/v1/products/a%5cb", "/api/v1/products/a%0d%0ab",
	} {
		problem(t, shop.Do(t, http.MethodGet, path, nil, nil), http.StatusBadRequest)
	}
	response := shop.Do(t, http.MethodPost, "/api/v1/products", nil, nil)
	problem(t, response, http.StatusMethodNotAllowed)
	if allow := response.Header.Get("Allow"); allow != "GET, HEAD" {
		t.Errorf("Allow is %q", allow)
	}
	problem(t, shop.Do(t, http.MethodDelete, "/api/v1/regions", nil, nil), http.StatusMethodNotAllowed)
}
