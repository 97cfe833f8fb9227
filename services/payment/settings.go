package payment

import (
	"context"
	"fmt"
	"time"

	"github.com/sethvargo/go-envconfig"

	"github.com/meridian-store/meridian/services/payment/provider"
	"github.com/meridian-store/meridian/services/payment/stripe"
)

// settings are the service's times, and who moves the money.
type settings struct {
	// providerLimit bounds the calls of one charge to the provider; findLimit the look afterwards for an answer that did not come.
	providerLimit, findLimit time.Duration
	// reconcileEvery is how often payments that are still open are looked for.
	reconcileEvery time.Duration
	// neighbourGrace is how long another region's open payment is left to that region's own loop.
	neighbourGrace time.Duration
	// byHand authorises first and captures after.
	byHand bool
	// provider is who moves the money; nil takes what the environment names.
	provider provider.Provider
}

func defaultSettings() settings {
	return settings{
		providerLimit: 15 * time.Second, findLimit: 3 * time.Second, reconcileEvery: 2 * time.Second, neighbourGrace: 2 * time.Minute,
	}
}

// outside is what the environment says of the provider. It is given to the process that runs payment, and to no other.
type outside struct {
	// Provider is sandbox or stripe. URL is where its API is: required for the sandbox, Stripe's own when empty.
	Provider string `env:"MERIDIAN_PAYMENT_PROVIDER, default=sandbox"`
	URL      string `env:"MERIDIAN_PAYMENT_URL"`
	Key      string `env:"MERIDIAN_PAYMENT_KEY"`
	// WebhookSecret is what the provider signs its webhooks with; without it every webhook is refused.
	WebhookSecret string `env:"MERIDIAN_PAYMENT_WEBHOOK_SECRET"`
	// Capture is automatic, or manual: set the money aside first, and take it when that is known to stand.
	Capture string `env:"MERIDIAN_PAYMENT_CAPTURE, default=automatic"`
}

const (
	providerSandbox = "sandbox"
	providerStripe  = "stripe"
	captureAtOnce   = "automatic"
	captureByHand   = "manual"
)

// fromEnvironment fills in what the environment decides.
func (s settings) fromEnvironment(ctx context.Context) (settings, error) {
	var out outside
	if err := envconfig.Process(ctx, &out); err != nil {
		return settings{}, fmt.Errorf("read the settings of payment: %w", err)
	}
	if err := out.validate(); err != nil {
		return settings{}, err
	}
	adapter, err := stripe.New(stripe.Config{
		SecretKey: out.Key, WebhookSecret: out.WebhookSecret, URL: out.URL, FineThousandths: out.Provider == providerSandbox,
	})
	if err != nil {
		return settings{}, err
	}
	s.provider, s.byHand = adapter, out.Capture == captureByHand
	return s, nil
}

func (o outside) validate() error {
	switch {
	case o.Provider != providerSandbox && o.Provider != providerStripe:
		return fmt.Errorf("MERIDIAN_PAYMENT_PROVIDER is %q, not %s or %s", o.Provider, providerSandbox, providerStripe)
	case o.Key == "":
		return fmt.Errorf("MERIDIAN_PAYMENT_PROVIDER is %s and MERIDIAN_PAYMENT_KEY is not set: set it to the provider's secret key", o.Provider)
	case o.Provider == providerSandbox && o.URL == "":
		return fmt.Errorf("MERIDIAN_PAYMENT_URL is not set: set it to where `meridian provider` listens, such as http://127.0.0.1:8100")
	case o.Capture != captureAtOnce && o.Capture != captureByHand:
		return fmt.Errorf("MERIDIAN_PAYMENT_CAPTURE is %q, not %s or %s", o.Capture, captureAtOnce, captureByHand)
	}
	return nil
}
