package enginetest

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/meridian-store/meridian/local/engine/broker"
)

// Broker returns the seed addresses of a broker. Unless MERIDIAN_TEST_KAFKA names one
// it is the test's own, in memory, without topics, and ends with the test; clients
// that the test closes in its own clean-up are closed before.
func Broker(t testing.TB) []string {
	t.Helper()
	if given := os.Getenv("MERIDIAN_TEST_KAFKA"); given != "" {
		return strings.Split(given, ",")
	}
	address := fmt.Sprintf("127.0.0.1:%d", Ports(t, 1))
	ctx, cancel := context.WithCancel(context.Background())
	started, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- broker.Run(ctx, broker.Config{Address: address, Started: func() { close(started) }})
	}()
	select {
	case <-started:
	case err := <-ended:
		cancel()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("stop broker: %v", err)
		}
	})
	return []string{address}
}
