// Package sandboxtest runs the payment sandbox inside a test.
package sandboxtest

import (
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/meridian-store/meridian/local/sandbox"
)

// The secrets of every sandbox that Start runs.
const (
	SecretKey     = "sk_test_of_a_test"   //nolint:gosec // of tests alone
	WebhookSecret = "whsec_of_a_test_too" //nolint:gosec // as above
)

// Start runs a sandbox of the test's own and gives its URL. change, which may be nil, alters its configuration first, such as where
// its webhooks go.
func Start(t testing.TB, change func(*sandbox.Config)) string {
	t.Helper()
	config := sandbox.Config{
		Path: filepath.Join(t.TempDir(), "ledger"), SecretKey: SecretKey, Webhook: sandbox.Webhook{Secret: WebhookSecret},
		Log: slog.New(slog.DiscardHandler),
	}
	if change != nil {
		change(&config)
	}
	running, err := sandbox.Open(config)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(running)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		if err := running.Close(); err != nil {
			t.Error(err)
		}
	})
	return server.URL
}
