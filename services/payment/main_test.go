package payment

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/kit"
	"github.com/meridian-store/meridian/kit/secret"
	"github.com/meridian-store/meridian/local/kittest"
	"github.com/meridian-store/meridian/local/sandbox/sandboxtest"
	"github.com/meridian-store/meridian/services/payment/provider"
	"github.com/meridian-store/meridian/services/payment/stripe"
)

func TestMain(m *testing.M) { kittest.Main(m) }

// rig is a sandbox of a test's own with the settings that lead to it, and its books.
type rig struct {
	config Config
	books  *stripe.Stripe
}

// newRig has waits that a test can bear.
func newRig(t *testing.T) rig {
	t.Helper()
	books, err := stripe.New(stripe.Config{
		SecretKey: secret.New(sandboxtest.SecretKey), WebhookSecret: secret.New(sandboxtest.WebhookSecret), URL: sandboxtest.Start(t, nil), FineThousandths: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(books.Close)
	config, err := kit.DefaultConfig[Config](t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r := rig{config, books}
	r.config.reconcileEvery, r.config.provider = 50*time.Millisecond, books
	return r
}

// wrap puts something before the provider.
func (r rig) wrap(wrap func(provider.Provider) provider.Provider) rig {
	r.config.provider = wrap(r.config.provider)
	return r
}

func requestFor(token string) contract.ChargeRequest {
	return contract.ChargeRequest{
		SagaID: geo.NewID("sga", "use"), OrderID: geo.NewID("ord", "use"),
		Amount: contract.Money{Amount: 4200, Currency: "USD"}, Token: token,
	}
}

// shop is a running payment service and short forms of what tests ask of it.
type shop struct {
	*kittest.Service
	books *stripe.Stripe
}

func (r rig) start(t *testing.T, options ...kittest.Option) shop {
	t.Helper()
	return shop{kittest.Start(t, Definition().With(kit.WithConfig(r.config, New)), options...), r.books}
}

func (s shop) charge(t *testing.T, request contract.ChargeRequest) (contract.Payment, int) {
	t.Helper()
	var payment contract.Payment
	response := s.Do(t, http.MethodPost, "/internal/v1/charges", request, &payment, s.Internal())
	return payment, response.StatusCode
}

func (s shop) void(t *testing.T, sagaID, query string) (contract.Payment, int) {
	t.Helper()
	var payment contract.Payment
	response := s.Do(t, http.MethodPost, "/internal/v1/charges/"+sagaID+"/void"+query, nil, &payment, s.Internal())
	return payment, response.StatusCode
}

func (s shop) get(t *testing.T, sagaID string) (contract.Payment, int) {
	t.Helper()
	var payment contract.Payment
	response := s.Do(t, http.MethodGet, "/internal/v1/charges/"+sagaID, nil, &payment, s.Internal())
	return payment, response.StatusCode
}

// ledger tells how many charges the provider's books have for a saga, cancelled intents aside, and what they took in all, refunds
// taken off.
func (s shop) ledger(t *testing.T, sagaID string) (charges, taken int64) {
	t.Helper()
	err := s.books.Charges(t.Context(), time.Unix(0, 0), func(i provider.Intent) error {
		if i.SagaID == sagaID && i.State != provider.Cancelled {
			charges++
			taken += i.Captured
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	err = s.books.Refunds(t.Context(), time.Unix(0, 0), func(r provider.Refund) error {
		if r.SagaID == sagaID {
			taken -= r.Amount.Amount
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return charges, taken
}

func (s shop) wantTaken(t *testing.T, sagaID string, want int64) {
	t.Helper()
	if _, taken := s.ledger(t, sagaID); taken != want {
		t.Errorf("the provider took %d for %s, want %d", taken, sagaID, want)
	}
}

func wantState(t *testing.T, got contract.Payment, status int, state string, want int) {
	t.Helper()
	if status != want || got.State != state {
		t.Errorf("got status %d and a payment %q, want %d and %q", status, got.State, want, state)
	}
}

func (s shop) waitEvent(t *testing.T, paymentID, eventType string) contract.Event {
	t.Helper()
	return s.WaitEvent(t, contract.TopicPayments, func(e contract.Event) bool { return e.Subject == paymentID && e.Type == eventType })
}

// gate lets a test hold a provider's calls up.
type gate struct {
	provider.Provider
	// arrived receives once for each charge that the provider has carried out; open lets its answer go.
	arrived, open chan struct{}
}

func newGate(next provider.Provider) *gate {
	return &gate{Provider: next, arrived: make(chan struct{}, 64), open: make(chan struct{})}
}

func (g *gate) Confirm(ctx context.Context, confirmation provider.Confirmation) (provider.Intent, error) {
	result, err := g.Provider.Confirm(ctx, confirmation)
	g.arrived <- struct{}{}
	select {
	case <-g.open:
		return result, err
	case <-ctx.Done():
		return provider.Intent{}, ctx.Err()
	}
}
