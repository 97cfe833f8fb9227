package order_test

import (
	"encoding/hex"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/kit/auth"
)

// tokenOf gives the Authorization header of a user.
func (s *shop) tokenOf(userID string) string {
	s.t.Helper()
	seed, err := hex.DecodeString(s.Settings["MERIDIAN_SIGNING_SEED"])
	if err != nil {
		s.t.Fatal(err)
	}
	signer, err := auth.NewSigner(s.Region.Name, seed)
	if err != nil {
		s.t.Fatal(err)
	}
	token, err := signer.Mint(userID, contract.RoleShopper, time.Now(), time.Hour)
	if err != nil {
		s.t.Fatal(err)
	}
	return "Bearer " + token
}

type orderPage struct {
	Items      []contract.Order `json:"items"`
	NextCursor string           `json:"next_cursor"`
}

func (s *shop) page(path string, headers ...string) orderPage {
	s.t.Helper()
	got := s.must(http.MethodGet, path, nil, headers...)
	var page orderPage
	if err := json.Unmarshal([]byte(got.body), &page); err != nil || got.status != http.StatusOK {
		s.t.Fatalf("%s: %s (%v)", path, got, err)
	}
	return page
}

func TestAUserBuysAndFindsTheirOrders(t *testing.T) {
	t.Parallel()
	s := openShop(t, unhurried())
	user, stranger := geo.NewID(contract.KindUser, "euw"), geo.NewID(contract.KindUser, "use")
	token, theirs := s.tokenOf(user), s.tokenOf(stranger)
	own := contract.UserCartID(user)

	empty := s.must(http.MethodPost, "/api/v1/checkout", paying("tok_visa"), "Authorization", token, contract.HeaderIdempotencyKey, "early")
	if empty.status < 400 || empty.status >= 500 {
		t.Fatalf("an empty cart was bought: %s", empty)
	}
	s.change(own, contract.SKUCount{SKU: "APRON", Quantity: 1})
	first := s.must(http.MethodPost, "/api/v1/checkout", paying("tok_visa"), "Authorization", token, contract.HeaderIdempotencyKey, "1")
	again := s.must(http.MethodPost, "/api/v1/checkout", paying("tok_visa"), "Authorization", token, contract.HeaderIdempotencyKey, "1")
	if first.status != http.StatusCreated || first.body != again.body {
		t.Fatalf("bought %s, then %s", first, again)
	}
	s.change(own, contract.SKUCount{SKU: "BOWL", Quantity: 2})
	second := s.must(http.MethodPost, "/api/v1/checkout", paying("tok_visa"), "Authorization", token, contract.HeaderIdempotencyKey, "2")
	guest := s.fill("euw", "APRON") // a guest's cart of another region, bought by a user
	third := s.must(http.MethodPost, "/api/v1/checkout", paying("tok_visa"), "Authorization", token, contract.HeaderCartID, guest, contract.HeaderIdempotencyKey, "1")

	want := []string{third.order(t).ID, second.order(t).ID, first.order(t).ID}
	var seen []string
	path := "/api/v1/orders?limit=2"
	for path != "" {
		page := s.page(path, "Authorization", token)
		for _, order := range page.Items {
			seen = append(seen, order.ID)
		}
		path = ""
		if page.NextCursor != "" {
			path = "/api/v1/orders?limit=2&cursor=" + page.NextCursor
		}
	}
	if len(seen) != 3 || seen[0] != want[0] || seen[1] != want[1] || seen[2] != want[2] {
		t.Errorf("the list is %v, want %v", seen, want)
	}
	if page := s.page("/api/v1/orders", "Authorization", token, contract.HeaderCartID, guest); len(page.Items) != 1 {
		t.Errorf("a cart that is named lists its own: %+v", page.Items)
	}
	if page := s.page("/api/v1/orders", "Authorization", theirs); len(page.Items) != 0 {
		t.Errorf("a stranger sees %+v", page.Items)
	}
	for name, test := range map[string]struct {
		location, header, value string
		status                  int
	}{
		"the buyer":                      {first.location, "Authorization", token, http.StatusOK},
		"the buyer of a guest's cart":    {third.location, "Authorization", token, http.StatusOK},
		"the guest's cart":               {third.location, contract.HeaderCartID, guest, http.StatusOK},
		"a stranger":                     {first.location, "Authorization", theirs, http.StatusNotFound},
		"the user's cart with a secret":  {first.location, contract.HeaderCartID, own + ".00000000000000000000000000000000", http.StatusNotFound},
		"the user's cart with no secret": {first.location, contract.HeaderCartID, own, http.StatusNotFound},
	} {
		if got := s.must(http.MethodGet, test.location, nil, test.header, test.value); got.status != test.status {
			t.Errorf("%s: %s", name, got)
		}
	}
	for _, cursor := range []string{"x", "1.x", "-1." + seen[0], "99999999999999999999." + seen[0], "999999999999999999." + seen[0], seen[0]} {
		if got := s.must(http.MethodGet, "/api/v1/orders?cursor="+cursor, nil, "Authorization", token); got.status != http.StatusBadRequest {
			t.Errorf("cursor %s: %s", cursor, got)
		}
	}
}
