// Package providertest holds what every payment provider must do, so that payment may rely on any of them alike.
package providertest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/meridian-store/meridian/services/contract"
	"github.com/meridian-store/meridian/services/payment/provider"
)

// Subject is a provider under test.
type Subject struct {
	Provider provider.Provider
	// NewKey makes a key that was never used.
	NewKey func() string
	// TokenCaptures, TokenDeclines and TokenUnknown are tokens that play these parts.
	TokenCaptures, TokenDeclines, TokenUnknown string
	// TokenNeverAnswers is one whose charge is captured although its answer never comes; empty when there is none.
	TokenNeverAnswers string
	// Captured tells how much is taken and not given back for a key, by the provider's own books.
	Captured func(t *testing.T, key string) int64
}

const amount = 1999

func (s Subject) charge(key, token string) provider.Charge {
	return provider.Charge{Key: key, OrderID: "order of " + key, Amount: contract.Money{Amount: amount, Currency: "USD"}, Token: token}
}

// Run checks a provider.
func Run(t *testing.T, s Subject) {
	t.Helper()
	tests := map[string]func(*testing.T, Subject){
		"a charge is captured once however often it is asked for": capturesOnce,
		"identical charges at the same time are captured once":    capturesOnceConcurrently,
		"a declined charge stays declined":                        staysDeclined,
		"an unknown token records nothing":                        refusesUnknownToken,
		"a cancelled key is never captured":                       refusesAfterCancel,
		"a cancel leaves what is captured":                        cancelKeepsCaptured,
		"a void gives all back once":                              voidsOnce,
		"a void of an unused key refuses a later charge":          voidOfNothing,
		"a void of a declined charge changes nothing":             voidOfDeclined,
		"find knows used keys only":                               finds,
		"a cancel racing a charge ends in one of the two":         cancelRacesCharge,
		"a charge whose answer is lost is found":                  findsAfterLostAnswer,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, s)
		})
	}
}

func capturesOnce(t *testing.T, s Subject) {
	key := s.NewKey()
	first, err := s.Provider.Charge(t.Context(), s.charge(key, s.TokenCaptures))
	want(t, first, err, provider.Captured)
	if first.ID == "" {
		t.Error("a captured charge has no id")
	}
	again, err := s.Provider.Charge(t.Context(), s.charge(key, s.TokenCaptures))
	want(t, again, err, provider.Captured)
	if again.ID != first.ID {
		t.Errorf("the repeat is charge %s, want %s", again.ID, first.ID)
	}
	s.wantTaken(t, key, amount)
}

func capturesOnceConcurrently(t *testing.T, s Subject) {
	key := s.NewKey()
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			result, err := s.Provider.Charge(t.Context(), s.charge(key, s.TokenCaptures))
			want(t, result, err, provider.Captured)
		})
	}
	group.Wait()
	s.wantTaken(t, key, amount)
}

func staysDeclined(t *testing.T, s Subject) {
	key := s.NewKey()
	for range 2 {
		result, err := s.Provider.Charge(t.Context(), s.charge(key, s.TokenDeclines))
		want(t, result, err, provider.Declined)
		if result.Reason == "" {
			t.Error("a declined charge has no reason")
		}
	}
	result, err := s.Provider.Charge(t.Context(), s.charge(key, s.TokenCaptures))
	want(t, result, err, provider.Declined)
	result, err = s.Provider.Cancel(t.Context(), key)
	want(t, result, err, provider.Declined)
	s.wantTaken(t, key, 0)
}

func refusesUnknownToken(t *testing.T, s Subject) {
	key := s.NewKey()
	if _, err := s.Provider.Charge(t.Context(), s.charge(key, s.TokenUnknown)); !errors.Is(err, provider.ErrInvalidToken) {
		t.Errorf("got %v, want ErrInvalidToken", err)
	}
	if result, found, err := s.Provider.Find(t.Context(), key); err != nil || found {
		t.Errorf("found %+v, %v, want nothing", result, err)
	}
}

func refusesAfterCancel(t *testing.T, s Subject) {
	key := s.NewKey()
	for range 2 {
		result, err := s.Provider.Cancel(t.Context(), key)
		want(t, result, err, provider.Voided)
	}
	result, err := s.Provider.Charge(t.Context(), s.charge(key, s.TokenCaptures))
	want(t, result, err, provider.Voided)
	s.wantTaken(t, key, 0)
}

