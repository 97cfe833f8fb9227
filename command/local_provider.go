//go:build !production

package command

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/meridian-store/meridian/local/sandbox"
)

// providerVerb runs the payment sandbox. Its secrets come from the environment, because arguments are for everyone on
// the machine to read.
type providerVerb struct {
	Listen        string `required:"" help:"host:port to listen on."`
	Data          string `required:"" help:"Folder that keeps its ledger." type:"path"`
	Webhook       string `help:"URL that its webhooks go to; none are sent when absent."`
	Key           string `env:"MERIDIAN_PAYMENT_KEY" hidden:""`
	WebhookSecret string `env:"MERIDIAN_PAYMENT_WEBHOOK_SECRET" hidden:""`
}

// Run serves until it is interrupted.
func (p *providerVerb) Run(e *env) error {
	if p.Key == "" || p.WebhookSecret == "" {
		return errors.New("MERIDIAN_PAYMENT_KEY and MERIDIAN_PAYMENT_WEBHOOK_SECRET must be set: what clients present, and what webhooks are signed with")
	}
	if err := os.MkdirAll(p.Data, 0o700); err != nil {
		return fmt.Errorf("make the folder of the ledger: %w", err)
	}
	return sandbox.Run(e.ctx, p.Listen, sandbox.Config{
		Path: filepath.Join(p.Data, "ledger"), SecretKey: p.Key, Log: e.logger("provider"),
		Webhook: sandbox.Webhook{URL: p.Webhook, Secret: p.WebhookSecret},
	})
}
