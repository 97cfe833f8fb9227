package payment

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/kit/httpclient"
	"github.com/meridian-store/meridian/local/sandbox"
	"github.com/meridian-store/meridian/local/sandbox/sandboxtest"
	"github.com/meridian-store/meridian/services/payment/provider"
)

// webhook sends what the provider would, and gives the status.
func (s shop) webhook(t *testing.T, payload []byte, signature string) int {
	t.Helper()
	header := map[string]string{"Content-Type": "application/json", "Stripe-Signature": signature}
	url := s.URL + "/api/v1/webhooks/payments"
	request := httpclient.Request{Method: http.MethodPost, URL: url, Header: header, Body: payload}
	response, err := request.Send(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if response.Status != http.StatusOK && response.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("the webhook was answered %d %q", response.Status, response.Body)
	}
	return response.Status
}

// tell signs and sends a webhook about an intent.
func (s shop) tell(t *testing.T, kind, intentID, sagaID string) int {
	t.Helper()
	payload := webhookOf(t, kind, map[string]any{"id": intentID, "object": "payment_intent", "metadata": map[string]string{"saga_id": sagaID}})
	return s.webhook(t, payload, sandbox.Sign(payload, sandboxtest.WebhookSecret, time.Now()))
}

func webhookOf(t *testing.T, kind string, object map[string]any) []byte {
	t.Helper()
	payload, err := json.Marshal(map[string]any{"id": "evt_1", "object": "event", "type": kind, "data": map[string]any{"object": object}})
	if err != nil {
		t.Fatal(err)
	}
	return payload
}

// racing tells of each confirmed intent by a webhook while the answer of the confirmation is still on its way.
type racing struct {
	provider.Provider
	mu   sync.Mutex
	tell func(intent provider.Intent)
}

func (r *racing) Confirm(ctx context.Context, confirmation provider.Confirmation) (provider.Intent, error) {
	intent, err := r.Provider.Confirm(ctx, confirmation)
	r.mu.Lock()
	tell := r.tell
	r.mu.Unlock()
	if err == nil && tell != nil {
		tell(intent)
	}
	return intent, err
}

func TestAWebhookAndAReplyMakeOneCaptureAndOneEvent(t *testing.T) {
	t.Parallel()
	const races = 200
	racer := &racing{}
	shop := newRig(t).wrap(func(next provider.Provider) provider.Provider { racer.Provider = next; return racer }).start(t)
	var hooks sync.WaitGroup
	racer.mu.Lock()
	racer.tell = func(intent provider.Intent) {
		for range 2 { // at least once is often twice
			hooks.Go(func() {
				if status := shop.tell(t, "payment_intent.succeeded", intent.ID, intent.SagaID); status != http.StatusOK {
					t.Errorf("a webhook got %d", status)
				}
			})
		}
	}
	racer.mu.Unlock()
	var group sync.WaitGroup
	slots := make(chan struct{}, 4)
	var ids [races]string
	for i := range races {
		group.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			request := requestFor(sandbox.TokenVisa)
			got, status := shop.charge(t, request)
			wantState(t, got, status, contract.PaymentStateCaptured, http.StatusCreated)
			ids[i] = got.ID
			if charges, taken := shop.ledger(t, request.SagaID); charges != 1 || taken != request.Amount.Amount {
				t.Errorf("the provider has %d charges of %d in all", charges, taken)
			}
		})
	}
	group.Wait()
	hooks.Wait()
	var events, versions int
	err := shop.DB.QueryRow(t.Context(), `SELECT count(*), COALESCE(max(version), 0) FROM payments WHERE state = 'captured'`).Scan(&events, &versions)
	if err != nil || events != races || versions != 2 {
		t.Errorf("%d payments are captured, the most often changed %d times, %v; want %d, once each after their opening", events, versions-1, err, races)
	}
	// The events are counted up to one that is written after them all.
	last := shop.captured(t)
	counts := map[string]int{}
	shop.WaitEvent(t, contract.TopicPayments, func(e contract.Event) bool {
		if e.Type == contract.PaymentSucceeded {
			counts[e.Subject]++
		}
		return len(counts) == races+1
	})
	for _, id := range append(ids[:], last.ID) {
		if counts[id] != 1 {
			t.Errorf("%s was announced %d times", id, counts[id])
		}
	}
	t.Logf("%d charges, each with two webhooks racing its reply: %d captures, %d events", races, events, len(counts)-1)
}

// The webhook alone settles a charge whose answer never came.
func TestAWebhookSettlesALostAnswer(t *testing.T) {
	t.Parallel()
	shop, lost, _ := startDeaf(t)
	lost.Store(true)
	request := requestFor(sandbox.TokenVisa)
	pending, status := shop.charge(t, request)
	wantState(t, pending, status, contract.PaymentStatePending, http.StatusAccepted)
	intent := shop.intentOf(t, request.SagaID)
	if status := shop.tell(t, "payment_intent.succeeded", intent.ID, request.SagaID); status != http.StatusServiceUnavailable {
		t.Errorf("while the provider tells nothing the webhook got %d, want 503 so that it comes again", status)
	}
	lost.Store(false)
	if status := shop.tell(t, "payment_intent.succeeded", intent.ID, request.SagaID); status != http.StatusOK {
		t.Errorf("the webhook got %d", status)
	}
	found, status := shop.get(t, request.SagaID)
	wantState(t, found, status, contract.PaymentStateCaptured, http.StatusOK)
	shop.waitEvent(t, pending.ID, contract.PaymentSucceeded)
}

