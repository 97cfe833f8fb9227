package emulator_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/kit/httpclient"
	"github.com/meridian-store/meridian/local/emulator"
)

func TestEveryLocationIsServedByItsNearestRegion(t *testing.T) {
	t.Parallel()
	w := start(t, threeGateways(t, product))
	for _, l := range geo.Cities() {
		got := w.get("/api/v1/regions", "X-Edge-Location: "+l.IATA)
		regions := []geo.Region{{Name: "us-east", Point: ashburn}, {Name: "eu-west", Point: dublin}, {Name: "ap-southeast", Point: singapore}}
		if want := geo.Order(l.Point, regions)[0].Name; got.region() != want || got.Header.Get("X-Edge-Location") != l.IATA {
			t.Errorf("%s was served by %s at %s, want %s", l.IATA, got.region(), got.Header.Get("X-Edge-Location"), want)
		}
	}
}

func TestDefaultLocation(t *testing.T) {
	t.Parallel()
	gateways := threeGateways(t, product)
	if got := start(t, gateways).get("/api/v1/products").Header.Get("X-Edge-Location"); got != "IAD" {
		t.Errorf("without a choice the edge stands at %s, want IAD, nearest to the first origin", got)
	}
	w := start(t, gateways, func(c *emulator.Config) { c.DefaultLocation = "SYD" })
	if got := w.get("/api/v1/products").Header.Get("X-Edge-Location"); got != "SYD" {
		t.Errorf("the edge stands at %s, want SYD as configured", got)
	}
}

func TestProbesMoveShoppersAndBringThemBack(t *testing.T) {
	t.Parallel()
	gateways := threeGateways(t, product)
	w := start(t, gateways)
	served := func() string { return w.get("/api/v1/cart", "X-Edge-Location: DUB").region() }
	if got := served(); got != "eu-west" {
		t.Fatalf("served by %s", got)
	}
	gateways[1].unready.Store(true)
	w.awaitHealth("eu-west", "down")
	if got := served(); got != "us-east" {
		t.Errorf("with eu-west down served by %s, want us-east", got)
	}
	gateways[1].unready.Store(false)
	w.awaitHealth("eu-west", "up")
	if got := served(); got != "eu-west" {
		t.Errorf("with eu-west back served by %s", got)
	}
}

// hourly keeps probes out of a test, after the first.
func hourly(c *emulator.Config) { c.ProbeInterval = time.Hour }

func TestRefusedConnectionsMoveEveryMethodAtOnce(t *testing.T) {
	t.Parallel()
	gateways := threeGateways(t, product)
	w := start(t, gateways, hourly)
	gateways[1].CloseClientConnections()
	gateways[1].Close()
	got := w.do(http.MethodPost, "/api/v1/cart/items", `{"sku":"A"}`, "X-Edge-Location: DUB")
	if got.StatusCode != http.StatusOK || got.region() != "us-east" {
		t.Errorf("a POST of which nothing was sent got %d from %q", got.StatusCode, got.region())
	}
	if h := w.edge.Health()["eu-west"]; h != "suspect" {
		t.Errorf("eu-west is %s, want suspect", h)
	}
	if got := w.get("/api/v1/cart", "X-Edge-Location: DUB"); got.region() != "us-east" {
		t.Errorf("with eu-west gone served by %s", got.region())
	}
	if n := w.metric(`meridian_edge_origin_requests_total{from="eu-west",outcome="unsent",region="eu-west"}`); n != 1 {
		t.Errorf("eu-west was tried %v times: a suspect is the last to try", n)
	}
}

func breakConnection(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		conn.Close()
	}
}

func TestBrokenAnswersAreRetriedOnlyWhenThatIsSafe(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		method string
		status int
	}{
		{http.MethodGet, 200}, {http.MethodHead, 200}, {http.MethodPut, 200}, {http.MethodDelete, 200}, {http.MethodOptions, 200},
		{http.MethodPost, 502}, {http.MethodPatch, 502},
	} {
		t.Run(tc.method, func(t *testing.T) {
			t.Parallel()
			gateways := threeGateways(t, product)
			gateways[1].answer(breakConnection)
			w := start(t, gateways, hourly)
			got := w.do(tc.method, "/api/v1/cart", "", "X-Edge-Location: DUB", "Idempotency-Key: k")
			if got.StatusCode != tc.status {
				t.Errorf("got %d, want %d", got.StatusCode, tc.status)
			}
			elsewhere := gateways[0].requests.Load() + gateways[2].requests.Load()
			if want := map[int]int64{200: 1, 502: 0}[tc.status]; elsewhere != want {
				t.Errorf("%d requests reached another region, want %d", elsewhere, want)
			}
			if tc.status == 502 && gateways[1].requests.Load() != 1 {
				t.Errorf("the request was sent %d times to the same region", gateways[1].requests.Load())
			}
		})
	}
}

