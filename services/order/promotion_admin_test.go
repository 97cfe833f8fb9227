package order_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/services/order"
	"github.com/meridian-store/meridian/services/order/promotion"
)

func TestPromotionsAreManaged(t *testing.T) {
	t.Parallel()
	s := openShop(t, unhurried())
	const path = "/api/v1/admin/promotions"
	token := s.Token(t, contract.RoleMerchandiser)
	made := s.promote(promotion.Promotion{Title: "Ten", Code: "ten", Kind: promotion.Percentage, BasisPoints: 1000})
	if made.Code != "TEN" || made.Version != 1 || made.Region != "us-east" {
		t.Errorf("%+v", made)
	}
	tag := fmt.Sprintf("%q", made.ID)
	wanted := promotion.Promotion{Title: "Twenty", Code: "TWENTY", Kind: promotion.Percentage, BasisPoints: 2000, UseLimit: 3}
	for _, test := range []struct {
		name, method, path string
		body               any
		headers            []string
		status             int
		says               string
	}{
		{"no token", http.MethodGet, path, nil, nil, http.StatusUnauthorized, ""},
		{"a shopper", http.MethodGet, path, nil, []string{"Authorization", s.Token(t, contract.RoleShopper)}, http.StatusForbidden, ""},
		{"support may not write", http.MethodPost, path, wanted, []string{"Authorization", s.Token(t, contract.RoleSupport)}, http.StatusForbidden, ""},
		{"the same code", http.MethodPost, path, promotion.Promotion{Title: "Other", Code: " TEN", Kind: promotion.FreeShipping}, []string{"Authorization", token}, http.StatusConflict, "TEN"},
		{"nothing", http.MethodPost, path, promotion.Promotion{Title: "Other", Kind: promotion.Amount}, []string{"Authorization", token}, http.StatusBadRequest, `"field":"amounts"`},
		{"half a cent", http.MethodPost, path, map[string]any{"title": "x", "kind": "amount", "amounts": []any{map[string]any{"amount": 0.5, "currency": "USD"}}}, []string{"Authorization", token}, http.StatusBadRequest, "amount"},
		{"another's version", http.MethodPut, path + "/" + made.ID, wanted, []string{"Authorization", token, "If-Match", tag}, http.StatusPreconditionFailed, ""},
		{"unknown", http.MethodGet, path + "/prm_use_01ARZ3NDEKTSV4RRFFQ69G5FAV", nil, []string{"Authorization", token}, http.StatusNotFound, ""},
		{"no cursor of ours", http.MethodGet, path + "?cursor=x", nil, []string{"Authorization", token}, http.StatusBadRequest, "cursor"},
		{"changed", http.MethodPut, path + "/" + made.ID, wanted, []string{"Authorization", token}, http.StatusOK, `"version":2`},
		{"read", http.MethodGet, path + "/" + made.ID, nil, []string{"Authorization", s.Token(t, contract.RoleSupport)}, http.StatusOK, `"use_limit":3`},
	} {
		got := s.must(test.method, test.path, test.body, test.headers...)
		if got.status != test.status || !strings.Contains(got.body, test.says) {
			t.Errorf("%s: %s", test.name, got)
		}
	}
	s.checkCodes(t)
	if got := s.must(http.MethodDelete, path+"/"+made.ID, nil, "Authorization", token); got.status != http.StatusNoContent {
		t.Errorf("%s", got)
	}
	if got := s.must(http.MethodGet, "/internal/v1/promotions/codes/TWENTY", nil, contract.HeaderInternal, s.Env.InternalSecret.Current()); got.status != http.StatusNotFound {
		t.Errorf("%s", got)
	}
}