func cancelKeepsCaptured(t *testing.T, s Subject) {
	key := s.NewKey()
	result, err := s.Provider.Charge(t.Context(), s.charge(key, s.TokenCaptures))
	want(t, result, err, provider.Captured)
	result, err = s.Provider.Cancel(t.Context(), key)
	want(t, result, err, provider.Captured)
	s.wantTaken(t, key, amount)
}

func voidsOnce(t *testing.T, s Subject) {
	key := s.NewKey()
	result, err := s.Provider.Charge(t.Context(), s.charge(key, s.TokenCaptures))
	want(t, result, err, provider.Captured)
	for range 2 {
		result, err = s.Provider.Void(t.Context(), key)
		want(t, result, err, provider.Voided)
	}
	result, err = s.Provider.Charge(t.Context(), s.charge(key, s.TokenCaptures))
	want(t, result, err, provider.Voided)
	s.wantTaken(t, key, 0)
}

func voidOfNothing(t *testing.T, s Subject) {
	key := s.NewKey()
	result, err := s.Provider.Void(t.Context(), key)
	want(t, result, err, provider.Voided)
	result, err = s.Provider.Charge(t.Context(), s.charge(key, s.TokenCaptures))
	want(t, result, err, provider.Voided)
	s.wantTaken(t, key, 0)
}

func voidOfDeclined(t *testing.T, s Subject) {
	key := s.NewKey()
	result, err := s.Provider.Charge(t.Context(), s.charge(key, s.TokenDeclines))
	want(t, result, err, provider.Declined)
	result, err = s.Provider.Void(t.Context(), key)
	want(t, result, err, provider.Declined)
	s.wantTaken(t, key, 0)
}

func finds(t *testing.T, s Subject) {
	key := s.NewKey()
	if result, found, err := s.Provider.Find(t.Context(), key); err != nil || found {
		t.Errorf("found %+v, %v, want nothing", result, err)
	}
	charged, err := s.Provider.Charge(t.Context(), s.charge(key, s.TokenCaptures))
	want(t, charged, err, provider.Captured)
	result, found, err := s.Provider.Find(t.Context(), key)
	if !found || result != charged {
		t.Errorf("found %+v, %v, %v, want %+v", result, found, err, charged)
	}
}

func cancelRacesCharge(t *testing.T, s Subject) {
	for range 10 {
		key := s.NewKey()
		var charged, cancelled provider.Result
		var group sync.WaitGroup
		group.Go(func() {
			var err error
			if charged, err = s.Provider.Charge(t.Context(), s.charge(key, s.TokenCaptures)); err != nil {
				t.Error(err)
			}
		})
		group.Go(func() {
			var err error
			if cancelled, err = s.Provider.Cancel(t.Context(), key); err != nil {
				t.Error(err)
			}
		})
		group.Wait()
		if charged.State != cancelled.State {
			t.Errorf("the charge was told %s and the cancel %s", charged.State, cancelled.State)
		}
		var taken int64
		if charged.State == provider.Captured {
			taken = amount
		}
		s.wantTaken(t, key, taken)
	}
}

func findsAfterLostAnswer(t *testing.T, s Subject) {
	if s.TokenNeverAnswers == "" {
		t.Skip("this provider has no token whose answer never comes")
	}
	key := s.NewKey()
	ctx, hangUp := context.WithCancel(t.Context())
	defer hangUp()
	done := make(chan error, 1)
	go func() {
		_, err := s.Provider.Charge(ctx, s.charge(key, s.TokenNeverAnswers))
		done <- err
	}()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for found := false; !found; <-ticker.C {
		var err error
		if _, found, err = s.Provider.Find(t.Context(), key); err != nil {
			t.Fatal(err)
		}
	}
	hangUp()
	if err := <-done; err == nil {
		t.Error("the answer came")
	}
	result, err := s.Provider.Charge(t.Context(), s.charge(key, s.TokenNeverAnswers))
	want(t, result, err, provider.Captured)
	s.wantTaken(t, key, amount)
}

func want(t *testing.T, got provider.Result, err error, state provider.State) {
	t.Helper()
	if err != nil || got.State != state {
		t.Errorf("got %+v, %v, want it %s", got, err, state)
	}
}

func (s Subject) wantTaken(t *testing.T, key string, amount int64) {
	t.Helper()
	if got := s.Captured(t, key); got != amount {
		t.Errorf("the provider has taken %d, want %d", got, amount)
	}
}
