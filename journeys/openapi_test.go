package journeys_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/meridian-store/meridian/local/kittest"
)

// The document that the running gateway merges out of its services describes the public API, and nothing that is internal.
func TestTheAPIDescribesItself(t *testing.T) {
	s := openShop(t)
	t.Parallel()
	var document []byte
	kittest.Eventually(t, func() error { // the gateway asks each service for its part in the background
		document = s.ask(t, "IAD", http.MethodGet, "/api/openapi.json", nil, nil).want(t, http.StatusOK).body
		var read struct {
			Paths map[string]map[string]json.RawMessage `json:"paths"`
		}
		if err := json.Unmarshal(document, &read); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{
			"get /api/v1/products", "get /api/v1/products/{id}", "get /api/v1/categories", "get /api/v1/inventory/{sku}",
			"get /api/v1/cart", "delete /api/v1/cart", "post /api/v1/cart/items", "put /api/v1/cart/items/{sku}", "delete /api/v1/cart/items/{sku}",
			"post /api/v1/checkout/quote", "post /api/v1/checkout", "get /api/v1/orders", "get /api/v1/orders/{id}",
			"post /api/v1/admin/products", "put /api/v1/admin/inventory/{sku}", "get /api/v1/regions",
		} {
			method, path, _ := strings.Cut(want, " ")
			if _, there := read.Paths[path][method]; !there {
				return fmt.Errorf("the document lacks %s", want)
			}
		}
		for path := range read.Paths {
			if strings.HasPrefix(path, "/internal") {
				t.Fatalf("the public document tells of %s", path)
			}
		}
		return nil
	})
	loaded, err := openapi3.NewLoader().LoadFromData(document)
	if err != nil {
		t.Fatal(err)
	}
	if err := loaded.Validate(t.Context(), openapi3.IsOpenAPI31OrLater()); err != nil {
		t.Fatal(err)
	}
	page := s.ask(t, "IAD", http.MethodGet, "/api/docs", nil, nil).want(t, http.StatusOK)
	if !strings.HasPrefix(page.header.Get("Content-Type"), "text/html") || page.header.Get("Content-Security-Policy") == "" || !strings.Contains(string(page.body), "/api/v1/checkout") {
		t.Fatalf("the readable page is %s: %.300s", page.header.Get("Content-Type"), page.body)
	}
}
