package discovery_test

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/meridian-store/meridian/regions/engine/enginetest"
	"github.com/meridian-store/meridian/services/kit/discovery"
)

func TestMain(m *testing.M) { enginetest.Main(m) }

func client(t *testing.T, address, namespace string) *discovery.Consul {
	t.Helper()
	consul, err := discovery.New(address, namespace, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(consul.Close)
	return consul
}

// instance is a server whose /ready answers what the test says.
func instance(t *testing.T, service string, ready http.HandlerFunc) discovery.Instance {
	t.Helper()
	server := httptest.NewServer(ready)
	t.Cleanup(server.Close)
	host, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return discovery.Instance{Service: service, Host: host, Port: number}
}

func healthy(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }

func TestPickFollowsHealth(t *testing.T) {
	t.Parallel()
	consul := client(t, enginetest.Consul(t), enginetest.Prefix())
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	first, second := instance(t, "shop", healthy), instance(t, "shop", healthy)
	for _, i := range []discovery.Instance{first, second} {
		if err := consul.Register(ctx, i); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[string]bool{}
	for len(seen) < 2 && ctx.Err() == nil { // both take turns once both are healthy
		address, err := consul.Pick(ctx, "shop")
		if err != nil {
			t.Fatal(err)
		}
		seen[address] = true
	}
	if err := consul.Deregister(ctx, first); err != nil {
		t.Fatal(err)
	}
	gone := net.JoinHostPort(first.Host, strconv.Itoa(first.Port))
	for len(consul.Instances("shop")) != 1 {
		if ctx.Err() != nil {
			t.Fatalf("%v still lists %s", consul.Instances("shop"), gone)
		}
	}
	if address, err := consul.Pick(ctx, "shop", gone); err != nil || address == gone {
		t.Fatalf("picked %s (%v)", address, err)
	}
}

func TestAnUnhealthyInstanceIsNotPicked(t *testing.T) {
	t.Parallel()
	consul := client(t, enginetest.Consul(t), enginetest.Prefix())
	asked := make(chan struct{}, 100)
	sick := instance(t, "shop", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
		asked <- struct{}{}
	})
	if err := consul.Register(t.Context(), sick); err != nil {
		t.Fatal(err)
	}
	<-asked
	<-asked // the first answer has been judged
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if address, err := consul.Pick(ctx, "shop"); err == nil {
		t.Fatalf("picked the sick %s", address)
	}
}

// A Consul that accepts and never answers must cost its callers no more than the deadline.
func TestAHungConsulBlocksNobody(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := listener.Close(); err != nil {
			t.Error(err)
		}
	})
	consul := client(t, listener.Addr().String(), "")
	if err := consul.Register(t.Context(), discovery.Instance{Service: "shop", Host: "127.0.0.1", Port: 1}); err == nil {
		t.Fatal("a Consul that never answered has registered a service")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := consul.Pick(ctx, "shop"); err == nil {
		t.Fatal("picked from nothing")
	}
	if _, _, err := consul.InstancesIn(t.Context(), "there", "shop", 0, 100*time.Millisecond); err == nil {
		t.Fatal("a Consul that never answered has told of another region")
	}
	consul.KeepFailover(ctx, []string{"there"}) // ends with its context, which has ended
}
