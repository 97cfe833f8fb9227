package payment

import (
	"fmt"
	"time"

	"github.com/meridian-store/meridian/kit/secret"
	"github.com/meridian-store/meridian/services/payment/provider"
	"github.com/meridian-store/meridian/services/payment/stripe"
)

// Config is the payment service's own configuration. It is given to the process that runs payment and to no other.
type Config struct {
	// Provider is sandbox or stripe. URL is where its API is: required for the sandbox, Stripe's own when empty.
	Provider string        `env:"MERIDIAN_PAYMENT_PROVIDER, default=sandbox"`
	URL      string        `env:"MERIDIAN_PAYMENT_URL"`
	Key      secret.Secret `env:"MERIDIAN_PAYMENT_KEY"`
	// WebhookSecret is what the provider signs its webhooks with; without it every webhook is refused.
	WebhookSecret secret.Secret `env:"MERIDIAN_PAYMENT_WEBHOOK_SECRET"`
	// Capture is automatic, or manual: authorise first, and capture when that is known to stand.
	Capture string `env:"MERIDIAN_PAYMENT_CAPTURE, default=automatic"`

	// providerLimit bounds the calls of one charge to the provider; findLimit the look-up afterwards of an answer that did not come.
	providerLimit, findLimit time.Duration
	// reconcileEvery is how often payments that are still open are looked for.
	reconcileEvery time.Duration
	// neighbourGrace is how long another region's open payment is left to that region's own loop.
	neighbourGrace time.Duration
	// provider replaces the one that the variables name; nil outside tests and drills.
	provider provider.Provider
}

const (
	providerSandbox = "sandbox"
	providerStripe  = "stripe"
	captureAtOnce   = "automatic"
	captureByHand   = "manual"
)

// SetDefaults sets what no variable sets.
func (c *Config) SetDefaults() {
	c.providerLimit, c.findLimit, c.reconcileEvery, c.neighbourGrace = 15*time.Second, 3*time.Second, 2*time.Second, 2*time.Minute
}

// byHand reports whether charges are authorised first and captured after.
func (c Config) byHand() bool { return c.Capture == captureByHand }

// adapter returns what moves the money.
func (c Config) adapter() (provider.Provider, error) {
	if c.provider != nil {
		return c.provider, nil
	}
	return stripe.New(stripe.Config{
		SecretKey: c.Key, WebhookSecret: c.WebhookSecret, URL: c.URL, FineThousandths: c.Provider == providerSandbox,
	})
}

// Validate returns an error that names the variable at fault.
func (c Config) Validate() error {
	switch {
	case c.Provider != providerSandbox && c.Provider != providerStripe:
		return fmt.Errorf("MERIDIAN_PAYMENT_PROVIDER is %q, not %s or %s", c.Provider, providerSandbox, providerStripe)
	case c.Capture != captureAtOnce && c.Capture != captureByHand:
		return fmt.Errorf("MERIDIAN_PAYMENT_CAPTURE is %q, not %s or %s", c.Capture, captureAtOnce, captureByHand)
	case c.provider != nil:
		return nil
	case !c.Key.IsSet():
		return fmt.Errorf("MERIDIAN_PAYMENT_PROVIDER is %s and MERIDIAN_PAYMENT_KEY is not set: set it to the provider's secret key", c.Provider)
	case c.Provider == providerSandbox && c.URL == "":
		return fmt.Errorf("MERIDIAN_PAYMENT_URL is not set: set it to where `meridian provider` listens, such as http://127.0.0.1:8100")
	}
	return nil
}
