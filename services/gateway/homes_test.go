package gateway_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/local/kittest"
	"github.com/meridian-store/meridian/services/gateway"
)

// two are the gateways of us-east, where the shopper is, and of eu-west, where the cart is.
type two struct {
	near, home *kittest.Service
	// up is Consul's word on eu-west.
	up atomic.Bool
}

// openTwo joins two gateways; link, when not "", stands where the link to the home begins.
func openTwo(t *testing.T, link string) *two {
	t.Helper()
	world := &two{}
	ask := func(context.Context, string, string) ([]string, error) {
		if world.up.Load() {
			return []string{"a gateway"}, nil
		}
		return nil, nil
	}
	world.home = kittest.Start(t, gateway.DefinitionAmong(ask), kittest.WithRegion("eu-west"))
	world.near = kittest.Start(t, gateway.DefinitionAmong(ask))
	for _, side := range []*kittest.Service{world.home, world.near} {
		for _, name := range []string{contract.ServiceCatalog, contract.ServiceCart, contract.ServiceOrder} {
			side.Neighbour(t, name, echo(t, name+" of "+side.Region.Name))
		}
	}
	for _, side := range []*kittest.Service{world.home, world.near} { // each must find the other where it was, once it is started anew
		at, err := url.Parse(side.URL)
		if err != nil {
			t.Fatal(err)
		}
		if side.Env.Port, err = strconv.Atoi(at.Port()); err != nil {
			t.Fatal(err)
		}
	}
	if link == "" {
		link = world.home.URL
	}
	world.home.Env.InternalSecret = world.near.Env.InternalSecret
	world.home.Settings["MERIDIAN_EDGE_SECRET"] = world.near.Settings["MERIDIAN_EDGE_SECRET"]
	world.home.Settings["MERIDIAN_PEERS"] = "us-east=" + world.near.URL
	world.home.Restart(t)
	world.near.Settings["MERIDIAN_PEERS"] = "eu-west=" + link
	world.up.Store(true)
	world.near.Restart(t)
	return world
}

// sees waits until the near gateway thinks so of the home.
func (w *two) sees(t *testing.T, healthy bool) {
	t.Helper()
	kittest.Eventually(t, func() error {
		var list struct{ Items []gateway.RegionStatus }
		w.near.Do(t, http.MethodGet, "/api/v1/regions", nil, &list)
		for _, region := range list.Items {
			if region.Name == "eu-west" && region.Healthy == healthy {
				return nil
			}
		}
		return fmt.Errorf("the regions are seen as %+v", list.Items)
	})
}

func cartOf(code string) map[string]string {
	return map[string]string{contract.HeaderCartID: geo.NewID("crt", code) + "." + strings.Repeat("ab", 16)}
}

