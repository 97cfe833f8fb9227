package payment

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/local/sandbox"
)

func TestACapturedChargeIsAnsweredAlikeAndAnnounced(t *testing.T) {
	t.Parallel()
	shop := newRig(t).start(t)
	request := requestFor(sandbox.TokenVisa)
	first, status := shop.charge(t, request)
	wantState(t, first, status, contract.PaymentStateCaptured, http.StatusCreated)
	if first.SagaID != request.SagaID || first.OrderID != request.OrderID || first.Amount != request.Amount || !strings.HasPrefix(first.ID, "pay_use_") {
		t.Errorf("got %+v for %+v", first, request)
	}
	again, status := shop.charge(t, request)
	if status != http.StatusCreated || again != first {
		t.Errorf("the repeat got %d %+v, want %+v", status, again, first)
	}
	if found, status := shop.get(t, request.SagaID); status != http.StatusOK || found != first {
		t.Errorf("got %d %+v, want %+v", status, found, first)
	}
	shop.wantTaken(t, first.SagaID, request.Amount.Amount)

	event := shop.waitEvent(t, first.ID, contract.PaymentSucceeded)
	var change contract.PaymentChange
	if err := event.Decode(&change); err != nil {
		t.Fatal(err)
	}
	want := contract.PaymentChange{PaymentID: first.ID, SagaID: request.SagaID, OrderID: request.OrderID, Amount: request.Amount}
	if change != want {
		t.Errorf("announced %+v, want %+v", change, want)
	}
	if strings.Contains(string(event.Data), request.Token) {
		t.Error("the event tells the token")
	}
}

func TestADeclinedChargeStaysDeclined(t *testing.T) {
	t.Parallel()
	shop := newRig(t).start(t)
	request := requestFor(sandbox.TokenDeclined)
	for range 2 {
		declined, status := shop.charge(t, request)
		wantState(t, declined, status, contract.PaymentStateDeclined, http.StatusCreated)
		if declined.Reason != sandbox.CodeDeclined {
			t.Errorf("declined because of %q", declined.Reason)
		}
	}
	voided, status := shop.void(t, request.SagaID, "")
	wantState(t, voided, status, contract.PaymentStateDeclined, http.StatusOK)
	shop.wantTaken(t, voided.SagaID, 0)
	shop.waitEvent(t, voided.ID, contract.PaymentFailed)
}

func TestTheSameSagaCannotBeChargedForSomethingElse(t *testing.T) {
	t.Parallel()
	shop := newRig(t).start(t)
	request := requestFor(sandbox.TokenVisa)
	first, status := shop.charge(t, request)
	wantState(t, first, status, contract.PaymentStateCaptured, http.StatusCreated)
	for name, change := range map[string]func(*contract.ChargeRequest){
		"amount":   func(r *contract.ChargeRequest) { r.Amount.Amount++ },
		"currency": func(r *contract.ChargeRequest) { r.Amount.Currency = "EUR" },
		"token":    func(r *contract.ChargeRequest) { r.Token = sandbox.TokenDeclined },
		"order":    func(r *contract.ChargeRequest) { r.OrderID = geo.NewID("ord", "use") },
	} {
		other := request
		change(&other)
		if _, status := shop.charge(t, other); status != http.StatusConflict {
			t.Errorf("another %s got %d, want 409", name, status)
		}
	}
	shop.wantTaken(t, first.SagaID, request.Amount.Amount)
}

func TestWhatCannotBeAChargeIsRefused(t *testing.T) {
	t.Parallel()
	shop := newRig(t).start(t)
	for name, change := range map[string]func(*contract.ChargeRequest){
		"saga_id":         func(r *contract.ChargeRequest) { r.SagaID = "sga_use_1" },
		"saga_id of none": func(r *contract.ChargeRequest) { r.SagaID = geo.NewID("sga", "xxx") },
		"order_id":        func(r *contract.ChargeRequest) { r.OrderID = "\x00" },
		"amount.amount":   func(r *contract.ChargeRequest) { r.Amount.Amount = -1 },
		"amount.currency": func(r *contract.ChargeRequest) { r.Amount.Currency = "usd" },
		"payment.token":   func(r *contract.ChargeRequest) { r.Token = "tok_nobody" },
	} {
		request := requestFor(sandbox.TokenVisa)
		change(&request)
		field, _, _ := strings.Cut(name, " ")
		for range 2 { // a repeat is refused alike
			var problem struct{ Field string }
			response := shop.Do(t, http.MethodPost, "/internal/v1/charges", request, nil, shop.Internal())
			decode(t, response, &problem)
			if response.StatusCode != http.StatusBadRequest || problem.Field != field {
				t.Errorf("%s: got %d naming %q", name, response.StatusCode, problem.Field)
			}
		}
	}
	if response := shop.Do(t, http.MethodPost, "/internal/v1/charges", requestFor(sandbox.TokenVisa), nil); response.StatusCode != http.StatusNotFound {
		t.Errorf("a caller without the internal secret got %d, want 404", response.StatusCode)
	}
	if _, status := shop.get(t, geo.NewID("sga", "use")); status != http.StatusNotFound {
		t.Errorf("a saga that was never charged got %d, want 404", status)
	}
}

func TestIdenticalChargesAtTheSameTimeAreCapturedOnce(t *testing.T) {
	t.Parallel()
	shop := newRig(t).start(t)
	request := requestFor(sandbox.TokenVisa)
	var mu sync.Mutex
	ids := map[string]int{}
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			got, status := shop.charge(t, request)
			wantState(t, got, status, contract.PaymentStateCaptured, http.StatusCreated)
			mu.Lock()
			ids[got.ID]++
			mu.Unlock()
		})
	}
	group.Wait()
	if len(ids) != 1 {
		t.Fatalf("20 identical charges made the payments %v", ids)
	}
	if charges, taken := shop.ledger(t, request.SagaID); charges != 1 || taken != request.Amount.Amount {
		t.Errorf("the provider has %d charges of %d in all", charges, taken)
	}
}

func TestTheTokenIsNotStored(t *testing.T) {
	t.Parallel()
	shop := newRig(t).start(t)
	request := requestFor(sandbox.TokenVisa)
	if _, status := shop.charge(t, request); status != http.StatusCreated {
		t.Fatalf("got %d", status)
	}
	for _, table := range []string{"payments", "refunds", "outbox"} {
		var rows int
		query := `SELECT count(*) FROM ` + table + ` AS t WHERE t::TEXT LIKE '%' || $1 || '%'`
		if err := shop.DB.QueryRow(t.Context(), query, request.Token).Scan(&rows); err != nil || rows != 0 {
			t.Errorf("%s holds the token in %d rows, %v", table, rows, err)
		}
	}
}

// A lost answer is looked for as soon as the limit is over, so the saga learns in the same call that its charge stands. On a machine
// so busy that the limit ends before the money is even asked for, nothing is taken, and the saga asks again.
func TestAChargeWhoseAnswerNeverComesIsFound(t *testing.T) {
	t.Parallel()
	rig := newRig(t)
	rig.config.providerLimit = time.Second
	shop := rig.start(t)
	request := requestFor(sandbox.TokenTimeoutAfterCharge)
	got, status := shop.charge(t, request)
	for asked := 1; got.State == contract.PaymentStatePending && asked < 10; asked++ {
		got, status = shop.charge(t, request)
	}
	wantState(t, got, status, contract.PaymentStateCaptured, http.StatusCreated)
	shop.wantTaken(t, got.SagaID, request.Amount.Amount)
	shop.waitEvent(t, got.ID, contract.PaymentSucceeded)
}
