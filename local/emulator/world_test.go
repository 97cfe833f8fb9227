package emulator_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/meridian-store/meridian/edge/rule"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/kit/httpclient"
	"github.com/meridian-store/meridian/local/emulator"
)

// patience is how long a condition may take on a slow machine. Nothing is asserted about time.
const patience = 30 * time.Second

var (
	ashburn   = geo.Point{Latitude: 39.04, Longitude: -77.49}
	dublin    = geo.Point{Latitude: 53.35, Longitude: -6.26}
	singapore = geo.Point{Latitude: 1.35, Longitude: 103.82}
)

// gateway is an origin under the test's control.
type gateway struct {
	*httptest.Server
	region   string
	point    geo.Point
	unready  atomic.Bool
	requests atomic.Int64 // other than probes
	serve    atomic.Pointer[http.HandlerFunc]
}

// product answers as a region's gateway does to catalog reads.
func product(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("CDN-Cache-Control", "max-age=2, stale-while-revalidate=0, stale-if-error=60")
	w.Header().Set("Cache-Control", "public, max-age=0")
	w.Header().Set("Cache-Tag", "product:1")
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("ETag", `"v1"`)
	fmt.Fprintf(w, `{"target":%q}`, r.URL.RequestURI())
}

func newGateway(t testing.TB, region string, point geo.Point, handler http.HandlerFunc) *gateway {
	t.Helper()
	g := &gateway{region: region, point: point}
	g.answer(handler)
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/ready" {
			if g.unready.Load() {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
			return
		}
		g.requests.Add(1)
		w.Header().Set("X-Region", region)
		(*g.serve.Load())(w, r)
	}))
	t.Cleanup(g.Close)
	return g
}

func (g *gateway) answer(handler http.HandlerFunc) { g.serve.Store(&handler) }

// world is an edge, its origins and a clock.
type world struct {
	t      testing.TB
	edge   *emulator.Edge
	client *http.Client
	offset atomic.Int64
}

func (w *world) advance(d time.Duration) { w.offset.Add(int64(d)) }

func threeGateways(t testing.TB, handler http.HandlerFunc) []*gateway {
	return []*gateway{
		newGateway(t, "us-east", ashburn, handler),
		newGateway(t, "eu-west", dublin, handler),
		newGateway(t, "ap-southeast", singapore, handler),
	}
}

func config(t testing.TB, gateways []*gateway) emulator.Config {
	t.Helper()
	rules, err := rule.Default()
	if err != nil {
		t.Fatal(err)
	}
	cfg := emulator.Config{
		Listen: "127.0.0.1:0", AdminListen: "127.0.0.1:0", Rules: rules, OriginSecret: "only-the-edge-knows",
		ProbeInterval: 20 * time.Millisecond, ProbeTimeout: 5 * time.Second, DialTimeout: 5 * time.Second,
		ReadTimeout: patience, WriteTimeout: patience, Log: slog.New(slog.DiscardHandler),
	}
	for _, g := range gateways {
		cfg.Origins = append(cfg.Origins, emulator.Origin{Region: g.region, Point: g.point, URL: g.URL})
	}
	return cfg
}

// start runs an edge over the gateways until the test ends, and waits for every one's first probe.
func start(t testing.TB, gateways []*gateway, change ...func(*emulator.Config)) *world {
	t.Helper()
	w := &world{t: t}
	cfg := config(t, gateways)
	began := time.Now()
	cfg.Clock = func() time.Time { return began.Add(time.Duration(w.offset.Load())) }
	for _, c := range change {
		c(&cfg)
	}
	edge, err := emulator.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w.edge = edge
	if err := edge.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	w.client = httpclient.New(httpclient.Options{
		Timeout: 2 * patience, DisableCompression: true, MaxIdleConnsPerHost: 64, DisableRedirects: true,
	})
	t.Cleanup(func() {
		w.client.CloseIdleConnections()
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := edge.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	for _, g := range gateways {
		if !g.unready.Load() {
			w.awaitHealth(g.region, "up")
		}
	}
	return w
}

// awaitHealth waits until the edge thinks so of an origin.
func (w *world) awaitHealth(region, want string) {
	w.t.Helper()
	await(w.t, region+" is "+want, func() bool { return w.edge.Health()[region] == want })
}

func await(t testing.TB, what string, condition func() bool) {
	t.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for !condition() {
		select {
		case <-ticker.C:
		case <-deadline.C:
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

type reply struct {
	*http.Response
	body string
}

func (r reply) cache() string  { return r.Header.Get("X-Cache") }
func (r reply) region() string { return r.Header.Get("X-Region") }

// do sends a request; headers are "Name: value" lines.
func (w *world) do(method, target, body string, headers ...string) reply {
	w.t.Helper()
	got, err := w.try(method, target, body, headers...)
	if err != nil {
		w.t.Fatal(err)
	}
	return got
}

// try is do for goroutines other than the test's own.
func (w *world) try(method, target, body string, headers ...string) (reply, error) {
	request, err := http.NewRequest(method, "http://"+w.edge.Addr()+target, strings.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		request.Header.Add(name, value)
	}
	response, err := w.client.Do(request)
	if err != nil {
		return reply{}, err
	}
	defer response.Body.Close()
	got, err := io.ReadAll(response.Body)
	return reply{response, string(got)}, err
}

func (w *world) get(target string, headers ...string) reply {
	w.t.Helper()
	return w.do(http.MethodGet, target, "", headers...)
}

// gate lets a handler tell that it was reached and wait to be let on.
type gate struct {
	reached chan struct{}
	release chan struct{}
	once    sync.Once
}

// newGate makes a closed gate. Defer its opening: servers, which close in the test's clean-up, wait
// for those who stand at it.
func newGate() *gate {
	return &gate{reached: make(chan struct{}, 1000), release: make(chan struct{})}
}

func (g *gate) pass() {
	g.reached <- struct{}{}
	<-g.release
}

func (g *gate) open() { g.once.Do(func() { close(g.release) }) }

func (g *gate) awaitReached(t testing.TB) {
	t.Helper()
	select {
	case <-g.reached:
	case <-time.After(patience):
		t.Fatal("nobody reached the gate")
	}
}
