package providertest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/services/payment/provider"
)

func refundOf(of provider.Intent, name string, amount int64) provider.RefundOrder {
	return provider.RefundOrder{
		RefundID: "refund " + name, SagaID: of.SagaID, IntentID: of.ID, Key: "refund " + name,
		Amount: contract.Money{Amount: amount, Currency: of.Amount.Currency},
	}
}

func refundsInParts(t *testing.T, s Subject) {
	of := s.captured(t)
	order := refundOf(of, s.NewName(), 500)
	first, err := s.Provider.Refund(t.Context(), order)
	if err != nil || first.State == provider.RefundFailed || first.Amount != order.Amount || first.RefundID != order.RefundID || first.SagaID != of.SagaID || first.IntentID != of.ID {
		t.Fatalf("got %+v, %v for %+v", first, err, order)
	}
	again, err := s.Provider.Refund(t.Context(), order)
	if err != nil || again.ID != first.ID {
		t.Errorf("the repeat is %+v, %v, want %s", again, err, first.ID)
	}
	if found, err := s.Provider.FindRefund(t.Context(), first.ID); err != nil || found.Amount != order.Amount || found.RefundID != order.RefundID {
		t.Errorf("found %+v, %v", found, err)
	}
	s.wantTaken(t, of.ID, amount, 500)
	s.wantRefused(t, refundOf(of, s.NewName(), amount))
	if _, err := s.Provider.Refund(t.Context(), refundOf(of, s.NewName(), amount-500)); err != nil {
		t.Error(err)
	}
	s.wantRefused(t, refundOf(of, s.NewName(), 1))
	s.wantTaken(t, of.ID, amount, amount)
}

func refundsConcurrently(t *testing.T, s Subject) {
	of := s.captured(t)
	var group sync.WaitGroup
	var given atomic.Int64
	for range 6 {
		group.Go(func() {
			if _, err := s.Provider.Refund(t.Context(), refundOf(of, s.NewName(), 500)); err == nil {
				given.Add(500)
			}
		})
	}
	group.Wait()
	if given.Load() > amount {
		t.Errorf("%d of %d were given back", given.Load(), amount)
	}
	s.wantTaken(t, of.ID, amount, given.Load())
}

func refusesRefund(t *testing.T, s Subject) {
	made := s.prepare(t, s.chargeOf(s.NewName()))
	s.wantRefused(t, refundOf(made, s.NewName(), 1))
	got, err := s.Provider.Cancel(t.Context(), made.ID, "cancel "+made.ID)
	want(t, got, err, provider.Cancelled)
	s.wantRefused(t, refundOf(made, s.NewName(), 1))
	s.wantTaken(t, made.ID, 0, 0)
}

func (s Subject) wantRefused(t *testing.T, order provider.RefundOrder) {
	t.Helper()
	got, err := s.Provider.Refund(t.Context(), order)
	var refused *provider.Refused
	if !errors.As(err, &refused) || refused.Code == "" {
		t.Errorf("a refund of %s got %+v, %v, want it refused", order.Amount, got, err)
	}
}

// listsBooks makes more than a page of neither, but tells whether what was made is there once.
func listsBooks(t *testing.T, s Subject) {
	of := s.captured(t)
	open := s.prepare(t, s.chargeOf(s.NewName()))
	given, err := s.Provider.Refund(t.Context(), refundOf(of, s.NewName(), 7))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	since := of.CreatedAt.Add(-time.Second)
	err = s.Ledger.Charges(t.Context(), since, func(i provider.Intent) error {
		seen[i.ID]++
		if i.ID == of.ID && (i.State != provider.Captured || i.Captured != amount || i.Names != of.Names) {
			t.Errorf("the books show %+v, want %+v", i, of)
		}
		return nil
	})
	if err != nil || seen[of.ID] != 1 || seen[open.ID] != 1 {
		t.Errorf("the charges are listed %d and %d times, %v", seen[of.ID], seen[open.ID], err)
	}
	err = s.Ledger.Refunds(t.Context(), since, func(r provider.Refund) error {
		seen[r.ID]++
		return nil
	})
	if err != nil || seen[given.ID] != 1 {
		t.Errorf("the refund is listed %d times, %v", seen[given.ID], err)
	}
	stop := errors.New("enough")
	if err := s.Ledger.Charges(t.Context(), since, func(provider.Intent) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("the list was not ended but gave %v", err)
	}
	err = s.Ledger.Charges(t.Context(), time.Now().Add(24*time.Hour), func(i provider.Intent) error { return fmt.Errorf("%s is from tomorrow", i.ID) })
	if err != nil {
		t.Error(err)
	}
}

