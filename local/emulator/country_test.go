package emulator_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/meridian-store/meridian/local/emulator"
)

// Réunion lies nearer to Singapore and is kept in Europe; Cuba is refused by us-east alone, Iran by all.
func someCountries(c *emulator.Config) {
	c.Origins[0].Refuses = []string{"CU", "IR"}
	c.Origins[1].Resident, c.Origins[1].Refuses = []string{"RE"}, []string{"IR"}
	c.Origins[2].Refuses = []string{"IR"}
}

func TestACountrysShoppersGoWhereTheyAreKept(t *testing.T) {
	t.Parallel()
	gateways := threeGateways(t, product)
	w := start(t, gateways, someCountries)
	served := func(country string) string {
		return w.get("/api/v1/cart", "X-Edge-Location: SIN", "X-Edge-Country: "+country).region()
	}
	if got := served("RE"); got != "eu-west" {
		t.Errorf("RE was served by %s, want eu-west, which keeps it", got)
	}
	if got := served("MG"); got != "ap-southeast" {
		t.Errorf("MG was served by %s, want ap-southeast, which is nearest", got)
	}
	gateways[1].unready.Store(true)
	w.awaitHealth("eu-west", "down")
	if got := served("RE"); got != "ap-southeast" {
		t.Errorf("with eu-west down RE was served by %s, want ap-southeast: health is before residence", got)
	}
}

func TestTheCountryIsToldToTheOrigin(t *testing.T) {
	t.Parallel()
	w := start(t, threeGateways(t, func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("X-Told", r.Header.Get("CF-IPCountry")+r.Header.Get("X-Edge-Country"))
	}))
	if got := w.get("/api/v1/cart", "X-Edge-Location: SIN", "X-Edge-Country: RE").Header.Get("X-Told"); got != "RE" {
		t.Errorf("the origin was told %q, want RE", got)
	}
	if got := w.get("/api/v1/cart", "X-Edge-Location: SIN").Header.Get("X-Told"); got != "SG" {
		t.Errorf("the origin was told %q, want SG", got)
	}
	if got := w.get("/api/v1/cart", "X-Edge-Country: reunion"); got.StatusCode != http.StatusBadRequest {
		t.Errorf("a country that is none got %d", got.StatusCode)
	}
}

func TestARegionThatRefusesACountryIsNeverTried(t *testing.T) {
	t.Parallel()
	gateways := threeGateways(t, product)
	w := start(t, gateways, someCountries)
	if got := w.get("/api/v1/cart", "X-Edge-Location: IAD", "X-Edge-Country: CU").region(); got != "eu-west" {
		t.Errorf("CU was served by %s, want eu-west", got)
	}
	gateways[1].unready.Store(true)
	gateways[2].unready.Store(true)
	w.awaitHealth("eu-west", "down")
	w.awaitHealth("ap-southeast", "down")
	before := gateways[0].requests.Load()
	if got := w.get("/api/v1/cart", "X-Edge-Location: IAD", "X-Edge-Country: CU"); got.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("with every other region down CU got %d from %q, want 503", got.StatusCode, got.region())
	}
	if gateways[0].requests.Load() != before {
		t.Error("us-east was asked")
	}
}

func TestACountryThatAllRefuseGets451AlsoWhereTheCacheCouldAnswer(t *testing.T) {
	t.Parallel()
	gateways := threeGateways(t, product)
	w := start(t, gateways, someCountries)
	if got := w.get("/api/v1/products"); got.StatusCode != http.StatusOK { // fills the cache
		t.Fatalf("got %d", got.StatusCode)
	}
	before := gateways[0].requests.Load() + gateways[1].requests.Load() + gateways[2].requests.Load()
	for _, target := range []string{"/api/v1/products", "/api/v1/cart", "/.well-known/jwks.json", "/nowhere"} {
		got := w.get(target, "X-Edge-Country: IR")
		var problem struct {
			Type   string
			Status int
		}
		if err := json.Unmarshal([]byte(got.body), &problem); err != nil {
			t.Fatalf("%s: %v: %s", target, err, got.body)
		}
		if got.StatusCode != 451 || problem.Status != 451 || problem.Type != "https://meridian.store/problems/not-served" ||
			got.Header.Get("Cache-Control") != "no-store" || got.Header.Get("Link") == "" || got.cache() != "" {
			t.Errorf("%s: %d %v %s", target, got.StatusCode, got.Header, got.body)
		}
	}
	if after := gateways[0].requests.Load() + gateways[1].requests.Load() + gateways[2].requests.Load(); after != before {
		t.Error("a region was asked")
	}
}

func TestAnOriginOnItsWayBackIsUsedWhenThereIsNoOther(t *testing.T) {
	t.Parallel()
	only := newGateway(t, "us-east", ashburn, product)
	w := start(t, []*gateway{only}, func(c *emulator.Config) { c.ReturnProbes = 1 << 20 })
	only.unready.Store(true)
	w.awaitHealth("us-east", "down")
	only.unready.Store(false)
	w.awaitHealth("us-east", "returning")
	if got := w.get("/api/v1/cart"); got.StatusCode != http.StatusOK {
		t.Errorf("got %d", got.StatusCode)
	}
}
