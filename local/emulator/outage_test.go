package emulator_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/local/emulator"
)

// tiered runs an edge whose locations ask a hub first.
func tiered(t *testing.T, gateways []*gateway, steering emulator.Steering, change ...func(*emulator.Config)) *world {
	t.Helper()
	told := config(t, gateways)
	setup := emulator.Nearest(told.Rules, told.Origins)
	setup.Tiered = true
	if steering != nil {
		setup.Steering = steering
	}
	w := start(t, nil, append(change, func(c *emulator.Config) { c.Rules = nil })...)
	if err := w.edge.Configure(setup); err != nil {
		t.Fatal(err)
	}
	for _, g := range gateways {
		w.awaitHealth(g.region, "up")
	}
	return w
}

// lasting answers with what outlives its origin.
func lasting(rw http.ResponseWriter, r *http.Request) {
	rw.Header().Set("CDN-Cache-Control", "max-age=10, stale-while-revalidate=0, stale-if-error=3600")
	rw.Header().Set("Cache-Tag", "product:1")
	fmt.Fprint(rw, r.URL.RequestURI())
}

// What São Paulo keeps is there for Buenos Aires too, which has never asked before.
func TestAHubsCopyServesAContinentWithoutOrigins(t *testing.T) {
	t.Parallel()
	gateways := threeGateways(t, lasting)
	w := tiered(t, gateways, nil)
	w.get("/api/v1/products", "X-Edge-Location: GRU")
	for _, g := range gateways {
		g.unready.Store(true)
		w.awaitHealth(g.region, "down")
	}
	w.advance(time.Minute)
	for range 2 {
		if got := w.get("/api/v1/products", "X-Edge-Location: EZE"); got.StatusCode != 200 || got.cache() != "STALE" || got.body != "/api/v1/products" {
			t.Errorf("without origins Buenos Aires shows %d %s %q", got.StatusCode, got.cache(), got.body)
		}
	}
	w.edge.PurgeTags("product:1")
	if got := w.get("/api/v1/products", "X-Edge-Location: EZE"); got.StatusCode != 503 {
		t.Errorf("after a purge Buenos Aires shows %d %s", got.StatusCode, got.cache())
	}
}

// A new setup may make hubs of other locations while questions are on their way by the old one: of two locations each may then be the other's hub.
func TestHubsThatChangePlacesDoNotWaitForEachOther(t *testing.T) {
	t.Parallel()
	gru, _ := geo.FindLocation("GRU")
	eze, _ := geo.FindLocation("EZE")
	paulista, porteno := newGateway(t, "br-east", gru.Point, lasting), newGateway(t, "ar-east", eze.Point, lasting)
	w := tiered(t, []*gateway{paulista, porteno}, nil, func(c *emulator.Config) { c.Distant = true })
	told := config(t, []*gateway{paulista, porteno})
	var setups []emulator.Setup
	for _, region := range []string{"br-east", "ar-east"} {
		setup := emulator.Nearest(told.Rules, told.Origins)
		setup.Tiered, setup.Steering = true, emulator.GeoPools{Default: []string{region}}
		setups = append(setups, setup)
	}
	var done atomic.Bool
	var changing sync.WaitGroup
	changing.Go(func() {
		for turn := 0; !done.Load(); turn++ {
			if err := w.edge.Configure(setups[turn%2]); err != nil {
				t.Error(err)
			}
		}
	})
	defer changing.Wait()
	defer done.Store(true)
	var asking sync.WaitGroup
	for i := range 60 {
		target := fmt.Sprintf("/api/v1/products/p%d", i)
		for _, iata := range []string{"GRU", "EZE"} {
			asking.Go(func() {
				if got, err := w.try(http.MethodGet, target, "", "X-Edge-Location: "+iata); err != nil || got.body != target {
					t.Errorf("%s: %v", iata, err)
				}
			})
		}
	}
	asking.Wait()
}

// silentOrigin takes connections and says nothing. It ends with the test.
func silentOrigin(t *testing.T) (address string) {
	t.Helper()
	var dial net.ListenConfig
	listener, err := dial.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := listener.Close(); err != nil {
			t.Error(err)
		}
	})
	return listener.Addr().String()
}

// A cut way swallows what is sent. Shoppers who can be shown a copy do not wait until the edge has lost its patience with each origin.
func TestACopyIsShownAtOnceWhenOriginsAreSilent(t *testing.T) {
	t.Parallel()
	only := newGateway(t, "us-east", ashburn, lasting)
	w := start(t, []*gateway{only}, func(c *emulator.Config) {
		c.ProbeTimeout, c.ReadTimeout = 250*time.Millisecond, patience/3
	})
	w.get("/api/v1/products")
	w.advance(time.Minute)

	told := config(t, []*gateway{only})
	told.Origins[0].URL = "http://" + silentOrigin(t)
	if err := w.edge.Configure(emulator.Nearest(told.Rules, told.Origins)); err != nil {
		t.Fatal(err)
	}
	answered := make(chan reply, 3)
	go func() {
		for range cap(answered) {
			got, err := w.try(http.MethodGet, "/api/v1/products", "")
			if err != nil {
				t.Error(err)
			}
			answered <- got
		}
	}()
	for range cap(answered) {
		select {
		case got := <-answered:
			if got.StatusCode != 200 || got.cache() != "STALE" {
				t.Errorf("got %d %s", got.StatusCode, got.cache())
			}
		case <-time.After(patience / 3):
			t.Fatal("a shopper waits for an origin that says nothing, though there is a copy")
		}
	}
}

// The copy was there when the question went out; it was purged before the answer, an error, came back.
func TestAPurgedCopyDoesNotHideAnError(t *testing.T) {
	t.Parallel()
	var broken atomic.Bool
	g := newGate()
	defer g.open()
	w := start(t, []*gateway{newGateway(t, "us-east", ashburn, func(rw http.ResponseWriter, r *http.Request) {
		if broken.Load() {
			g.pass()
			rw.WriteHeader(http.StatusInternalServerError)
			return
		}
		lasting(rw, r)
	})})
	w.get("/api/v1/products")
	broken.Store(true)
	w.advance(time.Minute)
	late := make(chan reply, 1)
	go func() {
		got, err := w.try(http.MethodGet, "/api/v1/products", "")
		if err != nil {
			t.Error(err)
		}
		late <- got
	}()
	g.awaitReached(t)
	w.edge.PurgeTags("product:1")
	g.open()
	if got := <-late; got.StatusCode != 500 || got.cache() == "STALE" {
		t.Errorf("got %d %s %q", got.StatusCode, got.cache(), got.body)
	}
}
