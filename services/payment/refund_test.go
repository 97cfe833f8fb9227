package payment

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/local/kittest"
	"github.com/meridian-store/meridian/local/sandbox"
	"github.com/meridian-store/meridian/services/payment/provider"
)

func refundRequest(amount int64) contract.RefundRequest {
	return contract.RefundRequest{RefundID: geo.NewID("ref", "use"), Amount: contract.Money{Amount: amount, Currency: "USD"}}
}

func (s shop) refund(t testing.TB, sagaID string, request contract.RefundRequest) (contract.Refund, int) {
	t.Helper()
	var refund contract.Refund
	response := s.Do(t, http.MethodPost, "/internal/v1/charges/"+sagaID+"/refunds", request, &refund, s.Internal())
	return refund, response.StatusCode
}

func (s shop) captured(t *testing.T) contract.Payment {
	t.Helper()
	charged, status := s.charge(t, requestFor(sandbox.TokenVisa))
	wantState(t, charged, status, contract.PaymentStateCaptured, http.StatusCreated)
	return charged
}

func TestARefundIsGivenOnceAndAnnounced(t *testing.T) {
	t.Parallel()
	shop := newRig(t).start(t)
	charged := shop.captured(t)
	request := refundRequest(1200)
	want := contract.Refund{ID: request.RefundID, SagaID: charged.SagaID, Amount: request.Amount, State: contract.RefundStateSucceeded}
	for range 3 {
		if got, status := shop.refund(t, charged.SagaID, request); status != http.StatusCreated || got != want {
			t.Errorf("got %d %+v, want %+v", status, got, want)
		}
	}
	shop.wantTaken(t, charged.SagaID, charged.Amount.Amount-1200)
	after, _ := shop.get(t, charged.SagaID)
	if after.State != contract.PaymentStateCaptured || after.Refunded.Amount != 1200 || after.Refunded.Currency != "USD" {
		t.Errorf("the payment is %+v", after)
	}
	var found contract.Refund
	response := shop.Do(t, http.MethodGet, "/internal/v1/charges/"+charged.SagaID+"/refunds/"+request.RefundID, nil, &found, shop.Internal())
	if response.StatusCode != http.StatusOK || found != want {
		t.Errorf("found %d %+v", response.StatusCode, found)
	}
	var change contract.PaymentChange
	if err := shop.waitEvent(t, charged.ID, contract.PaymentRefunded).Decode(&change); err != nil || change.RefundID != request.RefundID || change.Refunded.Amount != 1200 || change.Amount != charged.Amount {
		t.Errorf("announced %+v, %v", change, err)
	}
	request.Amount.Amount++
	if _, status := shop.refund(t, charged.SagaID, request); status != http.StatusConflict {
		t.Errorf("another amount under the same id got %d, want 409", status)
	}
}

func TestWhatCannotBeRefundedIsRefused(t *testing.T) {
	t.Parallel()
	shop := newRig(t).start(t)
	charged := shop.captured(t)
	declined, _ := shop.charge(t, requestFor(sandbox.TokenDeclined))
	voided := shop.captured(t)
	shop.void(t, voided.SagaID, "")
	other := refundRequest(1)
	other.Amount.Currency = "EUR"
	for name, refused := range map[string]struct {
		saga    string
		request contract.RefundRequest
		status  int
	}{
		"more than was charged": {charged.SagaID, refundRequest(charged.Amount.Amount + 1), http.StatusConflict},
		"nothing":               {charged.SagaID, refundRequest(0), http.StatusBadRequest},
		"another currency":      {charged.SagaID, other, http.StatusBadRequest},
		"a declined charge":     {declined.SagaID, refundRequest(1), http.StatusConflict},
		"a voided charge":       {voided.SagaID, refundRequest(1), http.StatusConflict},
		"no charge":             {geo.NewID("sga", "use"), refundRequest(1), http.StatusNotFound},
		"no saga":               {"nonsense", refundRequest(1), http.StatusBadRequest},
	} {
		if _, status := shop.refund(t, refused.saga, refused.request); status != refused.status {
			t.Errorf("%s got %d, want %d", name, status, refused.status)
		}
	}
	shop.wantTaken(t, charged.SagaID, charged.Amount.Amount)
	var rows int
	if err := shop.DB.QueryRow(t.Context(), `SELECT count(*) FROM refunds`).Scan(&rows); err != nil || rows != 0 {
		t.Errorf("the refused refunds left %d rows, %v", rows, err)
	}
}

