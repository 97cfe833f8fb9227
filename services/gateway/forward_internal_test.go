package gateway

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/httpclient"
)

// fixed is a Consul that names the same instances all the time, dead or alive.
type fixed []string

func (f fixed) Instances(string) []string { return f }

func (f fixed) Pick(context.Context, string, ...string) (string, error) {
	return "", errors.New("there is none")
}

// ailing is a Consul that announces instances of which none passes its check.
type ailing []string

func (a ailing) Instances(string) []string { return nil }

func (a ailing) Pick(ctx context.Context, _ string, not ...string) (string, error) {
	for _, address := range a {
		if !slices.Contains(not, address) {
			return address, nil
		}
	}
	<-ctx.Done()
	return "", ctx.Err()
}

// proxy is a forwarder on its own, with its address.
type proxy struct {
	*forwarder
	url string
}

func startProxy(t testing.TB, now func() time.Time, addresses ...string) proxy {
	t.Helper()
	return startProxyTo(t, now, fixed(addresses))
}

func startProxyTo(t testing.TB, now func() time.Time, finder finder) proxy {
	t.Helper()
	metrics := newMetrics(prometheus.NewRegistry())
	f := &forwarder{instances: newInstances(finder, now), region: "us-east", duration: metrics.duration, retries: metrics.retries}
	app := fiber.New(fiber.Config{DisableStartupMessage: true, Immutable: true, ErrorHandler: func(c *fiber.Ctx, err error) error {
		return c.Status(http.StatusServiceUnavailable).SendString(string(contract.CodeOf(err)) + ": " + err.Error())
	}})
	route := &compiledRoute{Route: Route{Service: "cart", Timeout: 20 * time.Second}}
	app.Use(func(c *fiber.Ctx) error { return f.forward(c, route) })
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- app.Listener(listener) }()
	t.Cleanup(func() {
		if err := errors.Join(app.Shutdown(), <-served); err != nil {
			t.Error(err)
		}
		f.instances.forget(now().Add(time.Hour))
	})
	return proxy{forwarder: f, url: "http://" + listener.Addr().String()}
}

