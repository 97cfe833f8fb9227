package order_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/local/kittest"
)

// bought is an order with whoever bought it.
type bought struct {
	*shop
	ref, id, saga string
	total         contract.Money
}

func (s *shop) bought(skus ...string) bought {
	s.t.Helper()
	ref := s.fill("use", skus...)
	got := s.buy(ref, "key", paying("tok_visa"))
	if got.status != http.StatusCreated {
		s.t.Fatalf("bought: %s", got)
	}
	order := got.order(s.t)
	saga, _, _ := s.sagaOf(order.ID)
	return bought{shop: s, ref: ref, id: order.ID, saga: saga, total: order.Total}
}

// read gives the order as its buyer reads it.
func (b bought) read() contract.Order {
	b.t.Helper()
	return b.must(http.MethodGet, "/api/v1/orders/"+b.id, nil, contract.HeaderCartID, b.ref).order(b.t)
}

// shopper and support ask for something to be done to the order.
func (b bought) shopper(verb, key string, body any) answer {
	b.t.Helper()
	return b.must(http.MethodPost, "/api/v1/orders/"+b.id+verb, body, contract.HeaderCartID, b.ref, contract.HeaderIdempotencyKey, key)
}

func (b bought) support(verb, key string, body any, headers ...string) answer {
	b.t.Helper()
	headers = append(headers, "Authorization", b.Token(b.t, contract.RoleSupport), contract.HeaderIdempotencyKey, key)
	return b.must(http.MethodPost, "/api/v1/admin/orders/"+b.id+verb, body, headers...)
}

func (a answer) want(t *testing.T, status int) answer {
	t.Helper()
	if a.status != status {
		t.Fatalf("got %s, want %d", a, status)
	}
	return a
}

func into[T any](t *testing.T, a answer) (value T) {
	t.Helper()
	if err := json.Unmarshal([]byte(a.body), &value); err != nil {
		t.Fatalf("%s: %v", a, err)
	}
	return value
}

// settles waits until nothing is left to do about the order, and says what came back.
func (b bought) settles() contract.Order {
	b.t.Helper()
	kittest.Eventually(b.t, func() error {
		if left := b.count(`SELECT count(*) FROM order_tasks WHERE crdb_region = $1 AND order_id = $2`, "us-east", b.id); left > 0 {
			return fmt.Errorf("%d tasks are left", left)
		}
		return nil
	})
	return b.read()
}

func TestAnOrderIsCancelledOnce(t *testing.T) {
	t.Parallel()
	s := openShop(t, unhurried())
	b := s.bought("APRON", "BOWL")
	stranger := s.fill("use", "APRON")
	s.must(http.MethodPost, "/api/v1/orders/"+b.id+"/cancel", map[string]string{}, contract.HeaderCartID, stranger, contract.HeaderIdempotencyKey, "c").want(t, http.StatusNotFound)
	s.must(http.MethodPost, "/api/v1/orders/"+b.id+"/cancel", map[string]string{}, contract.HeaderCartID, b.ref).want(t, http.StatusBadRequest)

	answers := make(chan answer, 10)
	for range cap(answers) {
		go func() {
			got, err := s.ask(http.MethodPost, "/api/v1/orders/"+b.id+"/cancel", map[string]string{"reason": "too slow"}, contract.HeaderCartID, b.ref, contract.HeaderIdempotencyKey, "c")
			if err != nil {
				t.Error(err)
			}
			answers <- got
		}()
	}
	first := <-answers
	for range cap(answers) - 1 {
		if got := <-answers; got.status != http.StatusOK || got.body != first.body {
			t.Errorf("one got %s, another %s", first, got)
		}
	}
	order := b.settles()
	money, refunds, units := s.back(b.saga)
	if order.Status != contract.OrderStatusCancelled || money != b.total.Amount || refunds != 1 || units != 2 || order.Refunded == nil || *order.Refunded != b.total {
		t.Errorf("%s with %d back in %d refunds and %d units: %+v", order.Status, money, refunds, units, order)
	}
	b.shopper("/cancel", "c", map[string]string{"reason": "another"}).want(t, http.StatusUnprocessableEntity)
	b.shopper("/cancel", "d", map[string]string{}).want(t, http.StatusConflict)
	for _, kind := range []string{contract.OrderCancelled, contract.OrderRefunded} {
		event := s.WaitEvent(t, contract.TopicOrders, func(e contract.Event) bool { return e.Type == kind && e.Subject == b.id })
		var change contract.OrderChange
		if err := event.Decode(&change); err != nil || change.Status != contract.OrderStatusCancelled || change.SagaID != b.saga {
			t.Errorf("%s says %+v (%v)", kind, change, err)
		}
		if kind == contract.OrderRefunded && (change.Refunded == nil || *change.Refunded != b.total) {
			t.Errorf("%s says %+v", kind, change)
		}
		if kind == contract.OrderCancelled && len(change.Part) != 2 {
			t.Errorf("%s says %+v", kind, change)
		}
	}
}