// checkCodes asks for codes as the cart does.
func (s *shop) checkCodes(t *testing.T) {
	t.Helper()
	later, before := time.Now().Add(time.Hour), time.Now().Add(-time.Hour)
	s.promote(promotion.Promotion{Title: "Soon", Code: "SOON", Kind: promotion.FreeShipping, StartsAt: &later})
	s.promote(promotion.Promotion{Title: "Over", Code: "OVER", Kind: promotion.FreeShipping, EndsAt: &before})
	s.promote(promotion.Promotion{Title: "Automatic", Kind: promotion.FreeShipping})
	for code, status := range map[string]int{"TWENTY": http.StatusOK, "twenty": http.StatusOK, "TEN": http.StatusNotFound, "SOON": http.StatusNotFound, "OVER": http.StatusNotFound, "%20": http.StatusNotFound} {
		got := s.must(http.MethodGet, "/internal/v1/promotions/codes/"+code, nil, contract.HeaderInternal, s.Env.InternalSecret.Current())
		if got.status != status || (status == http.StatusOK && got.body != `{"code":"TWENTY","title":"Twenty"}`+"\n") {
			t.Errorf("%s: %s", code, got)
		}
	}
	ref := s.fill("use", "APRON")
	s.alter(ref, func(c *contract.CartContents) { c.Codes = []string{"SOON", "OVER", "NEVER"} })
	quote, err := s.quote(ref, nil)
	reasons := map[string]string{}
	for _, refusal := range quote.NotApplied {
		reasons[refusal.Code] = refusal.Reason
	}
	if err != nil || reasons["SOON"] != "not_started" || reasons["OVER"] != "expired" || reasons["NEVER"] != "unknown" {
		t.Errorf("%v (%v)", quote.NotApplied, err)
	}
}

func TestPromotionsAreListedInPages(t *testing.T) {
	t.Parallel()
	s := openShop(t, unhurried())
	var want []string
	for i := range 5 {
		want = append(want, s.promote(promotion.Promotion{Title: "Code", Code: fmt.Sprintf("CODE-%d", i), Kind: promotion.FreeShipping}).ID)
	}
	slices.Sort(want) // within a millisecond, ids are in no order
	cursor := ""
	for len(want) > 0 {
		got := s.must(http.MethodGet, "/api/v1/admin/promotions?limit=2&cursor="+cursor, nil, "Authorization", s.Token(t, contract.RoleAdmin))
		var page struct {
			Items      []order.PromotionRecord `json:"items"`
			NextCursor string                  `json:"next_cursor"`
		}
		if err := json.Unmarshal([]byte(got.body), &page); err != nil || len(page.Items) != min(2, len(want)) {
			t.Fatalf("%s (%v)", got, err)
		}
		for _, record := range page.Items {
			if newest := want[len(want)-1]; record.ID != newest {
				t.Errorf("%s, not %s", record.ID, newest)
			}
			want = want[:len(want)-1]
		}
		if cursor = page.NextCursor; (cursor == "") != (len(want) == 0) {
			t.Fatalf("%d are left behind cursor %q", len(want), cursor)
		}
	}
}

func TestShippingMethodsOfACountry(t *testing.T) {
	t.Parallel()
	s := openShop(t, unhurried())
	for query, want := range map[string]string{
		"country=IE&currency=KWD": `{"items":[{"code":"express","price":{"amount":4650,"currency":"KWD"}},{"code":"standard","price":{"amount":1550,"currency":"KWD"}}]}`,
		"country=US":              `{"items":[{"code":"express","price":{"amount":1500,"currency":"USD"}},{"code":"standard","price":{"amount":500,"currency":"USD"}}]}`,
		"country=IE&currency=XAU": `{"items":[]}`,
		"country=XX":              `"field":"country"`,
		"country=CU":              `"field":"country"`,
		"country=IE&currency=eur": `"field":"currency"`,
		"":                        `country`,
	} {
		if got := s.must(http.MethodGet, "/api/v1/shipping-methods?"+query, nil); !strings.Contains(got.body, want) {
			t.Errorf("%s: %s", query, got)
		}
	}
}
