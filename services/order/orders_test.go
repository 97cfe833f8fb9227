package order_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/meridian-store/meridian/contract"
)

func TestAnOrderIsReadByItsBuyerAndBySupport(t *testing.T) {
	t.Parallel()
	s := openShop(t, unhurried())
	ref, stranger := s.fill("use", "APRON"), s.fill("use", "BOWL")
	bought := s.buy(ref, "key", paying("tok_visa"))
	nothing := "/api/v1/orders/ord_use_01ARZ3NDEKTSV4RRFFQ69G5FAV"
	tests := map[string]struct {
		path    string
		headers []string
		status  int
	}{
		"its cart":             {bought.location, []string{contract.HeaderCartID, ref}, http.StatusOK},
		"its cart as a cookie": {bought.location, []string{"Cookie", "cart=" + ref}, http.StatusOK},
		"another cart":         {bought.location, []string{contract.HeaderCartID, stranger}, http.StatusNotFound},
		"the cart's id alone":  {bought.location, []string{contract.HeaderCartID, ref[:len(ref)-33]}, http.StatusNotFound},
		"another secret":       {bought.location, []string{contract.HeaderCartID, ref[:len(ref)-32] + "00000000000000000000000000000000"}, http.StatusNotFound},
		"nobody":               {bought.location, nil, http.StatusNotFound},
		"support":              {bought.location, []string{"Authorization", s.Token(t, contract.RoleSupport)}, http.StatusOK},
		"admin":                {bought.location, []string{"Authorization", s.Token(t, contract.RoleAdmin)}, http.StatusOK},
		"a shopper's token":    {bought.location, []string{"Authorization", s.Token(t, contract.RoleShopper)}, http.StatusNotFound},
		"an order of nobody":   {nothing, []string{"Authorization", s.Token(t, contract.RoleSupport)}, http.StatusNotFound},
		"no order's id":        {"/api/v1/orders/7", []string{"Authorization", s.Token(t, contract.RoleSupport)}, http.StatusNotFound},
		"an order of nowhere":  {"/api/v1/orders/ord_xyz_01ARZ3NDEKTSV4RRFFQ69G5FAV", []string{"Authorization", s.Token(t, contract.RoleSupport)}, http.StatusNotFound},
	}
	for name, test := range tests {
		if got := s.must(http.MethodGet, test.path, nil, test.headers...); got.status != test.status {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestACartsOrdersAreListedNewestFirst(t *testing.T) {
	t.Parallel()
	s := openShop(t, unhurried())
	ref := s.fill("use", "APRON")
	want := map[string]bool{}
	for _, key := range []string{"1", "2", "3"} {
		want[s.buy(ref, key, paying("tok_visa")).order(t).ID] = true
		s.add(ref, "BOWL")
	}
	type page struct {
		Items      []contract.Order `json:"items"`
		NextCursor string           `json:"next_cursor"`
	}
	var seen []string
	path := "/api/v1/orders?limit=2"
	for _, size := range []int{2, 1} {
		var got page
		if err := json.Unmarshal([]byte(s.must(http.MethodGet, path, nil, contract.HeaderCartID, ref).body), &got); err != nil || len(got.Items) != size {
			t.Fatalf("%s gives %+v (%v)", path, got, err)
		}
		for _, item := range got.Items {
			seen = append(seen, item.ID)
			if !want[item.ID] || len(item.History) != 4 {
				t.Errorf("%+v", item)
			}
			delete(want, item.ID)
		}
		path = "/api/v1/orders?limit=2&cursor=" + got.NextCursor
	}
	if len(want) != 0 || seen[0] < seen[1] || seen[1] < seen[2] {
		t.Errorf("saw %v", seen)
	}
	var none page
	stranger := ref[:len(ref)-32] + "00000000000000000000000000000000"
	if err := json.Unmarshal([]byte(s.must(http.MethodGet, "/api/v1/orders", nil, contract.HeaderCartID, stranger).body), &none); err != nil || len(none.Items) != 0 {
		t.Errorf("a stranger sees %+v (%v)", none, err)
	}
	if got := s.must(http.MethodGet, "/api/v1/orders?cursor=x", nil, contract.HeaderCartID, ref); got.status != http.StatusBadRequest {
		t.Errorf("%s", got)
	}
}

func TestTheDocumentTellsWhatACheckoutAnswers(t *testing.T) {
	t.Parallel()
	s := openShop(t, unhurried())
	var document struct {
		Paths map[string]map[string]struct {
			Responses map[string]struct {
				Content map[string]struct {
					Schema struct {
						Ref string `json:"$ref"`
					} `json:"schema"`
				} `json:"content"`
			} `json:"responses"`
		} `json:"paths"`
		Components struct {
			Schemas map[string]any `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal([]byte(s.must(http.MethodGet, "/openapi.json", nil).body), &document); err != nil {
		t.Fatal(err)
	}
	responses := document.Paths["/api/v1/checkout"]["post"].Responses
	for status, kind := range map[string]string{"201": "application/json", "202": "application/json", "400": "application/problem+json", "402": "application/problem+json", "409": "application/problem+json", "422": "application/problem+json"} {
		ref := responses[status].Content[kind].Schema.Ref
		const prefix = "#/components/schemas/"
		if len(ref) <= len(prefix) || document.Components.Schemas[ref[len(prefix):]] == nil {
			t.Errorf("%s is described by %q", status, ref)
		}
		if kind == "application/json" && ref != prefix+"Order" {
			t.Errorf("%s is %s, not an order", status, ref)
		}
	}
}
