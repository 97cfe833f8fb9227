package gateway_test

import (
	"errors"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/local/kittest"
	"github.com/meridian-store/meridian/services/gateway"
)

func TestARegionIsNotReadyBeforeItsCartsAreAsRecentAsTheOthers(t *testing.T) {
	t.Parallel()
	shop := kittest.Start(t, gateway.Definition())
	var rejoined atomic.Bool
	asked := make(chan struct{}, 1)
	shop.Neighbour(t, contract.ServiceCatalog, echo(t, "catalog"))
	shop.Neighbour(t, contract.ServiceCart, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != contract.PathRejoined || r.Header.Get(contract.HeaderInternal) == "" {
			t.Errorf("the cart service was asked for %s", r.URL.Path)
		}
		select {
		case asked <- struct{}{}:
		default:
		}
		if rejoined.Load() {
			w.WriteHeader(http.StatusNoContent)
		} else {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	ready := func() error {
		if got := shop.Do(t, http.MethodGet, "/ready", nil, nil); got.StatusCode != http.StatusOK {
			return errors.New(got.Status)
		}
		return nil
	}
	for range 3 {
		<-asked
		if ready() == nil {
			t.Fatal("the gateway is ready while carts are older than the others'")
		}
	}
	rejoined.Store(true)
	kittest.Eventually(t, ready)
	// What was said once holds: a cart service that comes back later takes no shopper from the region.
	rejoined.Store(false)
	if err := ready(); err != nil {
		t.Errorf("a ready gateway says %v", err)
	}
}