func TestAnOrderIsSentInPartsAndComesBack(t *testing.T) {
	t.Parallel()
	s := openShop(t, unhurried())
	b := s.bought("APRON", "BOWL")
	apron := []contract.SKUCount{{SKU: "APRON", Quantity: 1}}
	tag := s.must(http.MethodGet, "/api/v1/admin/orders/"+b.id, nil, "Authorization", s.Token(t, contract.RoleSupport))
	tag.want(t, http.StatusOK)

	b.support("/fulfilments", "bad", map[string]any{"lines": apron, "tracking": contract.Tracking{Carrier: "DHL", Number: "1", URL: "javascript:x"}}).want(t, http.StatusBadRequest)
	b.support("/fulfilments", "stale", map[string]any{"lines": apron}, "If-Match", `"order-1"`).want(t, http.StatusPreconditionFailed)
	body := map[string]any{"lines": apron, "tracking": contract.Tracking{Carrier: "DHL", Number: "1Z", URL: "https://dhl.example/1Z"}}
	sent := b.support("/fulfilments", "f", body, "If-Match", `"order-2"`).want(t, http.StatusCreated)
	// The tag is stale by now; the repeat gets the first answer all the same.
	if again := b.support("/fulfilments", "f", body, "If-Match", `"order-2"`).want(t, http.StatusCreated); again.body != sent.body {
		t.Errorf("%s, then %s", sent, again)
	}
	if order := b.read(); order.Status != contract.OrderStatusPartiallyFulfilled || len(order.Fulfilments) != 1 || order.Fulfilments[0].Tracking.Number != "1Z" {
		t.Errorf("%+v", order)
	}
	b.shopper("/cancel", "c", map[string]any{}).want(t, http.StatusConflict)
	b.support("/fulfilments", "f2", map[string]any{"lines": apron}).want(t, http.StatusConflict)
	b.shopper("/returns", "r0", map[string]any{"lines": []contract.SKUCount{{SKU: "BOWL", Quantity: 1}}}).want(t, http.StatusConflict)

	asked := into[contract.OrderReturn](t, b.shopper("/returns", "r", map[string]any{"lines": apron, "reason": "too small"}).want(t, http.StatusCreated))
	b.shopper("/returns", "r2", map[string]any{"lines": apron}).want(t, http.StatusConflict)
	b.support("/returns/ret_use_none/receive", "x", map[string]any{"restock": true}).want(t, http.StatusNotFound)
	received := into[contract.OrderReturn](t, b.support("/returns/"+asked.ID+"/receive", "rr", map[string]any{"restock": true}).want(t, http.StatusOK))
	b.support("/returns/"+asked.ID+"/refuse", "late", map[string]any{"note": "no"}).want(t, http.StatusConflict)
	order := b.settles()
	// 19.99 and its share of the tax, as the quote has it; the bowl is still to be sent.
	money, refunds, units := s.back(b.saga)
	if received.State != contract.ReturnStateReceived || order.Status != contract.OrderStatusPartiallyFulfilled || refunds != 1 || units != 1 || money < 1999 || money >= b.total.Amount {
		t.Errorf("%s, %d back in %d refunds, %d units: %+v", order.Status, money, refunds, units, order)
	}

	// The rest is cancelled: what is sent has come back.
	b.support("/cancel", "rest", map[string]any{"reason": "none left"}).want(t, http.StatusOK)
	order = b.settles()
	money, _, units = s.back(b.saga)
	if order.Status != contract.OrderStatusReturned || units != 2 || money != b.total.Amount-order.Quote.Shipping.Amount-shippingTax(order.Quote) {
		t.Errorf("%s, %d of %s back, %d units: %+v", order.Status, money, b.total, units, order.Quote)
	}
	// Shipping goes back as well when support says so; then nothing is left.
	b.support("/refunds", "all", map[string]any{"reason": "sorry"}).want(t, http.StatusCreated)
	b.support("/refunds", "more", map[string]any{"reason": "sorry"}).want(t, http.StatusConflict)
	if order = b.settles(); order.Status != contract.OrderStatusRefunded || *order.Refunded != b.total {
		t.Errorf("%s with %s back", order.Status, order.Refunded)
	}
	var steps []string
	for _, entry := range order.History {
		steps = append(steps, entry.Step)
	}
	want := "[opened reserved charged confirmed fulfilled return_requested return_received refund_succeeded cancelled refund_succeeded refund_succeeded]"
	if fmt.Sprint(steps) != want {
		t.Errorf("the history is %v", steps)
	}
}