func TestSlowOriginsAreLeftForReadsAndNotForWrites(t *testing.T) {
	t.Parallel()
	gateways := threeGateways(t, product)
	g := newGate()
	defer g.open()
	gateways[1].answer(func(http.ResponseWriter, *http.Request) { g.pass() })
	w := start(t, gateways, hourly, func(c *emulator.Config) {
		c.ReadTimeout, c.WriteTimeout = 200*time.Millisecond, 200*time.Millisecond
	})
	// us-east may be slow too on a busy machine, so only what the edge did is judged.
	w.get("/api/v1/cart", "X-Edge-Location: DUB")
	if gateways[0].requests.Load() == 0 {
		t.Error("the read was not tried elsewhere")
	}
	before := gateways[0].requests.Load() + gateways[2].requests.Load()
	got := w.do(http.MethodPost, "/api/v1/checkout", "{}", "X-Edge-Location: DUB", "Idempotency-Key: k")
	if got.StatusCode != http.StatusGatewayTimeout || got.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("got %d %s", got.StatusCode, got.Header.Get("Content-Type"))
	}
	if after := gateways[0].requests.Load() + gateways[2].requests.Load(); after != before {
		t.Error("a write of unknown outcome was sent again")
	}
	if h := w.edge.Health()["eu-west"]; h != "up" {
		t.Errorf("a slow answer made eu-west %s", h)
	}
}

func TestAnErrorStatusIsAnAnswer(t *testing.T) {
	t.Parallel()
	gateways := threeGateways(t, product)
	gateways[1].answer(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	w := start(t, gateways)
	if got := w.get("/api/v1/products", "X-Edge-Location: DUB"); got.StatusCode != 500 || got.region() != "eu-west" || got.cache() != "MISS" {
		t.Errorf("got %d from %s, %s", got.StatusCode, got.region(), got.cache())
	}
	if gateways[0].requests.Load() != 0 {
		t.Error("another region was asked too")
	}
}

func TestNoHealthyOrigin(t *testing.T) {
	t.Parallel()
	only := newGateway(t, "us-east", ashburn, product)
	only.unready.Store(true)
	w := start(t, []*gateway{only})
	for target, cache := range map[string]string{"/api/v1/cart": "BYPASS", "/api/v1/products": "MISS"} {
		got := w.get(target)
		var problem struct {
			Type    string
			Status  int
			TraceID string `json:"trace_id"`
		}
		if err := json.Unmarshal([]byte(got.body), &problem); err != nil {
			t.Fatal(err)
		}
		if got.StatusCode != 503 || got.cache() != cache || got.Header.Get("Retry-After") == "" || problem.Status != 503 ||
			problem.Type == "" || len(problem.TraceID) != 32 {
			t.Errorf("%s: got %d %s %v %+v", target, got.StatusCode, got.cache(), got.Header, problem)
		}
	}
	ready, err := httpclient.Request{URL: "http://" + w.edge.AdminAddr() + "/ready"}.Send(t.Context())
	if err != nil || ready.Status != 503 {
		t.Errorf("/ready answered %d %s %v", ready.Status, ready.Body, err)
	}
	httpclient.Default.CloseIdleConnections()
}

// A machine too busy to answer probes in time may well answer requests.
func TestOriginsThatOnlyMissProbesAreStillAsked(t *testing.T) {
	t.Parallel()
	silent := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/ready" {
			<-silent
			return
		}
		w.Header().Set("X-Region", "us-east")
		product(w, r)
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(silent) }) // runs first
	busy := &gateway{Server: server, region: "us-east", point: ashburn}
	busy.unready.Store(true) // so that nobody waits for a good probe
	w := start(t, []*gateway{busy})
	for _, target := range []string{"/api/v1/cart", "/api/v1/products"} {
		got := w.get(target)
		for deadline := time.Now().Add(30 * time.Second); got.StatusCode != 200 && time.Now().Before(deadline); {
			got = w.get(target) // until the first probe has timed out
		}
		if got.StatusCode != 200 || got.region() != "us-east" || w.edge.Ready() {
			t.Errorf("%s: %d from %q", target, got.StatusCode, got.region())
		}
	}
}