// everyRequest makes each call once, so that a provider that validates requests sees them all.
func everyRequest(t *testing.T, s Subject) {
	charge := s.chargeOf(s.NewName())
	charge.ByHand = true
	made, err := s.Provider.Prepare(t.Context(), charge)
	answered(t, "prepare", made.ID, err)
	confirmed, err := s.Provider.Confirm(t.Context(), s.confirmation(made.ID, s.TokenCaptures))
	answered(t, "confirm", confirmed.ID, err)
	captured, err := s.Provider.Capture(t.Context(), made.ID, "capture "+made.ID)
	answered(t, "capture", captured.ID, err)
	cancelled, err := s.Provider.Cancel(t.Context(), made.ID, "cancel "+made.ID)
	answered(t, "cancel", cancelled.ID, err)
	found, err := s.Provider.Find(t.Context(), made.ID)
	answered(t, "find", found.ID, err)
	given, err := s.Provider.Refund(t.Context(), refundOf(made, s.NewName(), 1))
	answered(t, "refund", given.ID, err)
	refund, err := s.Provider.FindRefund(t.Context(), given.ID)
	answered(t, "find a refund", refund.ID, err)
	var charges, refunds int
	err = s.Ledger.Charges(t.Context(), made.CreatedAt, func(provider.Intent) error { charges++; return nil })
	if err != nil || charges == 0 {
		t.Errorf("%d charges are listed, %v", charges, err)
	}
	err = s.Ledger.Refunds(t.Context(), made.CreatedAt, func(provider.Refund) error { refunds++; return nil })
	if err != nil || refunds == 0 {
		t.Errorf("%d refunds are listed, %v", refunds, err)
	}
}

func answered(t *testing.T, what, id string, err error) {
	t.Helper()
	if err != nil || id == "" {
		t.Errorf("%s: got %q, %v", what, id, err)
	}
}

func readsWebhooks(t *testing.T, s Subject) {
	if s.Sign == nil {
		t.Skip("this provider's webhook secret is not known here")
	}
	now := time.Now()
	payload := []byte(`{"id":"evt_1","object":"event","type":"payment_intent.succeeded","data":{"object":{"id":"pi_1","object":"payment_intent","metadata":{"saga_id":"sga_1"}}}}`)
	got, err := s.Provider.Notice(payload, s.Sign(payload, now), now)
	if want := (provider.Notice{EventID: "evt_1", Type: "payment_intent.succeeded", SagaID: "sga_1", IntentID: "pi_1"}); err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	refund := []byte(`{"id":"evt_2","object":"event","type":"refund.updated","data":{"object":{"id":"re_1","object":"refund","payment_intent":"pi_1","metadata":{"saga_id":"sga_1","refund_id":"ref_1"}}}}`)
	got, err = s.Provider.Notice(refund, s.Sign(refund, now), now)
	if want := (provider.Notice{EventID: "evt_2", Type: "refund.updated", SagaID: "sga_1", IntentID: "pi_1", RefundID: "ref_1", RefundAt: "re_1"}); err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	old, other := s.Sign(payload, now.Add(-time.Hour)), append([]byte(nil), payload...)
	other[8]++
	for name, forged := range map[string]struct {
		payload   []byte
		signature string
	}{
		"no signature":          {payload, ""},
		"another payload":       {other, s.Sign(payload, now)},
		"an old one":            {payload, old},
		"an old one, redated":   {payload, "t=" + fmt.Sprint(now.Unix()) + "," + old},
		"an old one, dated too": {payload, old + ", t=" + fmt.Sprint(now.Unix())},
		"one of the future":     {payload, s.Sign(payload, now.Add(time.Hour))},
	} {
		if got, err := s.Provider.Notice(forged.payload, forged.signature, now); !errors.Is(err, provider.ErrBadSignature) {
			t.Errorf("%s got %+v, %v, want ErrBadSignature", name, got, err)
		}
	}
}
