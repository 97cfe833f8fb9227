package launcher

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/local/process"
)

const (
	// providerName is the process of the payment provider, which stands outside every region.
	providerName   = "provider"
	providerOffset = 16
	webhookPath    = "/api/v1/webhooks/payments"
	// What payment reads of the provider in its environment.
	envPaymentProvider = "MERIDIAN_PAYMENT_PROVIDER"
	envPaymentURL      = "MERIDIAN_PAYMENT_URL"
	envPaymentKey      = "MERIDIAN_PAYMENT_KEY"
	envPaymentWebhook  = "MERIDIAN_PAYMENT_WEBHOOK_SECRET"
	providerSandbox    = "sandbox"
)

// Provider is where the payment sandbox listens, in the place that four regions' links leave before the gateways.
func (p Ports) Provider() int { return p.Base + providerOffset }

// OwnsProvider says that the payment provider is the sandbox, which `up` runs. Otherwise the environment names another.
func OwnsProvider() bool {
	named := os.Getenv(envPaymentProvider)
	return named == "" || named == providerSandbox
}

// providerSpec gives the process of the payment sandbox. Its webhooks go to the edge, which takes them to the nearest healthy region.
func (l *launcher) providerSpec() process.Spec {
	return process.Spec{
		Name: providerName, Path: l.Binary,
		Args:    []string{"provider", "--listen", address(l.ports.Provider()), "--data", l.Home.Path("data", providerName), "--webhook", l.url(l.ports.Edge()) + webhookPath},
		Env:     []string{envPaymentKey + "=" + l.secrets.PaymentKey, envPaymentWebhook + "=" + l.secrets.PaymentWebhook},
		LogFile: l.Home.Log("", providerName), StopTimeout: 15 * time.Second,
		Ready: func(ctx context.Context) error { return askOK(ctx, l.url(l.ports.Provider())+"/health") },
	}
}

// paymentEnv is what a process is told of the payment provider: all when it runs payment, and otherwise nothing, not even what this
// process was told.
func (l *launcher) paymentEnv(services []string) []string {
	if !slices.Contains(services, contract.ServicePayment) {
		return []string{envPaymentKey + "=", envPaymentWebhook + "="}
	}
	if !OwnsProvider() {
		return nil // it finds what this process was told
	}
	return []string{
		envPaymentProvider + "=" + providerSandbox, envPaymentURL + "=" + l.url(l.ports.Provider()),
		envPaymentKey + "=" + l.secrets.PaymentKey, envPaymentWebhook + "=" + l.secrets.PaymentWebhook,
	}
}

// PaymentSandbox returns where the payment sandbox of the copy of a home listens, and the secret key for it. Never
// show the key.
func PaymentSandbox(home Home) (url, key string, err error) {
	state, found, err := ReadState(home)
	if err != nil {
		return "", "", err
	}
	if !found {
		return "", "", fmt.Errorf("there is no running copy's state in %s: run `meridian up`", home.Dir())
	}
	var s secrets
	if _, err := home.readJSON(secretsFile, &s); err != nil {
		return "", "", err
	}
	return "http://" + address(Ports{Base: state.BasePort}.Provider()), s.PaymentKey, nil
}
