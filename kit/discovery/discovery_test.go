package discovery_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/meridian-store/meridian/kit/discovery"
	"github.com/meridian-store/meridian/local/engine/enginetest"
	"github.com/meridian-store/meridian/local/kittest"
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

func address(i discovery.Instance) string { return net.JoinHostPort(i.Host, strconv.Itoa(i.Port)) }

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
		picked, err := consul.Pick(ctx, "shop")
		if err != nil {
			t.Fatal(err)
		}
		seen[picked] = true
	}
	if err := consul.Deregister(ctx, first); err != nil {
		t.Fatal(err)
	}
	for len(consul.Instances("shop")) != 1 {
		if ctx.Err() != nil {
			t.Fatalf("%v still lists %s", consul.Instances("shop"), address(first))
		}
	}
	if picked, err := consul.Pick(ctx, "shop", address(first)); err != nil || picked == address(first) {
		t.Fatalf("picked %s (%v)", picked, err)
	}
}

// Who fails its check is asked by nobody while another passes. When all fail at once they are asked all the same, but for who refused.
func TestTheUnhealthyAreAskedOnlyWhenAllAre(t *testing.T) {
	t.Parallel()
	at := enginetest.Consul(t)
	consul := client(t, at, enginetest.Prefix())
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var overloaded atomic.Bool
	asked := make(chan struct{}, 100)
	sick := instance(t, "shop", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
		asked <- struct{}{}
	})
	well := instance(t, "shop", func(w http.ResponseWriter, _ *http.Request) {
		if overloaded.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	for _, i := range []discovery.Instance{sick, well} {
		if err := consul.Register(ctx, i); err != nil {
			t.Fatal(err)
		}
	}
	healthy := func(want int) {
		t.Helper()
		kittest.Eventually(t, func() error {
			if got := consul.Instances("shop"); len(got) != want {
				return fmt.Errorf("%v are healthy, want %d", got, want)
			}
			return nil
		})
	}
	picks := func(not ...string) map[string]int {
		t.Helper()
		picked := map[string]int{}
		for range 20 {
			address, err := consul.Pick(ctx, "shop", not...)
			if err != nil {
				t.Fatal(err)
			}
			picked[address]++
		}
		return picked
	}
	<-asked
	<-asked // the first answer has been judged
	healthy(1)
	if picked := picks(); picked[address(well)] != 20 {
		t.Errorf("with one healthy %v were picked", picked)
	}
	if picked := picks(address(well)); picked[address(well)] != 20 {
		t.Errorf("with one healthy that refused %v were picked", picked)
	}
	overloaded.Store(true)
	healthy(0)
	if picked := picks(); picked[address(well)] != 10 || picked[address(sick)] != 10 {
		t.Errorf("with none healthy %v were picked", picked)
	}
	if picked := picks(address(sick)); picked[address(well)] != 20 {
		t.Errorf("with none healthy, and one that refused, %v were picked", picked)
	}
	brief, done := context.WithTimeout(ctx, 100*time.Millisecond)
	defer done()
	if picked, err := consul.Pick(brief, "shop", address(sick), address(well)); err == nil {
		t.Errorf("with none healthy, and both refusing, %s was picked", picked)
	}
	operator, err := api.NewClient(&api.Config{Address: at})
	if err != nil {
		t.Fatal(err)
	}
	if err := operator.Agent().EnableServiceMaintenance(sick.ID(), "its machine is to be mended"); err != nil {
		t.Fatal(err)
	}
	kittest.Eventually(t, func() error { // an operator's word is no check, and is heeded
		if picked := picks(); picked[address(sick)] > 0 {
			return fmt.Errorf("%v were picked, with %s in maintenance", picked, address(sick))
		}
		return nil
	})
	overloaded.Store(false) // whoever waits is told of the first that is healthy again
	if picked, err := consul.Pick(ctx, "shop", address(sick), address(well)); err != nil || picked != address(well) {
		t.Errorf("%s was picked of one that is healthy again (%v)", picked, err)
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