func (s shop) intentOf(t *testing.T, sagaID string) (found provider.Intent) {
	t.Helper()
	enough := errors.New("enough")
	err := s.books.Charges(t.Context(), time.Unix(0, 0), func(i provider.Intent) error {
		if i.SagaID == sagaID {
			found = i
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) {
		t.Fatalf("the provider has no intent of %s: %v", sagaID, err)
	}
	return found
}

// A webhook is a hint. What it claims moves nothing; only what the provider's books say does.
func TestAForgedOrStaleWebhookMovesNothing(t *testing.T) {
	t.Parallel()
	shop := newRig(t).wrap(func(next provider.Provider) provider.Provider { return unreached{next, make(chan string, 8)} }).start(t)
	request := requestFor(sandbox.TokenVisa)
	pending, status := shop.charge(t, request)
	wantState(t, pending, status, contract.PaymentStatePending, http.StatusAccepted)
	intent := shop.intentOf(t, request.SagaID)
	payload := webhookOf(t, "payment_intent.succeeded", map[string]any{
		"id": intent.ID, "object": "payment_intent", "status": "succeeded", "amount_received": 4200, "metadata": map[string]string{"saga_id": request.SagaID},
	})
	now := time.Now()
	for name, sent := range map[string]struct {
		signature string
		status    int
	}{
		"no signature":           {"", http.StatusBadRequest},
		"another's signature":    {sandbox.Sign(payload, "whsec_of_somebody", now), http.StatusBadRequest},
		"an old recording":       {sandbox.Sign(payload, sandboxtest.WebhookSecret, now.Add(-6*time.Minute)), http.StatusBadRequest},
		"a premature one":        {sandbox.Sign(payload, sandboxtest.WebhookSecret, now.Add(6*time.Minute)), http.StatusBadRequest},
		"a signature of nothing": {sandbox.Sign(nil, sandboxtest.WebhookSecret, now), http.StatusBadRequest},
		"signed, but not true":   {sandbox.Sign(payload, sandboxtest.WebhookSecret, now), http.StatusOK},
	} {
		if status := shop.webhook(t, payload, sent.signature); status != sent.status {
			t.Errorf("%s got %d, want %d", name, status, sent.status)
		}
	}
	for name, status := range map[string]int{
		"an intent of nobody": shop.tell(t, "payment_intent.succeeded", "pi_nobody", request.SagaID),
		"a saga of nobody":    shop.tell(t, "payment_intent.succeeded", intent.ID, geo.NewID("sga", "use")),
		"no saga":             shop.tell(t, "payment_intent.succeeded", intent.ID, ""),
	} {
		if status != http.StatusOK {
			t.Errorf("%s got %d, want 200: to send it again would help nobody", name, status)
		}
	}
	huge := []byte(`{"id":"` + strings.Repeat("x", webhookLimit) + `"}`)
	if status := shop.webhook(t, huge, sandbox.Sign(huge, sandboxtest.WebhookSecret, now)); status != http.StatusRequestEntityTooLarge {
		t.Errorf("a body above the limit got %d", status)
	}
	found, status := shop.get(t, request.SagaID)
	wantState(t, found, status, contract.PaymentStatePending, http.StatusOK)
}

func TestAWebhookTellsOfARefund(t *testing.T) {
	t.Parallel()
	shop, lost, _ := startDeaf(t)
	charged := shop.captured(t)
	lost.Store(true)
	request := refundRequest(700)
	if _, status := shop.refund(t, charged.SagaID, request); status != http.StatusAccepted {
		t.Fatalf("got %d", status)
	}
	var at provider.Refund
	if err := shop.books.Refunds(t.Context(), time.Unix(0, 0), func(r provider.Refund) error { at = r; return nil }); err != nil {
		t.Fatal(err)
	}
	payload := webhookOf(t, "refund.created", map[string]any{
		"id": at.ID, "object": "refund", "payment_intent": at.IntentID, "metadata": map[string]string{"saga_id": charged.SagaID, "refund_id": request.RefundID},
	})
	for range 2 {
		if status := shop.webhook(t, payload, sandbox.Sign(payload, sandboxtest.WebhookSecret, time.Now())); status != http.StatusOK {
			t.Errorf("the webhook got %d", status)
		}
	}
	if got, status := shop.refund(t, charged.SagaID, request); status != http.StatusCreated || got.State != contract.RefundStateSucceeded {
		t.Errorf("the refund is %d %+v", status, got)
	}
}
