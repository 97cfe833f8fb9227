package stripe_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/stripe/stripe-mock/embedded"
	mock "github.com/stripe/stripe-mock/server"
	"go.uber.org/goleak"

	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/kit/secret"
	"github.com/meridian-store/meridian/local/sandbox"
	"github.com/meridian-store/meridian/local/sandbox/sandboxtest"
	"github.com/meridian-store/meridian/services/payment/providertest"
	"github.com/meridian-store/meridian/services/payment/stripe"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// realKeyEnv names the secret key of a Stripe test account, against which the suite runs too.
const realKeyEnv = "MERIDIAN_TEST_STRIPE_KEY"

func subject(t *testing.T, config stripe.Config) providertest.Subject {
	t.Helper()
	config.WebhookSecret = secret.New(sandboxtest.WebhookSecret)
	adapter, err := stripe.New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(adapter.Close)
	return providertest.Subject{
		Provider: adapter, Ledger: adapter, NewName: func() string { return geo.NewID("pay", "use") },
		TokenCaptures: sandbox.TokenVisa, TokenDeclines: sandbox.TokenDeclined, TokenUnknown: "tok_nobody",
		Sign: func(payload []byte, at time.Time) string { return sandbox.Sign(payload, sandboxtest.WebhookSecret, at) },
	}
}

func TestTheSandboxConforms(t *testing.T) {
	t.Parallel()
	s := subject(t, stripe.Config{SecretKey: secret.New(sandboxtest.SecretKey), URL: sandboxtest.Start(t, nil), FineThousandths: true})
	s.TokenNeverAnswers = sandbox.TokenTimeoutAfterCharge
	providertest.Run(t, s)
}

// Stripe's own stand-in checks each request against Stripe's OpenAPI document.
func TestStripeMockConforms(t *testing.T) {
	t.Parallel()
	spec, err := mock.LoadSpec(embedded.OpenAPISpec, "")
	if err != nil {
		t.Fatal(err)
	}
	fixtures, err := mock.LoadFixtures(embedded.OpenAPIFixtures, "")
	if err != nil {
		t.Fatal(err)
	}
	stub, err := mock.NewStubServer(fixtures, spec, false, false)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(stub.HandleRequest))
	t.Cleanup(server.Close)
	s := subject(t, stripe.Config{SecretKey: secret.New("sk_test_123"), URL: server.URL})
	s.Stateless = true
	// Stripe's document does not describe payment_method_data with a card's token, which its API takes; it describes this.
	s.TokenCaptures = "pm_card_visa"
	providertest.Run(t, s)
}

func TestStripeConforms(t *testing.T) {
	t.Parallel()
	key := os.Getenv(realKeyEnv)
	if key == "" {
		t.Skipf("%s is not set: it names a Stripe test account to run against", realKeyEnv)
	}
	providertest.Run(t, subject(t, stripe.Config{SecretKey: secret.New(key)}))
}