func TestARequestGoesToTheHomeOfItsCartOrOrder(t *testing.T) {
	t.Parallel()
	world := openTwo(t, "")
	world.sees(t, true)
	european, key := cartOf("euw"), map[string]string{"Idempotency-Key": "k1"}
	cookie := map[string]string{"Cookie": "cart=" + european[contract.HeaderCartID]}
	bearer := func(subject string) map[string]string {
		return map[string]string{"Authorization": world.near.TokenOf(t, subject, contract.RoleShopper)}
	}
	user, neighbour := bearer(geo.NewID(contract.KindUser, "euw")), bearer(geo.NewID(contract.KindUser, "use"))
	forged := map[string]string{contract.HeaderForwardedBy: "ap-southeast", contract.HeaderInternal: "guessed"}
	for _, request := range []struct {
		method, path, region string
		headers              []map[string]string
	}{
		{"GET", "/api/v1/cart?currency=EUR", "eu-west", []map[string]string{european}},
		{"GET", "/api/v1/cart", "eu-west", []map[string]string{cookie}},
		{"GET", "/api/v1/cart", "eu-west", []map[string]string{european, forged}},
		{"POST", "/api/v1/cart/items", "eu-west", []map[string]string{european}},
		{"PUT", "/api/v1/cart/items/A%2FB", "eu-west", []map[string]string{european}},
		{"POST", "/api/v1/checkout/quote", "eu-west", []map[string]string{european}},
		{"POST", "/api/v1/checkout", "eu-west", []map[string]string{european, key}},
		{"GET", "/api/v1/orders/" + geo.NewID("ord", "euw"), "eu-west", []map[string]string{cartOf("use")}},
		{"POST", "/api/v1/orders/" + geo.NewID("ord", "euw") + "/cancel", "eu-west", []map[string]string{key}},
		{"GET", "/api/v1/orders/" + geo.NewID("ord", "use"), "us-east", []map[string]string{european}},
		{"GET", "/api/v1/orders", "us-east", []map[string]string{european}},
		{"GET", "/api/v1/cart", "us-east", []map[string]string{cartOf("use")}},
		{"GET", "/api/v1/cart", "us-east", []map[string]string{cartOf("aps")}}, // nobody said how it is reached
		{"GET", "/api/v1/cart", "us-east", []map[string]string{cartOf("xyz")}},
		{"GET", "/api/v1/cart", "us-east", nil},
		{"GET", "/api/v1/cart", "eu-west", []map[string]string{user}},
		{"POST", "/api/v1/cart/items", "eu-west", []map[string]string{user}},
		{"POST", "/api/v1/checkout/quote", "eu-west", []map[string]string{user}},
		{"POST", "/api/v1/checkout", "eu-west", []map[string]string{user, key}},
		{"GET", "/api/v1/orders", "us-east", []map[string]string{user}}, // they are of more than one region
		{"GET", "/api/v1/cart", "us-east", []map[string]string{user, cartOf("use")}},
		{"GET", "/api/v1/cart", "us-east", []map[string]string{neighbour, cookie}},
		{"GET", "/api/v1/cart", "eu-west", []map[string]string{neighbour, european}},
		{"GET", "/api/v1/cart", "eu-west", []map[string]string{cookie, bearer("an operator's program")}},
		{"GET", "/api/v1/products", "us-east", []map[string]string{european}},
	} {
		var body any
		if request.method == http.MethodPost || request.method == http.MethodPut {
			body = []byte(`{"a": 1}`)
		}
		var got heard
		response := world.near.Do(t, request.method, request.path, body, &got, request.headers...)
		if region := response.Header.Values(contract.HeaderRegion); len(region) != 1 || region[0] != request.region || !strings.HasSuffix(got.Who, request.region) {
			t.Errorf("%s %s %v was served by %q as %v (%d)", request.method, request.path, request.headers, got.Who, region, response.StatusCode)
			continue
		}
		if got.Method != request.method || got.URI != request.path || (body != nil && got.Body != `{"a": 1}`) {
			t.Errorf("%s %s arrived as %s %s with %q", request.method, request.path, got.Method, got.URI, got.Body)
		}
		for _, secret := range []string{contract.HeaderInternal, contract.HeaderForwardedBy, contract.HeaderEdgeAuth} {
			if got.Header.Get(secret) != "" {
				t.Errorf("%s heard %s", got.Who, secret)
			}
		}
		trace := response.Header.Values("Traceparent")
		if len(trace) != 1 || len(trace[0]) != 55 || !strings.Contains(got.Header.Get("Traceparent"), trace[0][3:35]) {
			t.Errorf("%s heard the trace %q, the caller %q", got.Who, got.Header.Get("Traceparent"), trace)
		}
	}
}

