package emulator_test

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/local/emulator"
)

// cuttable is the link from eu-west to us-east: another way to the same gateway.
func cuttable(t *testing.T, to *gateway) (address string, uses *atomic.Int64, cut func()) {
	t.Helper()
	uses = new(atomic.Int64)
	link := newGateway(t, "link", dublin, func(rw http.ResponseWriter, r *http.Request) {
		uses.Add(1)
		rw.Header().Set("X-Region", to.region)
		(*to.serve.Load())(rw, r)
	})
	at, err := url.Parse(link.URL)
	if err != nil {
		t.Fatal(err)
	}
	return at.Host, uses, func() { link.unready.Store(true) }
}

func TestALocationReachesOtherRegionsThroughItsOwnRegionsLinks(t *testing.T) {
	t.Parallel()
	gateways := threeGateways(t, product)
	link, uses, cut := cuttable(t, gateways[0])
	w := start(t, gateways, func(c *emulator.Config) { c.Links = map[string]map[string]string{"eu-west": {"us-east": link}} })
	served := func(iata string) string { return w.get("/api/v1/cart", "X-Edge-Location: "+iata).region() }
	gateways[1].unready.Store(true)
	w.awaitHealth("eu-west", "down")
	if got := served("DUB"); got != "us-east" || uses.Load() == 0 {
		t.Errorf("with eu-west gone Dublin is served by %s, %d times through the link", got, uses.Load())
	}
	before := uses.Load()
	if got := served("IAD"); got != "us-east" || uses.Load() != before {
		t.Errorf("Ashburn is served by %s, through Europe's link: %v", got, uses.Load() != before)
	}
	cut()
	await(t, "Dublin turns to Singapore", func() bool { return served("DUB") == "ap-southeast" })
	if got := served("IAD"); got != "us-east" {
		t.Errorf("a link of Europe's is cut, and Ashburn is served by %s", got)
	}
	if got := w.edge.Health()["us-east"]; got != "up" {
		t.Errorf("us-east is %s: how its own locations see it counts", got)
	}
}

func TestDistanceTakesItsTime(t *testing.T) {
	t.Parallel()
	w := start(t, threeGateways(t, product), func(c *emulator.Config) { c.Distant = true })
	took := func(target, iata string) time.Duration {
		began := time.Now()
		w.get(target, "X-Edge-Location: "+iata)
		return time.Since(began)
	}
	johannesburg, _ := geo.FindLocation("JNB")
	least := geo.RoundTrip(geo.DistanceKM(johannesburg.Point, singapore))
	if got := took("/api/v1/products", "JNB"); got < least {
		t.Errorf("a fill from Johannesburg took %s, the way alone takes %s", got, least)
	}
	if got := took("/api/v1/cart", "JNB"); got < least {
		t.Errorf("a forwarded request from Johannesburg took %s, the way alone takes %s", got, least)
	}
}

func TestALocationAsksItsContinentsHubFirst(t *testing.T) {
	t.Parallel()
	var version atomic.Int64
	gateways := threeGateways(t, tagged(&version))
	told := config(t, gateways)
	setup := emulator.Nearest(told.Rules, told.Origins)
	setup.Tiered = true
	w := start(t, nil, func(c *emulator.Config) { c.Rules = nil })
	if err := w.edge.Configure(setup); err != nil {
		t.Fatal(err)
	}
	w.awaitHealth("us-east", "up")
	w.get("/api/v1/products", "X-Edge-Location: GRU")
	for range 2 {
		w.get("/api/v1/products", "X-Edge-Location: EZE")
	}
	if n := gateways[0].requests.Load(); n != 1 {
		t.Errorf("the origin was asked %d times: Buenos Aires has it from São Paulo", n)
	}
	if got := w.get("/api/v1/products", "X-Edge-Location: EZE"); got.cache() != "HIT" {
		t.Errorf("Buenos Aires: %s", got.cache())
	}
	version.Add(1)
	w.edge.PurgeTags("product:1")
	for _, iata := range []string{"EZE", "GRU"} {
		if got := w.get("/api/v1/products", "X-Edge-Location: "+iata); got.body != "1" {
			t.Errorf("%s shows %s after the purge", iata, got.body)
		}
	}
}

// A purge that comes while a location has the answer from its hub, and the hub from the origin, holds for both.
func TestAPurgeOvertakesAnAnswerOnItsWayThroughAHub(t *testing.T) {
	t.Parallel()
	var version atomic.Int64
	g := newGate()
	defer g.open()
	gateways := threeGateways(t, func(rw http.ResponseWriter, _ *http.Request) {
		shown := version.Load()
		if shown == 0 {
			g.pass()
		}
		rw.Header().Set("CDN-Cache-Control", "max-age=3600")
		rw.Header().Set("Cache-Tag", "product:1")
		fmt.Fprint(rw, shown)
	})
	told := config(t, gateways)
	setup := emulator.Nearest(told.Rules, told.Origins)
	setup.Tiered = true
	w := start(t, nil, func(c *emulator.Config) { c.Rules = nil })
	if err := w.edge.Configure(setup); err != nil {
		t.Fatal(err)
	}
	w.awaitHealth("us-east", "up")
	early := make(chan error, 1)
	go func() {
		_, err := w.try(http.MethodGet, "/api/v1/products", "", "X-Edge-Location: EZE")
		early <- err
	}()
	g.awaitReached(t)
	version.Store(1)
	w.edge.PurgeTags("product:1")
	g.open()
	if err := <-early; err != nil {
		t.Fatal(err)
	}
	for _, iata := range []string{"EZE", "GRU"} {
		if got := w.get("/api/v1/products", "X-Edge-Location: "+iata); got.body != "1" {
			t.Errorf("%s shows %s", iata, got.body)
		}
	}
}

func TestGeoPoolsGoByCountryThenPartOfTheWorld(t *testing.T) {
	t.Parallel()
	pools := emulator.GeoPools{
		Countries: map[string][]string{"RE": {"eu-west"}},
		Regions:   map[string][]string{"WEU": {"eu-west", "us-east"}},
		Default:   []string{"us-east"},
	}
	dub, _ := geo.FindLocation("DUB")
	syd, _ := geo.FindLocation("SYD")
	for _, tc := range []struct {
		at      geo.Location
		country string
		want    string
	}{{dub, "IE", "eu-west"}, {syd, "RE", "eu-west"}, {syd, "AU", "us-east"}} {
		if got := pools.Order(tc.at, tc.country); len(got) == 0 || got[0] != tc.want {
			t.Errorf("%s from %s goes to %v, want %s", tc.country, tc.at.IATA, got, tc.want)
		}
	}
	for _, l := range geo.Cities() {
		if emulator.PartOfTheWorld(l) == "" {
			t.Errorf("%s is in no part of the world", l.IATA)
		}
	}
}

// A broken link is not a broken origin: a listener that takes connections and says nothing.
func TestASilentLinkIsLeft(t *testing.T) {
	t.Parallel()
	gateways := threeGateways(t, product)
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	gateways[1].unready.Store(true)
	w := start(t, gateways, func(c *emulator.Config) {
		c.Links = map[string]map[string]string{"eu-west": {"us-east": silent.Addr().String()}}
		c.ProbeTimeout = 50 * time.Millisecond
	})
	await(t, "Dublin is served by Singapore", func() bool {
		return w.get("/api/v1/cart", "X-Edge-Location: DUB").region() == "ap-southeast"
	})
}
