package payment

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/services/contract"
	"github.com/meridian-store/meridian/services/kit"
	"github.com/meridian-store/meridian/services/kit/kittest"
	"github.com/meridian-store/meridian/services/payment/provider"
)

func TestMain(m *testing.M) { kittest.Main(m) }

// quickSettings are the service's own with waits that a test can bear.
func quickSettings() settings {
	settings := defaultSettings()
	settings.reconcileEvery = 50 * time.Millisecond
	return settings
}

// wrapped gives settings whose provider is the sandbox inside what wrap makes of it.
func wrapped(wrap func(provider.Provider) provider.Provider) settings {
	settings := quickSettings()
	inner := settings.provider
	settings.provider = func(base *kit.Base) provider.Provider { return wrap(inner(base)) }
	return settings
}

func requestFor(token string) contract.ChargeRequest {
	return contract.ChargeRequest{
		SagaID: geo.NewID("sga", "use"), OrderID: geo.NewID("ord", "use"),
		Amount: contract.Money{Amount: 4200, Currency: "USD"}, Token: token,
	}
}

// shop is a running payment service and short forms of what tests ask of it.
type shop struct{ *kittest.Service }

func start(t *testing.T, settings settings, options ...kittest.Option) shop {
	t.Helper()
	return shop{kittest.Start(t, definitionWith(settings), options...)}
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

// ledger tells how many charges the sandbox knows for a payment and what they took in all, refunds taken off.
func (s shop) ledger(t *testing.T, paymentID string) (charges, taken int64) {
	t.Helper()
	err := s.DB.QueryRow(t.Context(), `SELECT count(*), COALESCE(sum(captured - refunded), 0)::INT8 FROM sandbox_charges WHERE key = $1`, paymentID).Scan(&charges, &taken)
	if err != nil {
		t.Fatal(err)
	}
	return charges, taken
}

func (s shop) wantTaken(t *testing.T, paymentID string, want int64) {
	t.Helper()
	if _, taken := s.ledger(t, paymentID); taken != want {
		t.Errorf("the provider took %d for %s, want %d", taken, paymentID, want)
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

func (g *gate) Charge(ctx context.Context, charge provider.Charge) (provider.Result, error) {
	result, err := g.Provider.Charge(ctx, charge)
	g.arrived <- struct{}{}
	select {
	case <-g.open:
		return result, err
	case <-ctx.Done():
		return provider.Result{}, ctx.Err()
	}
}