// shippingTax is what remains of the tax when every line's share has been given back.
func shippingTax(quote contract.Quote) int64 {
	if quote.Tax.Included {
		return 0
	}
	paid := quote.Shipping.Amount
	weights := []int64{}
	for _, line := range quote.Lines {
		weights = append(weights, line.Total.Amount)
	}
	shares := contract.Allocate(quote.Tax.Amount.Amount, append(weights, paid))
	return shares[len(shares)-1]
}

func TestRefundsEndAsTheProviderSays(t *testing.T) {
	t.Parallel()
	s := openShop(t, unhurried())
	b := s.bought("APRON", "BOWL")
	ask := func(key string, amount int64) answer {
		return b.support("/refunds", key, map[string]any{"amount": contract.Money{Amount: amount, Currency: "USD"}, "reason": "goodwill"})
	}
	s.setClosed(contract.ServicePayment, true)
	for key, amount := range map[string]int64{"lost": amountLostAnswer, "pending": amountPending, "fails": amountFails} {
		ask(key, amount).want(t, http.StatusCreated)
		ask(key, amount).want(t, http.StatusCreated)
	}
	b.support("/refunds", "eur", map[string]any{"amount": contract.Money{Amount: 1, Currency: "EUR"}, "reason": "x"}).want(t, http.StatusBadRequest)
	b.support("/refunds", "nothing", map[string]any{"amount": contract.Money{Currency: "USD"}, "reason": "x"}).want(t, http.StatusBadRequest)
	s.setClosed(contract.ServicePayment, false)
	order := b.settles()
	states := map[int64]string{}
	for _, refund := range order.Refunds {
		states[refund.Amount.Amount] = refund.State
	}
	want := map[int64]string{amountLostAnswer: contract.RefundStateSucceeded, amountPending: contract.RefundStateSucceeded, amountFails: contract.RefundStateFailed}
	money, refunds, _ := s.back(b.saga)
	if fmt.Sprint(states) != fmt.Sprint(want) || money != amountLostAnswer+amountPending || refunds != 2 || order.Refunded.Amount != money {
		t.Errorf("%v, %d back in %d: %+v", states, money, refunds, order)
	}
	if order.Status != contract.OrderStatusConfirmed {
		t.Errorf("it is %s and still to be sent", order.Status)
	}
}

// However many ask at once, no more is promised back than was paid.
func TestConcurrentRefundsNeverExceedWhatWasPaid(t *testing.T) {
	t.Parallel()
	s := openShop(t, unhurried())
	b := s.bought("APRON") // 19.99, tax and shipping
	const asked, each = 20, 700
	var asking sync.WaitGroup
	statuses := make(chan int, asked)
	token := s.Token(t, contract.RoleAdmin)
	for i := range asked {
		asking.Go(func() {
			got, err := s.ask(http.MethodPost, "/api/v1/admin/orders/"+b.id+"/refunds", map[string]any{"amount": contract.Money{Amount: each, Currency: "USD"}, "reason": "x"},
				"Authorization", token, contract.HeaderIdempotencyKey, fmt.Sprint(i))
			if err != nil {
				t.Error(err)
			}
			statuses <- got.status
		})
	}
	asking.Wait()
	close(statuses)
	counts := map[int]int{}
	for status := range statuses {
		counts[status]++
	}
	b.settles()
	want := int(b.total.Amount / each)
	money, refunds, _ := s.back(b.saga)
	if counts[http.StatusCreated] != want || counts[http.StatusConflict] != asked-want || refunds != want || money != int64(want*each) {
		t.Errorf("answers %v and %d in %d refunds of %s", counts, money, refunds, b.total)
	}
}