func TestAForwardedRequestGoesNoFurtherAndIsCountedOnce(t *testing.T) {
	t.Parallel()
	world := openTwo(t, "")
	world.sees(t, true)
	american := cartOf("use")
	kittest.Eventually(t, func() error { // the home sees us-east too
		if by := world.home.Do(t, http.MethodGet, "/api/v1/cart", nil, nil, american).Header.Get(contract.HeaderRegion); by != "us-east" {
			return fmt.Errorf("served by %s", by)
		}
		return nil
	})
	peer := map[string]string{contract.HeaderForwardedBy: "us-east", contract.HeaderInternal: world.home.Env.InternalSecret.Current()}
	if by := world.home.Do(t, http.MethodGet, "/api/v1/cart", nil, nil, american, peer).Header.Get(contract.HeaderRegion); by != "eu-west" {
		t.Errorf("what us-east forwarded was sent on to %s", by)
	}
	peer["CF-IPCountry"] = "CU"
	if got := world.home.Do(t, http.MethodGet, "/api/v1/cart", nil, nil, american, peer); got.StatusCode != http.StatusUnavailableForLegalReasons {
		t.Errorf("the home's own law was passed by: %d", got.StatusCode)
	}
}

func TestACartIsServedHereWhileItsHomeIsNotHealthy(t *testing.T) {
	t.Parallel()
	world := openTwo(t, "")
	world.sees(t, true)
	world.up.Store(false)
	world.sees(t, false)
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
		path := "/api/v1/cart"
		if method == http.MethodPost {
			path += "/items"
		}
		if by := world.near.Do(t, method, path, nil, nil, cartOf("euw")).Header.Get(contract.HeaderRegion); by != "us-east" {
			t.Errorf("%s was served by %s", method, by)
		}
	}
}

// hole is a link that answers probes, and hears requests without ever answering them.
func hole(t *testing.T) (url string) {
	t.Helper()
	listener, _ := listen(t)
	done := make(chan struct{})
	server := &http.Server{ReadHeaderTimeout: 0, Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { //nolint:gosec // the test's own
		if r.URL.Path != "/ready" {
			<-done
		}
	})}
	stopped := make(chan error, 1)
	go func() { stopped <- server.Serve(listener) }()
	t.Cleanup(func() {
		close(done)
		_ = server.Close() // what it holds open is the test's own
		if err := <-stopped; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return "http://" + listener.Addr().(*net.TCPAddr).String()
}

func TestWhatTheHomeDoesNotAnswerIsServedHereWhenThatIsSafe(t *testing.T) {
	t.Parallel()
	world := openTwo(t, hole(t))
	world.sees(t, true)
	european := cartOf("euw")
	for _, request := range []struct{ method, path string }{
		{"GET", "/api/v1/cart"}, {"PUT", "/api/v1/cart/items/A"}, {"DELETE", "/api/v1/cart/items/A"}, {"POST", "/api/v1/checkout"},
	} {
		var got heard
		response := world.near.Do(t, request.method, request.path, []byte(`{"a": 1}`), &got, european, map[string]string{"Idempotency-Key": "k"})
		if response.Header.Get(contract.HeaderRegion) != "us-east" || !strings.HasSuffix(got.Who, "us-east") || got.Body != `{"a": 1}` {
			t.Errorf("%s was answered %d by %q with %q", request.method, response.StatusCode, got.Who, got.Body)
		}
		if got.Header.Get(contract.HeaderInternal) != "" || got.Header.Get(contract.HeaderForwardedBy) != "" {
			t.Errorf("%s heard what was for the home alone", got.Who)
		}
	}
	response := world.near.Do(t, http.MethodPost, "/api/v1/cart/items", []byte(`{"a": 1}`), nil, european, map[string]string{"Idempotency-Key": "k"})
	problem(t, response, http.StatusServiceUnavailable)
	if response.Header.Get("Retry-After") == "" {
		t.Error("it says nothing of when to ask again")
	}
}

func TestAnUnreachableLinkCostsNoRequest(t *testing.T) {
	t.Parallel()
	world := openTwo(t, "")
	world.sees(t, true)
	world.home.Stop(t)
	for range 5 { // before the probes have seen it
		var got heard
		response := world.near.Do(t, http.MethodPost, "/api/v1/cart/items", []byte(`{"a": 1}`), &got, cartOf("euw"))
		if response.StatusCode != http.StatusOK || !strings.HasSuffix(got.Who, "us-east") {
			t.Errorf("answered %d by %q", response.StatusCode, got.Who)
		}
	}
}
