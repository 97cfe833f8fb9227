package providertest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/services/payment/provider"
)

func preparesOnce(t *testing.T, s Subject) {
	charge := s.chargeOf(s.NewName())
	first := s.prepare(t, charge)
	again := s.prepare(t, charge)
	if first.ID == "" || again.ID != first.ID || first.State != provider.Open || first.Names != charge.Names || first.Amount != charge.Amount {
		t.Errorf("got %+v and %+v for %+v", first, again, charge)
	}
	s.wantTaken(t, first.ID, 0, 0)
}

func capturesOnce(t *testing.T, s Subject) {
	first := s.captured(t)
	again, err := s.Provider.Confirm(t.Context(), s.confirmation(first.ID, s.TokenCaptures))
	want(t, again, err, provider.Captured)
	other := s.confirmation(first.ID, s.TokenCaptures)
	other.Key += " again" // as after the key was forgotten
	again, err = s.Provider.Confirm(t.Context(), other)
	want(t, again, err, provider.Captured)
	s.wantTaken(t, first.ID, amount, 0)
}

func capturesOnceConcurrently(t *testing.T, s Subject) {
	charge := s.chargeOf(s.NewName())
	made := s.prepare(t, charge)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			// One that comes while another is under way may be told no more than that.
			if got, err := s.Provider.Confirm(t.Context(), s.confirmation(made.ID, s.TokenCaptures)); !errors.Is(err, provider.ErrBusy) {
				want(t, got, err, provider.Captured)
			}
		})
	}
	group.Wait()
	s.wantTaken(t, made.ID, amount, 0)
}

func refusesReusedKeys(t *testing.T, s Subject) {
	charge := s.chargeOf(s.NewName())
	made := s.prepare(t, charge)
	charge.Amount.Amount++
	if other, err := s.Provider.Prepare(t.Context(), charge); !errors.Is(err, provider.ErrKeyReused) {
		t.Errorf("another amount got %+v, %v, want ErrKeyReused", other, err)
	}
	got, err := s.Provider.Confirm(t.Context(), s.confirmation(made.ID, s.TokenDeclines))
	want(t, got, err, provider.Declined)
	if got, err := s.Provider.Confirm(t.Context(), s.confirmation(made.ID, s.TokenCaptures)); !errors.Is(err, provider.ErrKeyReused) {
		t.Errorf("another token got %+v, %v, want ErrKeyReused", got, err)
	}
	s.wantTaken(t, made.ID, 0, 0)
}

func declines(t *testing.T, s Subject) {
	made := s.prepare(t, s.chargeOf(s.NewName()))
	for range 2 {
		got, err := s.Provider.Confirm(t.Context(), s.confirmation(made.ID, s.TokenDeclines))
		want(t, got, err, provider.Declined)
		if got.Reason != "card_declined" {
			t.Errorf("it was declined because of %q", got.Reason)
		}
	}
	found, err := s.Provider.Find(t.Context(), made.ID)
	want(t, found, err, provider.Declined)
	s.wantTaken(t, made.ID, 0, 0)
}

func refusesUnknownToken(t *testing.T, s Subject) {
	made := s.prepare(t, s.chargeOf(s.NewName()))
	if got, err := s.Provider.Confirm(t.Context(), s.confirmation(made.ID, s.TokenUnknown)); !errors.Is(err, provider.ErrInvalidToken) {
		t.Errorf("got %+v, %v, want ErrInvalidToken", got, err)
	}
	s.wantTaken(t, made.ID, 0, 0)
}

func refusesAfterCancel(t *testing.T, s Subject) {
	made := s.prepare(t, s.chargeOf(s.NewName()))
	for _, key := range []string{"cancel ", "cancel ", "cancel again "} {
		got, err := s.Provider.Cancel(t.Context(), made.ID, key+made.ID)
		want(t, got, err, provider.Cancelled)
	}
	got, err := s.Provider.Confirm(t.Context(), s.confirmation(made.ID, s.TokenCaptures))
	want(t, got, err, provider.Cancelled)
	s.wantTaken(t, made.ID, 0, 0)
}

func cancelKeepsCaptured(t *testing.T, s Subject) {
	made := s.captured(t)
	for range 2 {
		got, err := s.Provider.Cancel(t.Context(), made.ID, "cancel "+made.ID)
		want(t, got, err, provider.Captured)
	}
	s.wantTaken(t, made.ID, amount, 0)
}