func TestOnlySupportChangesOthersOrders(t *testing.T) {
	t.Parallel()
	s := openShop(t, unhurried())
	b := s.bought("APRON")
	for _, verb := range []string{"/cancel", "/fulfilments", "/refunds", "/returns/x/receive", "/returns/x/refuse"} {
		for role, want := range map[string]int{contract.RoleShopper: http.StatusForbidden, contract.RoleMerchandiser: http.StatusForbidden, "": http.StatusUnauthorized} {
			headers := []string{contract.HeaderIdempotencyKey, "k", contract.HeaderCartID, b.ref}
			if role != "" {
				headers = append(headers, "Authorization", s.Token(t, role))
			}
			s.must(http.MethodPost, "/api/v1/admin/orders/"+b.id+verb, map[string]any{"reason": "x", "note": "x", "restock": true}, headers...).want(t, want)
		}
	}
	b.support("/cancel", "", map[string]any{}).want(t, http.StatusBadRequest)
	if order := b.read(); order.Status != contract.OrderStatusConfirmed {
		t.Errorf("it is %s", order.Status)
	}
}

func TestSupportListsOrdersByStatus(t *testing.T) {
	t.Parallel()
	s := openShop(t, unhurried())
	var ids []string
	for range 3 {
		ids = append([]string{s.bought("APRON").id}, ids...)
	}
	cancelled := s.bought("BOWL")
	cancelled.shopper("/cancel", "c", map[string]any{}).want(t, http.StatusOK)
	token := s.Token(t, contract.RoleSupport)
	var seen []string
	for path := "/api/v1/admin/orders?limit=2&status=confirmed"; path != ""; {
		page := s.page(path, "Authorization", token)
		for _, order := range page.Items {
			seen = append(seen, order.ID)
		}
		path = ""
		if page.NextCursor != "" {
			path = "/api/v1/admin/orders?limit=2&status=confirmed&cursor=" + page.NextCursor
		}
	}
	if fmt.Sprint(seen) != fmt.Sprint(ids) {
		t.Errorf("the confirmed are %v, want %v", seen, ids)
	}
	if page := s.page("/api/v1/admin/orders", "Authorization", token); len(page.Items) != 4 || page.Items[0].ID != cancelled.id {
		t.Errorf("all are %+v", page.Items)
	}
	s.must(http.MethodGet, "/api/v1/admin/orders?status=lost", nil, "Authorization", token).want(t, http.StatusBadRequest)
	s.must(http.MethodGet, "/api/v1/admin/orders", nil, "Authorization", s.Token(t, contract.RoleShopper)).want(t, http.StatusForbidden)
}

func TestAGuestFindsTheirOrderByNumberAndAddress(t *testing.T) {
	t.Parallel()
	s := openShop(t, unhurried())
	b := s.bought("APRON")
	number := b.read().Number
	look := func(number, email string) answer {
		return s.must(http.MethodPost, "/api/v1/orders/lookup", map[string]string{"number": number, "email": email})
	}
	for _, right := range [][2]string{{number, email}, {"  " + number[:4] + number[5:], "ADA.quiet@example.com "}} {
		if got := look(right[0], right[1]).want(t, http.StatusOK).order(t); got.ID != b.id || got.ShippingAddress == nil {
			t.Errorf("%+v", got)
		}
	}
	wrong, unknown := look(number, "eve@example.com").want(t, http.StatusNotFound), look("0000-0000", email).want(t, http.StatusNotFound)
	_, a := wrong.problem(t)
	_, c := unknown.problem(t)
	delete(a, "trace_id")
	delete(c, "trace_id")
	if fmt.Sprint(a) != fmt.Sprint(c) {
		t.Errorf("a wrong address is %v, an unknown number %v", a, c)
	}
}
