package order_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/local/kittest"
)

// An order that went to cold storage reads as it did, for the same people, by every way to it; nobody changes it any more.
func TestAnArchivedOrderAnswersTheSamePeople(t *testing.T) {
	t.Parallel()
	config := unhurried()
	config.Keep = time.Second // an order is archived once its key is forgotten
	config.AfterSale.ArchiveDir, config.AfterSale.Archive, config.AfterSale.ArchiveAfter = t.TempDir(), 200*time.Millisecond, 2*time.Second
	s := openShop(t, config)
	user := geo.NewID(contract.KindUser, "use")
	token, own := s.tokenOf(user), contract.UserCartID(user)
	s.change(own, contract.SKUCount{SKU: "APRON", Quantity: 2})
	theirs := s.must(http.MethodPost, "/api/v1/checkout", paying("tok_visa"), "Authorization", token, contract.HeaderIdempotencyKey, "u").want(t, http.StatusCreated).order(t)
	b := s.bought("APRON")
	before := b.read()
	kittest.Eventually(t, func() error {
		if left := s.count(`SELECT count(*) FROM orders WHERE crdb_region = 'us-east'`); left > 0 {
			return fmt.Errorf("%d orders are not archived yet", left)
		}
		return nil
	})
	after := b.read()
	if fmt.Sprint(asJSON(t, after)) != fmt.Sprint(asJSON(t, before)) {
		t.Errorf("it was\n%+v and is\n%+v", before, after)
	}
	stranger := s.fill("use", "BOWL")
	path := "/api/v1/orders/" + b.id
	s.must(http.MethodGet, path, nil, contract.HeaderCartID, stranger).want(t, http.StatusNotFound)
	s.must(http.MethodGet, path, nil).want(t, http.StatusNotFound)
	s.must(http.MethodGet, path, nil, "Authorization", token).want(t, http.StatusNotFound)
	s.must(http.MethodGet, path, nil, "Authorization", s.Token(t, contract.RoleSupport)).want(t, http.StatusOK)
	s.must(http.MethodGet, "/api/v1/orders/"+theirs.ID, nil, "Authorization", token).want(t, http.StatusOK)
	for _, page := range []orderPage{s.page("/api/v1/orders", contract.HeaderCartID, b.ref), s.page("/api/v1/orders", "Authorization", token)} {
		if len(page.Items) != 1 || (page.Items[0].ID != b.id && page.Items[0].ID != theirs.ID) || len(page.Items[0].Quote.Lines) != 1 {
			t.Errorf("the list is %+v", page.Items)
		}
	}
	look := func(address string) answer {
		return s.must(http.MethodPost, "/api/v1/orders/lookup", map[string]string{"number": before.Number, "email": address})
	}
	if got := look(email).want(t, http.StatusOK).order(t); got.ID != b.id {
		t.Errorf("looked up %+v", got)
	}
	look("eve@example.com").want(t, http.StatusNotFound)
	b.shopper("/cancel", "c", map[string]any{}).want(t, http.StatusConflict)
	s.must(http.MethodPost, path+"/cancel", map[string]any{}, contract.HeaderCartID, stranger, contract.HeaderIdempotencyKey, "c").want(t, http.StatusNotFound)
}

func asJSON(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
