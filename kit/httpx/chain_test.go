package httpx_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/httpx"
)

func TestErrorChain_AddsOnlyCausesThatAreLeftOut(t *testing.T) {
	t.Parallel()
	refused := errors.New("connection refused")
	for want, err := range map[string]error{
		"connection refused":                           refused,
		"dial: connection refused":                     fmt.Errorf("dial: %w", refused),
		"cart did not answer: connection refused":      contract.Unavailable(refused, "cart did not answer"),
		"read: cart is away: dial: connection refused": fmt.Errorf("read: %w", contract.Unavailable(fmt.Errorf("dial: %w", refused), "cart is away")),
	} {
		if got := httpx.ErrorChain(err); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