func (p proxy) do(t testing.TB, method string) (status int, body string) {
	t.Helper()
	response, err := httpclient.Request{Method: method, URL: p.url + "/x", Body: []byte("body")}.Send(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return response.Status, string(response.Body)
}

// refusing is an address at which nobody listens.
func refusing(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// hangingUp takes a request and closes the connection instead of answering.
func hangingUp(t testing.TB, heard *atomic.Int64) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		heard.Add(1)
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func answering(t testing.TB, body string, heard *atomic.Int64) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		heard.Add(1)
		if _, err := io.WriteString(w, body); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func TestWhatNobodySawIsOfferedToAnother(t *testing.T) {
	t.Parallel()
	var heard atomic.Int64
	p := startProxy(t, time.Now, refusing(t), answering(t, "alive", &heard))
	for range 10 {
		if status, body := p.do(t, http.MethodPost); status != http.StatusOK || body != "alive" {
			t.Fatalf("%d %s", status, body)
		}
	}
	if heard.Load() != 10 {
		t.Errorf("ten requests were heard %d times", heard.Load())
	}
}

// A check that fails everywhere at once, as under a load that nobody expected, must not make an outage of it.
func TestTheUnhealthyAreAskedWhenNobodyElseIsThere(t *testing.T) {
	t.Parallel()
	var heard atomic.Int64
	p := startProxyTo(t, time.Now, ailing{refusing(t), answering(t, "alive", &heard)})
	for range 10 {
		if status, body := p.do(t, http.MethodPost); status != http.StatusOK || body != "alive" {
			t.Fatalf("%d %s", status, body)
		}
	}
	if heard.Load() != 10 {
		t.Errorf("ten requests were heard %d times", heard.Load())
	}
	gone := startProxyTo(t, time.Now, ailing{refusing(t), refusing(t)})
	if status, body := gone.do(t, http.MethodPost); status != http.StatusServiceUnavailable ||
		!strings.HasPrefix(body, string(contract.CodeUnavailable)+": ") || !strings.Contains(body, "cart") {
		t.Errorf("with nobody there: %d %s", status, body)
	}
}

func TestOnlyHarmlessRequestsAreRepeated(t *testing.T) {
	t.Parallel()
	var dropped, answered atomic.Int64
	p := startProxy(t, time.Now, hangingUp(t, &dropped), answering(t, "alive", &answered))
	for range 10 {
		if status, body := p.do(t, http.MethodGet); status != http.StatusOK || body != "alive" {
			t.Fatalf("%d %s", status, body)
		}
	}
	if dropped.Load() == 0 {
		t.Fatal("the instance that hangs up was never asked: the test shows nothing")
	}
	for range 10 {
		before := dropped.Load() + answered.Load()
		status, body := p.do(t, http.MethodPost)
		if heard := dropped.Load() + answered.Load() - before; heard != 1 {
			t.Fatalf("a POST was heard %d times (%d %s)", heard, status, body)
		}
	}
}

func TestAnInstanceThatRefusedIsAvoidedForAWhile(t *testing.T) {
	t.Parallel()
	var clock atomic.Int64
	clock.Store(time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC).UnixNano())
	pool := newInstances(fixed{"127.0.0.1:1", "127.0.0.1:2"}, func() time.Time { return time.Unix(0, clock.Load()) })
	choose := func(tried ...*instance) *instance {
		chosen, err := pool.choose(t.Context(), "cart", tried)
		if err != nil {
			t.Fatal(err)
		}
		return chosen
	}
	seen := map[string]int{}
	for range 10 {
		seen[choose().address]++
	}
	if seen["127.0.0.1:1"] != 5 || seen["127.0.0.1:2"] != 5 {
		t.Errorf("the turns were %v", seen)
	}
	bad := pool.at("127.0.0.1:1")
	pool.avoid(bad)
	for range 10 {
		if choose() == bad {
			t.Fatal("an instance that refused was chosen at once")
		}
	}
	if other := pool.at("127.0.0.1:2"); choose(other) != bad {
		t.Error("with the other one tried, the one that refused is worth another try")
	} else if choose(other, bad) != nil {
		t.Error("an instance was offered twice")
	}
	clock.Add(int64(avoidFor))
	seen = map[string]int{}
	for range 10 {
		seen[choose().address]++
	}
	if seen["127.0.0.1:1"] != 5 {
		t.Errorf("the instance was not forgiven: %v", seen)
	}
}

// A service that was started anew at its old address has closed all our kept connections. No request may pay for that.
func TestARestartCostsNoRequest(t *testing.T) {
	t.Parallel()
	var heard atomic.Int64
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		heard.Add(1)
		if _, err := io.WriteString(w, "alive"); err != nil {
			t.Error(err)
		}
	})
	first := httptest.NewServer(handler)
	address := first.Listener.Addr().String()
	p := startProxy(t, time.Now, address)
	// Several connections at once, so that several are stale.
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() { p.do(t, http.MethodPost) })
	}
	clients.Wait()
	first.Close()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Skipf("the port was taken meanwhile: %v", err)
	}
	second := &httptest.Server{Listener: listener, Config: &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}}
	second.Start()
	t.Cleanup(second.Close)
	for range 6 {
		if status, body := p.do(t, http.MethodPost); status != http.StatusOK || body != "alive" {
			t.Fatalf("%d %s", status, body)
		}
	}
	if heard.Load() != 10 {
		t.Errorf("ten requests were heard %d times", heard.Load())
	}
}

func TestForgottenInstancesLoseTheirConnections(t *testing.T) {
	t.Parallel()
	var heard atomic.Int64
	p := startProxy(t, time.Now, answering(t, "alive", &heard))
	p.do(t, http.MethodGet)
	p.instances.forget(time.Now().Add(-time.Minute))
	if len(p.instances.known) != 1 {
		t.Error("an instance in use was forgotten")
	}
	p.instances.forget(time.Now().Add(time.Minute))
	if len(p.instances.known) != 0 {
		t.Error("an instance that is gone was kept")
	}
	if status, body := p.do(t, http.MethodGet); status != http.StatusOK {
		t.Errorf("an instance that came back: %d %s", status, body)
	}
}