func cancelRacesConfirm(t *testing.T, s Subject) {
	for range 10 {
		made := s.prepare(t, s.chargeOf(s.NewName()))
		var confirmed, cancelled provider.Intent
		var failed, unsure error
		var group sync.WaitGroup
		group.Go(func() {
			confirmed, failed = s.Provider.Confirm(t.Context(), s.confirmation(made.ID, s.TokenCaptures))
		})
		group.Go(func() { cancelled, unsure = s.Provider.Cancel(t.Context(), made.ID, "cancel "+made.ID) })
		group.Wait()
		found, err := s.Provider.Find(t.Context(), made.ID)
		if err != nil || (found.State != provider.Captured && found.State != provider.Cancelled) {
			t.Fatalf("it ended as %+v, %v", found, err)
		}
		// A provider may refuse one of two at the same time, but not tell it anything else than what came of it.
		if failed == nil && confirmed.State != found.State || unsure == nil && cancelled.State != found.State {
			t.Errorf("it ended %s; the charge was told %s and the cancel %s", found.State, confirmed.State, cancelled.State)
		}
		var taken int64
		if found.State == provider.Captured {
			taken = amount
		}
		s.wantTaken(t, made.ID, taken, 0)
	}
}

func capturesByHand(t *testing.T, s Subject) {
	charge := s.chargeOf(s.NewName())
	charge.ByHand = true
	made := s.prepare(t, charge)
	got, err := s.Provider.Confirm(t.Context(), s.confirmation(made.ID, s.TokenCaptures))
	want(t, got, err, provider.Authorised)
	s.wantTaken(t, made.ID, 0, 0)
	for _, key := range []string{"capture ", "capture ", "capture again "} {
		got, err = s.Provider.Capture(t.Context(), made.ID, key+made.ID)
		want(t, got, err, provider.Captured)
	}
	s.wantTaken(t, made.ID, amount, 0)
}

func letsGo(t *testing.T, s Subject) {
	charge := s.chargeOf(s.NewName())
	charge.ByHand = true
	made := s.prepare(t, charge)
	got, err := s.Provider.Confirm(t.Context(), s.confirmation(made.ID, s.TokenCaptures))
	want(t, got, err, provider.Authorised)
	got, err = s.Provider.Cancel(t.Context(), made.ID, "cancel "+made.ID)
	want(t, got, err, provider.Cancelled)
	got, err = s.Provider.Capture(t.Context(), made.ID, "capture "+made.ID)
	want(t, got, err, provider.Cancelled)
	s.wantTaken(t, made.ID, 0, 0)
}

func findsNothing(t *testing.T, s Subject) {
	if got, err := s.Provider.Find(t.Context(), "pi_nobody"); !errors.Is(err, provider.ErrNotFound) {
		t.Errorf("got %+v, %v, want ErrNotFound", got, err)
	}
	if got, err := s.Provider.FindRefund(t.Context(), "re_nobody"); !errors.Is(err, provider.ErrNotFound) {
		t.Errorf("got %+v, %v, want ErrNotFound", got, err)
	}
	if got, err := s.Provider.Cancel(t.Context(), "pi_nobody", "cancel "+s.NewName()); !errors.Is(err, provider.ErrNotFound) {
		t.Errorf("a cancel got %+v, %v, want ErrNotFound", got, err)
	}
}

func findsAfterLostAnswer(t *testing.T, s Subject) {
	if s.TokenNeverAnswers == "" {
		t.Skip("this provider has no token whose answer never comes")
	}
	made := s.prepare(t, s.chargeOf(s.NewName()))
	ctx, hangUp := context.WithCancel(t.Context())
	defer hangUp()
	done := make(chan error, 1)
	go func() {
		_, err := s.Provider.Confirm(ctx, s.confirmation(made.ID, s.TokenNeverAnswers))
		done <- err
	}()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for found := (provider.Intent{}); found.State != provider.Captured; {
		var err error
		if found, err = s.Provider.Find(t.Context(), made.ID); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-done:
			t.Fatalf("it was answered with %v", err)
		case <-ticker.C:
		}
	}
	hangUp()
	if err := <-done; err == nil {
		t.Error("the answer came")
	}
	s.wantTaken(t, made.ID, amount, 0)
}

// countsAlike charges in currencies with 0, 2 and 3 decimals, and in those that providers count in ways of their own.
func countsAlike(t *testing.T, s Subject) {
	for code, units := range map[string]int64{"JPY": 1234, "EUR": 1234, "KWD": 12340, "ISK": 1234, "UGX": 12345, "MGA": 123400} {
		charge := s.chargeOf(s.NewName())
		charge.Amount = contract.Money{Amount: units, Currency: code}
		made := s.prepare(t, charge)
		got, err := s.Provider.Confirm(t.Context(), s.confirmation(made.ID, s.TokenCaptures))
		want(t, got, err, provider.Captured)
		if got.Amount != charge.Amount || got.Captured != units {
			t.Errorf("%s came back as %s, captured %d", charge.Amount, got.Amount, got.Captured)
		}
	}
}
