// Package providertest holds what every payment provider must do, so that payment may rely on any of them alike.
package providertest

import (
	"testing"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/services/payment/provider"
)

// Subject is a provider under test.
type Subject struct {
	Provider provider.Provider
	Ledger   provider.Ledger
	// NewName makes a name that was never used.
	NewName func() string
	// TokenCaptures, TokenDeclines and TokenUnknown are tokens that play these parts.
	TokenCaptures, TokenDeclines, TokenUnknown string
	// TokenNeverAnswers is one whose charge is captured although its answer never comes; empty when there is none.
	TokenNeverAnswers string
	// Stateless says that the provider checks each request and answers with an example: what it answers is read, and what it should
	// remember is not looked at.
	Stateless bool
	// Sign signs a webhook as the provider would.
	Sign func(payload []byte, at time.Time) string
}

const amount = 1999

// checks of the suite. The first ones need no memory of the provider's.
var (
	stateless = map[string]func(*testing.T, Subject){
		"every request is taken and its answer read": everyRequest,
		"a webhook is read when its signature fits":  readsWebhooks,
	}
	stateful = map[string]func(*testing.T, Subject){
		"an intent takes nothing until it is confirmed":                      preparesOnce,
		"a charge is captured once however often it is confirmed":            capturesOnce,
		"identical charges at the same time are captured once":               capturesOnceConcurrently,
		"a key is for one request":                                           refusesReusedKeys,
		"a declined charge says so":                                          declines,
		"an unknown token takes nothing":                                     refusesUnknownToken,
		"a cancelled intent is never captured":                               refusesAfterCancel,
		"a cancel leaves what is captured":                                   cancelKeepsCaptured,
		"a cancel racing a confirmation ends in one of the two":              cancelRacesConfirm,
		"a charge by hand is set aside and then captured":                    capturesByHand,
		"a charge by hand can be let go":                                     letsGo,
		"refunds give back in parts, once each, and never more than taken":   refundsInParts,
		"refunds at the same time never give back more than taken":           refundsConcurrently,
		"nothing is refunded that was not taken":                             refusesRefund,
		"what does not exist is not found":                                   findsNothing,
		"a charge whose answer is lost is found":                             findsAfterLostAnswer,
		"the books list every charge and refund":                             listsBooks,
		"amounts come back as they went, whatever the currency's minor unit": countsAlike,
	}
)

// Run checks a provider.
func Run(t *testing.T, s Subject) {
	t.Helper()
	run := func(name string, check func(*testing.T, Subject)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(t, s)
		})
	}
	for name, check := range stateless {
		run(name, check)
	}
	for name, check := range stateful {
		if s.Stateless {
			check = func(t *testing.T, _ Subject) {
				t.Skip("this provider remembers nothing: it validates requests and answers with examples")
			}
		}
		run(name, check)
	}
}

func (s Subject) chargeOf(name string) provider.Charge {
	return provider.Charge{
		Names: provider.Names{SagaID: "saga of " + name, OrderID: "order of " + name}, Key: "create " + name,
		Amount: contract.Money{Amount: amount, Currency: "USD"},
	}
}

func (s Subject) prepare(t *testing.T, charge provider.Charge) provider.Intent {
	t.Helper()
	made, err := s.Provider.Prepare(t.Context(), charge)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func (s Subject) confirmation(intentID, token string) provider.Confirmation {
	return provider.Confirmation{IntentID: intentID, Key: "confirm " + intentID, Token: token}
}

// captured makes a charge that is captured.
func (s Subject) captured(t *testing.T) provider.Intent {
	t.Helper()
	made := s.prepare(t, s.chargeOf(s.NewName()))
	got, err := s.Provider.Confirm(t.Context(), s.confirmation(made.ID, s.TokenCaptures))
	want(t, got, err, provider.Captured)
	return got
}

func want(t *testing.T, got provider.Intent, err error, state provider.State) {
	t.Helper()
	if err != nil || got.State != state {
		t.Errorf("got %+v, %v, want it %s", got, err, state)
	}
}

// wantTaken looks into the provider's books: what it took for an intent, and what it gave back.
func (s Subject) wantTaken(t *testing.T, intentID string, taken, given int64) {
	t.Helper()
	found, err := s.Provider.Find(t.Context(), intentID)
	if err != nil || found.Captured != taken {
		t.Errorf("the provider has taken %d, %v, want %d", found.Captured, err, taken)
	}
	var back int64
	err = s.Ledger.Refunds(t.Context(), found.CreatedAt, func(r provider.Refund) error {
		if r.IntentID == intentID && r.State != provider.RefundFailed {
			back += r.Amount.Amount
		}
		return nil
	})
	if err != nil || back != given {
		t.Errorf("the provider has given back %d, %v, want %d", back, err, given)
	}
}
