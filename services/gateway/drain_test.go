package gateway_test

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/discovery"
	"github.com/meridian-store/meridian/local/kittest"
	"github.com/meridian-store/meridian/services/gateway"
)

func TestARequestUnderWayOutlivesTheStop(t *testing.T) {
	t.Parallel()
	shop := kittest.Start(t, gateway.Definition())
	asked, release := make(chan struct{}), make(chan struct{})
	shop.Neighbour(t, contract.ServiceOrder, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(asked)
		<-release
		w.WriteHeader(http.StatusCreated)
	}))
	var shopper, stopping sync.WaitGroup
	shopper.Go(func() {
		response := shop.Do(t, http.MethodPost, "/api/v1/checkout", map[string]string{}, nil, map[string]string{"Idempotency-Key": "k"})
		if err := status(response, http.StatusCreated); err != nil {
			t.Error(err)
		}
	})
	<-asked
	address := strings.TrimPrefix(shop.URL, "http://")
	stopping.Go(func() { shop.Stop(t) })
	kittest.Eventually(t, func() error {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			return nil //nolint:nilerr // refused: the stop has begun
		}
		return errors.Join(errors.New("the gateway still listens"), conn.Close())
	})
	close(release)
	shopper.Wait()
	stopping.Wait()
}

func TestAServiceThatLeavesInOrderCostsNoRequest(t *testing.T) {
	t.Parallel()
	shop := kittest.Start(t, gateway.Definition())
	consul, err := discovery.New(shop.Env.ConsulAddress, shop.Env.Namespace, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(consul.Close)
	leaving := httptest.NewServer(echo(t, "leaving"))
	instance := discovery.Instance{Service: contract.ServiceCart, Host: "127.0.0.1", Port: leaving.Listener.Addr().(*net.TCPAddr).Port}
	if err := consul.Register(t.Context(), instance); err != nil {
		t.Fatal(err)
	}
	shop.Neighbour(t, contract.ServiceCart, echo(t, "staying"))
	who := func() string {
		var got heard
		if err := status(shop.Do(t, http.MethodPost, "/api/v1/cart/items", map[string]string{}, &got), http.StatusOK); err != nil {
			t.Fatal(err)
		}
		return got.Who
	}
	answeredBy := func(name string) func() error {
		return func() error {
			if got := who(); got != name {
				return errors.New(got + " answered, not " + name)
			}
			return nil
		}
	}
	kittest.Eventually(t, answeredBy("leaving"))
	kittest.Eventually(t, answeredBy("staying"))
	if err := consul.Deregister(t.Context(), instance); err != nil {
		t.Fatal(err)
	}
	leaving.Close()
	for range 50 {
		if got := who(); got != "staying" {
			t.Fatalf("%s answered after it had gone", got)
		}
	}
}