// Whatever is asked for in whatever order and at the same time, what is given back is what was answered with 201 and never more
// than was captured, in our books and in the provider's.
func TestRefundsNeverExceedTheCharge(t *testing.T) {
	t.Parallel()
	shop := newRig(t).start(t)
	rapid.Check(t, func(rt *rapid.T) {
		charged := shop.captured(t)
		amounts := rapid.SliceOfN(rapid.Int64Range(1, charged.Amount.Amount), 1, 6).Draw(rt, "amounts")
		requests := make([]contract.RefundRequest, len(amounts))
		given := make([]int64, len(amounts))
		var group sync.WaitGroup
		for i, amount := range amounts {
			requests[i] = refundRequest(amount)
			for range 2 {
				group.Go(func() {
					got, status := shop.refund(t, charged.SagaID, requests[i])
					if status != http.StatusConflict && (status > http.StatusAccepted || got.State == contract.RefundStateFailed) {
						t.Errorf("a refund got %d %+v", status, got)
					}
				})
			}
		}
		group.Wait()
		var sum int64
		for i, request := range requests {
			if got, status := shop.refund(t, charged.SagaID, request); status == http.StatusCreated && got.State == contract.RefundStateSucceeded {
				given[i] = got.Amount.Amount
			}
			sum += given[i]
		}
		after, _ := shop.get(t, charged.SagaID)
		if sum > charged.Amount.Amount || after.Refunded.Amount != sum {
			t.Errorf("%v of %d: %d were given back, and the payment says %d", amounts, charged.Amount.Amount, sum, after.Refunded.Amount)
		}
		shop.wantTaken(t, charged.SagaID, charged.Amount.Amount-sum)
	})
}

func TestALostRefundIsHealed(t *testing.T) {
	t.Parallel()
	shop, lost, clock := startDeaf(t)
	charged := shop.captured(t)
	lost.Store(true)
	repeated, left := refundRequest(1000), refundRequest(500)
	for _, request := range []contract.RefundRequest{repeated, left} {
		if got, status := shop.refund(t, charged.SagaID, request); status != http.StatusAccepted || got.State != contract.RefundStatePending {
			t.Errorf("a refund without an answer got %d %+v", status, got)
		}
	}
	if _, status := shop.refund(t, charged.SagaID, refundRequest(charged.Amount.Amount-1000)); status != http.StatusConflict {
		t.Errorf("money of a refund under way was promised again: %d", status)
	}
	shop.Restart(t)
	lost.Store(false)
	if got, status := shop.refund(t, charged.SagaID, repeated); status != http.StatusCreated || got.State != contract.RefundStateSucceeded {
		t.Errorf("the repeat got %d %+v", status, got)
	}
	clock.move(time.Minute)
	kittest.Eventually(t, func() error {
		var found contract.Refund
		shop.Do(t, http.MethodGet, "/internal/v1/charges/"+charged.SagaID+"/refunds/"+left.RefundID, nil, &found, shop.Internal())
		if found.State != contract.RefundStateSucceeded {
			return fmt.Errorf("the refund that nobody repeats is %s", found.State)
		}
		return nil
	})
	shop.wantTaken(t, charged.SagaID, charged.Amount.Amount-1500)
}

// A bank may send a refund back days later: what failed can be refunded again.
func TestARefundThatFailsLaterIsTakenBack(t *testing.T) {
	t.Parallel()
	shop := newRig(t).start(t)
	store := storeOf(shop)
	charged := shop.captured(t)
	request := refundRequest(charged.Amount.Amount)
	shop.refund(t, charged.SagaID, request)
	r, _, err := store.findRefund(t.Context(), "us-east", charged.SagaID, request.RefundID)
	if err != nil {
		t.Fatal(err)
	}
	r.State, r.Reason = contract.RefundStateFailed, "lost_or_stolen_card"
	for i, want := range []bool{true, false} {
		if changed, err := store.settleRefund(t.Context(), r); err != nil || changed != want {
			t.Errorf("settled %d: %v, %v, want %v", i, changed, err, want)
		}
	}
	after, _ := shop.get(t, charged.SagaID)
	if after.Refunded.Amount != 0 {
		t.Errorf("the payment still says that %s was given back", after.Refunded)
	}
}

// The provider's word that a refund will never be is final, and frees its amount.
func TestARefusedRefundFails(t *testing.T) {
	t.Parallel()
	rig := newRig(t)
	shop := rig.start(t)
	charged := shop.captured(t)
	intents := map[string]string{}
	if err := rig.books.Charges(t.Context(), time.Unix(0, 0), func(i provider.Intent) error { intents[i.SagaID] = i.ID; return nil }); err != nil {
		t.Fatal(err)
	}
	// Someone gives the money back by hand, at the provider.
	_, err := rig.books.Refund(t.Context(), provider.RefundOrder{IntentID: intents[charged.SagaID], Key: "by hand", Amount: charged.Amount})
	if err != nil {
		t.Fatal(err)
	}
	got, status := shop.refund(t, charged.SagaID, refundRequest(1))
	if status != http.StatusCreated || got.State != contract.RefundStateFailed || got.Reason == "" {
		t.Errorf("got %d %+v, want it failed", status, got)
	}
	if after, _ := shop.get(t, charged.SagaID); after.Refunded.Amount != 0 {
		t.Errorf("the payment says that %s was given back", after.Refunded)
	}
	shop.waitEvent(t, charged.ID, contract.PaymentRefundFailed)
}
