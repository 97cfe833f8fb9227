package order_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/services/order"
)

func TestACartIsBought(t *testing.T) {
	t.Parallel()
	s := openShop(t, unhurried())
	ref := s.fill("use", "APRON", "BOWL")
	got := s.must(http.MethodPost, "/api/v1/checkout/quote", map[string]any{"shipping_address": dublin, "shipping_method": "standard"}, "Cookie", "cart="+ref)
	var quote contract.Quote
	if err := json.Unmarshal([]byte(got.body), &quote); err != nil || got.status != http.StatusOK || got.caches != "private, no-store" {
		t.Fatalf("the quote: %s (%v)", got, err)
	}
	// Ireland's VAT is contained: 19.99 + 3.33 + 5.00.
	if quote.Total.Amount != 2832 || quote.Tax.RateBasisPoints != 2300 || !quote.Tax.Included {
		t.Errorf("the quote is %+v", quote)
	}
	request := paying("tok_visa")
	request.Quote = quote.Quote
	got = s.buy(ref, "key", request)
	bought := got.order(t)
	if got.status != http.StatusCreated || got.location != "/api/v1/orders/"+bought.ID || got.contentType != "application/json" || got.caches != "private, no-store" {
		t.Fatalf("the checkout: %s", got)
	}
	if bought.Status != contract.OrderStatusConfirmed || bought.Total != quote.Total || bought.Quote.Quote != quote.Quote || bought.PaymentID == "" || bought.Email != email {
		t.Errorf("the order is %+v", bought)
	}
	var steps []string
	for _, entry := range bought.History {
		steps = append(steps, entry.Step)
	}
	if strings.Join(steps, " ") != "opened reserved charged confirmed" {
		t.Errorf("its history is %v", steps)
	}
	if read := s.must(http.MethodGet, got.location, nil, contract.HeaderCartID, ref); read.body != got.body+"\n" && read.body != got.body {
		t.Errorf("it reads %s and was answered %s", read, got)
	}
	sagaID, _, _ := s.sagaOf(bought.ID)
	if held, charges := s.ledger(sagaID); !held || charges != 1 {
		t.Errorf("held %v, charged %d times", held, charges)
	}
	event := s.WaitEvent(t, contract.TopicOrders, func(e contract.Event) bool { return e.Subject == bought.ID })
	var change contract.OrderChange
	if err := event.Decode(&change); err != nil {
		t.Fatal(err)
	}
	if event.Type != contract.OrderConfirmed || change.CartVersion != 2 || change.SagaID != sagaID || len(change.Lines) != 2 || change.Total != bought.Total {
		t.Errorf("the event is %+v with %+v", event, change)
	}
	for _, private := range []string{email, dublin.Name, dublin.Line1, ref[len(change.CartID)+1:], "tok_visa"} {
		if strings.Contains(string(event.Data), private) {
			t.Errorf("the event tells %q", private)
		}
	}
	if n := s.count(`SELECT count(*) FROM sagas WHERE crdb_region = 'us-east' AND payment_token <> ''`); n != 0 {
		t.Errorf("%d payment tokens are kept", n)
	}
}

func TestADeclinedCardGivesAllBack(t *testing.T) {
	t.Parallel()
	s := openShop(t, unhurried())
	for token, void := range map[string]bool{"tok_chargeDeclined": false, "tok_unknown": true} {
		ref := s.fill("use", "APRON")
		got := s.buy(ref, "key", paying(token))
		if code, _ := got.problem(t); got.status != http.StatusPaymentRequired || code != string(contract.CodeDeclined) {
			t.Fatalf("%s: %s", token, got)
		}
		failed := s.must(http.MethodGet, got.location, nil, contract.HeaderCartID, ref).order(t)
		if failed.Status != contract.OrderStatusFailed || failed.Reason != contract.ReasonDeclined || failed.PaymentID != "" {
			t.Errorf("%s: the order is %+v", token, failed)
		}
		voided := false
		for _, entry := range failed.History {
			voided = voided || entry.Step == "voided"
		}
		if voided != void {
			t.Errorf("%s: voided is %v", token, voided)
		}
		event := s.WaitEvent(t, contract.TopicOrders, func(e contract.Event) bool { return e.Subject == failed.ID })
		if event.Type != contract.OrderFailed {
			t.Errorf("%s: the event is %s", token, event.Type)
		}
		// Another means of payment, another key, the same cart.
		if got := s.buy(ref, "other", paying("tok_visa")); got.status != http.StatusCreated {
			t.Errorf("%s: the second attempt: %s", token, got)
		}
	}
	if holds, charges := s.standing(); holds != 2 || charges != 2 {
		t.Errorf("%d holds and %d charges stand, not 2 and 2", holds, charges)
	}
}

func TestWhatWasChargedHasToBeWhatWasShown(t *testing.T) {
	t.Parallel()
	s := openShop(t, unhurried())
	got := s.buy(s.fill("use", "APRON"), "key", paying("tok_wrongAmount"))
	if code, _ := got.problem(t); code != string(contract.CodeConflict) {
		t.Fatalf("%s", got)
	}
	if holds, charges := s.standing(); holds != 0 || charges != 0 {
		t.Errorf("%d holds and %d charges stand", holds, charges)
	}
}

func TestOutOfStockNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	s := openShop(t, unhurried())
	ref := s.fill("use", "APRON", "RARE")
	got := s.buy(ref, "key", paying("tok_visa"))
	code, members := got.problem(t)
	skus, _ := json.Marshal(members["skus"])
	if got.status != http.StatusConflict || code != string(contract.CodeOutOfStock) || string(skus) != `[{"available":0,"requested":1,"sku":"RARE"}]` {
		t.Fatalf("%s", got)
	}
	failed := s.must(http.MethodGet, got.location, nil, contract.HeaderCartID, ref).order(t)
	if failed.Status != contract.OrderStatusFailed || failed.Reason != contract.ReasonOutOfStock {
		t.Errorf("the order is %+v", failed)
	}
	if holds, charges := s.standing(); holds != 0 || charges != 0 {
		t.Errorf("%d holds and %d charges stand", holds, charges)
	}
	if again := s.buy(ref, "key", paying("tok_visa")); again != got {
		t.Errorf("the repeat is %s, not %s", again, got)
	}
}

func TestAChangedQuoteIsShownAgain(t *testing.T) {
	t.Parallel()
	s := openShop(t, unhurried())
	ref := s.fill("use", "APRON")
	request := paying("tok_visa")
	request.Quote = "qte_old"
	got := s.buy(ref, "key", request)
	code, members := got.problem(t)
	quote, _ := members["quote"].(map[string]any)
	if got.status != http.StatusConflict || code != string(contract.CodeQuoteChanged) || quote["quote"] == nil {
		t.Fatalf("%s", got)
	}
	s.setPrice("APRON", 2999)
	request.Quote, _ = quote["quote"].(string)
	if code, _ := s.buy(ref, "key", request).problem(t); code != string(contract.CodeQuoteChanged) {
		t.Errorf("a price rose and the checkout said %s", code)
	}
	s.setPrice("APRON", 1999)
	// Nothing was stored, so the same key serves for the quote that stands.
	if got := s.buy(ref, "key", request); got.status != http.StatusCreated {
		t.Errorf("%s", got)
	}
}

func TestWhatNoCheckoutCanUse(t *testing.T) {
	t.Parallel()
	s := openShop(t, unhurried())
	ref := s.fill("use", "APRON")
	change := func(f func(*order.Request)) order.Request {
		request := paying("tok_visa")
		f(&request)
		return request
	}
	tests := map[string]struct {
		ref, key string
		request  order.Request
		code     contract.Code
		field    string
	}{
		"no key":             {ref, "", paying("tok_visa"), contract.CodeKeyMissing, ""},
		"a key with a space": {ref, "a b", paying("tok_visa"), contract.CodeInvalid, "Idempotency-Key"},
		"no cart":            {"", "k", paying("tok_visa"), contract.CodeInvalid, "cart"},
		"an unknown cart":    {newStreet().fill("use"), "k", paying("tok_visa"), contract.CodeNotFound, ""},
		"a cart of nowhere":  {newStreet().fill("xyz"), "k", paying("tok_visa"), contract.CodeNotFound, ""},
		"an empty cart":      {s.fill("use"), "k", paying("tok_visa"), contract.CodeInvalid, "cart"},
		"an unknown SKU":     {s.fill("use", "GHOST"), "k", paying("tok_visa"), contract.CodeConflict, ""},
		"refused country":    {ref, "k", change(func(r *order.Request) { r.ShippingAddress.Country = "CU" }), contract.CodeNotServed, "shipping_address.country"},
		"no such country":    {ref, "k", change(func(r *order.Request) { r.ShippingAddress.Country = "XX" }), contract.CodeInvalid, "shipping_address.country"},
		"no such method":     {ref, "k", change(func(r *order.Request) { r.ShippingMethod = "drone" }), contract.CodeInvalid, "shipping_method"},
		"no token":           {ref, "k", change(func(r *order.Request) { r.Payment.Token = "" }), contract.CodeInvalid, "payment.token"},
		"no email":           {ref, "k", change(func(r *order.Request) { r.Email = "nobody" }), contract.CodeInvalid, "email"},
	}
	for name, test := range tests {
		got := s.buy(test.ref, test.key, test.request)
		code, members := got.problem(t)
		field, _ := members["field"].(string)
		if code != string(test.code) || field != test.field {
			t.Errorf("%s: %s", name, got)
		}
	}
	if n := s.count(`SELECT count(*) FROM orders WHERE crdb_region = ANY($1)`, s.homes()); n != 0 {
		t.Errorf("%d orders were made", n)
	}
}

func TestACartOfAnotherRegionKeepsItsHome(t *testing.T) {
	t.Parallel()
	s := openShop(t, unhurried())
	bought := s.buy(s.fill("euw", "APRON"), "key", paying("tok_visa")).order(t)
	if !strings.HasPrefix(bought.ID, "ord_euw_") {
		t.Errorf("the order is %s", bought.ID)
	}
	if n := s.count(`SELECT count(*) FROM orders WHERE crdb_region = 'eu-west' AND id = $1`, bought.ID); n != 1 {
		t.Errorf("%d rows in eu-west", n)
	}
}
