package emulator_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/meridian-store/meridian/local/emulator"
)

func TestSecondReadIsAHit(t *testing.T) {
	t.Parallel()
	gateways := threeGateways(t, product)
	w := start(t, gateways)
	miss := w.get("/api/v1/products?limit=2&category=shirts", "X-Edge-Location: DUB")
	w.advance(time.Second)
	hit := w.get("/api/v1/products?category=shirts&utm_source=mail&limit=2", "X-Edge-Location: DUB",
		"Cookie: cart=crt_1.secret", "Authorization: Bearer token", "X-Cart-Id: crt_1.secret")
	if miss.cache() != "MISS" || hit.cache() != "HIT" || hit.body != miss.body {
		t.Errorf("first %s %q, then %s %q", miss.cache(), miss.body, hit.cache(), hit.body)
	}
	for name, want := range map[string]string{
		"Age": "1", "Etag": `"v1"`, "X-Region": "eu-west", "X-Edge-Location": "DUB", "Content-Type": "application/json",
		"Cache-Control": "public, max-age=0, must-revalidate", "Cdn-Cache-Control": "", "Cache-Tag": "", "Server": "",
	} {
		if got := hit.Header.Get(name); got != want {
			t.Errorf("a hit's %s is %q, want %q", name, got, want)
		}
	}
	if n := gateways[1].requests.Load(); n != 1 {
		t.Errorf("the origin was asked %d times", n)
	}
}

func TestEachLocationHasItsOwnCache(t *testing.T) {
	t.Parallel()
	w := start(t, threeGateways(t, product))
	for range 2 {
		for _, iata := range []string{"IAD", "JFK", "DUB"} {
			w.get("/api/v1/products", "X-Edge-Location: "+iata)
		}
	}
	if got := w.get("/api/v1/products", "X-Edge-Location: FRA").cache(); got != "MISS" {
		t.Errorf("a location's first read is a %s", got)
	}
	if got := w.get("/api/v1/products", "X-Edge-Location: JFK").cache(); got != "HIT" {
		t.Errorf("a location's third read is a %s", got)
	}
}

func TestFreshnessIsCappedByTheRule(t *testing.T) {
	t.Parallel()
	w := start(t, []*gateway{newGateway(t, "us-east", ashburn, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("CDN-Cache-Control", "max-age=7200, stale-while-revalidate=0")
		fmt.Fprint(w, "old or new")
	})})
	w.get("/api/v1/products")
	w.advance(time.Hour - time.Millisecond)
	if got := w.get("/api/v1/products").cache(); got != "HIT" {
		t.Errorf("just before an hour: %s", got)
	}
	w.advance(time.Millisecond)
	if got := w.get("/api/v1/products").cache(); got != "MISS" {
		t.Errorf("at an hour: %s", got)
	}
}

// secondRead gives X-Cache of two reads in a row of an answer with these headers.
func secondRead(t *testing.T, status int, headers ...string) (first, second string) {
	w := start(t, []*gateway{newGateway(t, "us-east", ashburn, func(w http.ResponseWriter, _ *http.Request) {
		for _, line := range headers {
			name, value, _ := strings.Cut(line, ": ")
			w.Header().Add(name, value)
		}
		w.WriteHeader(status)
		fmt.Fprint(w, "answer")
	})})
	return w.get("/api/v1/products").cache(), w.get("/api/v1/products").cache()
}

func TestWhatIsKept(t *testing.T) {
	t.Parallel()
	const cdn = "CDN-Cache-Control: max-age=2"
	for _, tc := range []struct {
		name    string
		status  int
		headers []string
		kept    bool
	}{
		{"CDN-Cache-Control", 200, []string{cdn}, true},
		{"Cache-Control alone", 200, []string{"Cache-Control: public, max-age=2"}, true},
		{"s-maxage", 200, []string{"Cache-Control: max-age=0, s-maxage=2"}, true},
		{"CDN-Cache-Control over no-store for browsers", 200, []string{cdn, "Cache-Control: no-store"}, true},
		{"CDN-Cache-Control over max-age", 200, []string{"CDN-Cache-Control: no-store", "Cache-Control: max-age=60"}, false},
		{"a broken CDN-Cache-Control is not there", 200, []string{"CDN-Cache-Control: max-age=,;", "Cache-Control: max-age=2"}, true},
		{"nothing said", 200, nil, false},
		{"zero", 200, []string{"CDN-Cache-Control: max-age=0"}, false},
		{"no number", 200, []string{"CDN-Cache-Control: max-age=soon"}, false},
		{"negative", 200, []string{"CDN-Cache-Control: max-age=-1"}, false},
		{"no-cache", 200, []string{"CDN-Cache-Control: no-cache, max-age=2"}, false},
		{"private in the governing header", 200, []string{"CDN-Cache-Control: private, max-age=2"}, false},
		{"private in the other header", 200, []string{cdn, "Cache-Control: private"}, false},
		{"private in a second line", 200, []string{cdn, "Cache-Control: public", "Cache-Control: private"}, false},
		{"private for one field", 200, []string{cdn, `Cache-Control: private="set-cookie"`}, false},
		{"a cookie", 200, []string{cdn, "Set-Cookie: a=b"}, false},
		{"an unasked encoding", 200, []string{cdn, "Content-Encoding: gzip"}, false},
		{"Vary: *", 200, []string{cdn, "Vary: *"}, false},
		{"Vary: Authorization", 200, []string{cdn, "Vary: Accept, authorization"}, false},
		{"Vary: Cookie", 200, []string{cdn, "Vary: Origin", "Vary: Cookie"}, false},
		{"Vary by what is forwarded", 200, []string{cdn, "Vary: Traceparent"}, false},
		{"Vary by what never reaches the origin", 200, []string{cdn, "Vary: Accept-Encoding, Origin"}, true},
		{"an explicit 404", 404, []string{cdn}, true},
		{"a 404", 404, []string{"Cache-Control: max-age=2"}, false},
		{"a 301", 301, []string{cdn}, false},
		{"a 500", 500, []string{cdn}, false},
		{"too old on arrival", 200, []string{cdn, "Age: 2"}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			first, second := secondRead(t, tc.status, tc.headers...)
			want := map[bool]string{true: "HIT", false: "MISS"}[tc.kept]
			if first != "MISS" || second != want {
				t.Errorf("got %s, then %s; want MISS, then %s", first, second, want)
			}
		})
	}
}

func TestBrowsersMayNotStoreWhatTheOriginForbids(t *testing.T) {
	t.Parallel()
	w := start(t, []*gateway{newGateway(t, "us-east", ashburn, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("CDN-Cache-Control", "max-age=2")
		w.Header().Set("Cache-Control", "no-store")
	})})
	w.get("/api/v1/products")
	if got := w.get("/api/v1/products"); got.cache() != "HIT" || got.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("got %s with %q", got.cache(), got.Header.Get("Cache-Control"))
	}
}

func TestConditionalReads(t *testing.T) {
	t.Parallel()
	gateways := threeGateways(t, product)
	w := start(t, gateways)
	for _, tc := range []struct {
		ifNoneMatch string
		status      int
	}{
		{`"v1"`, 304}, {`W/"v1"`, 304}, {`"v0", "v1"`, 304}, {`*`, 304}, {`"v0"`, 200}, {`v1`, 200}, {``, 200},
	} {
		got := w.get("/api/v1/products", "If-None-Match: "+tc.ifNoneMatch)
		if got.StatusCode != tc.status || (got.body == "") != (tc.status == 304) || got.Header.Get("Etag") != `"v1"` {
			t.Errorf("If-None-Match %s got %d %q with ETag %s", tc.ifNoneMatch, got.StatusCode, got.body, got.Header.Get("Etag"))
		}
	}
	if n := gateways[0].requests.Load(); n != 1 {
		t.Errorf("the origin was asked %d times: the first conditional read fills the cache for all", n)
	}
}

func TestHeadIsAnsweredFromAGet(t *testing.T) {
	t.Parallel()
	gateways := threeGateways(t, product)
	w := start(t, gateways)
	miss := w.do(http.MethodHead, "/api/v1/products", "")
	get := w.get("/api/v1/products")
	hit := w.do(http.MethodHead, "/api/v1/products", "")
	if miss.cache() != "MISS" || get.cache() != "HIT" || hit.cache() != "HIT" || get.body == "" || hit.body != "" {
		t.Errorf("got %s, %s %q, %s %q", miss.cache(), get.cache(), get.body, hit.cache(), hit.body)
	}
	if hit.ContentLength != int64(len(get.body)) || miss.ContentLength != hit.ContentLength {
		t.Errorf("HEAD says %d, then %d bytes; GET has %d", miss.ContentLength, hit.ContentLength, len(get.body))
	}
}

func TestStaleOnlyWhileEveryOriginIsDown(t *testing.T) {
	t.Parallel()
	gateways := threeGateways(t, product)
	w := start(t, gateways)
	fresh := w.get("/api/v1/products")
	w.advance(3 * time.Second)
	gateways[0].unready.Store(true)
	gateways[1].unready.Store(true)
	w.awaitHealth("us-east", "down")
	w.awaitHealth("eu-west", "down")
	if got := w.get("/api/v1/products"); got.cache() != "MISS" || got.region() != "ap-southeast" {
		t.Errorf("with one region left: %s from %s", got.cache(), got.region())
	}
	w.advance(3 * time.Second)
	gateways[2].unready.Store(true)
	w.awaitHealth("ap-southeast", "down")
	stale := w.get("/api/v1/products")
	if stale.cache() != "STALE" || stale.StatusCode != 200 || stale.body != fresh.body || stale.Header.Get("Age") != "3" {
		t.Errorf("with none left: %s %d %q, Age %s", stale.cache(), stale.StatusCode, stale.body, stale.Header.Get("Age"))
	}
	w.advance(59 * time.Second)
	if got := w.get("/api/v1/products"); got.StatusCode != 503 {
		t.Errorf("62 s after the fill: %d %s", got.StatusCode, got.cache())
	}
	if got := w.get("/api/v1/categories"); got.StatusCode != 503 {
		t.Errorf("never read before: %d %s", got.StatusCode, got.cache())
	}
}

func TestOneQuestionForAllWhoWait(t *testing.T) {
	t.Parallel()
	g := newGate()
	defer g.open()
	only := newGateway(t, "us-east", ashburn, func(w http.ResponseWriter, r *http.Request) {
		g.pass()
		product(w, r)
	})
	w := start(t, []*gateway{only})
	const shoppers = 30
	var all sync.WaitGroup
	for range shoppers {
		all.Go(func() {
			got, err := w.try(http.MethodGet, "/api/v1/products", "")
			if err != nil || got.StatusCode != 200 || got.body != `{"target":"/api/v1/products"}` {
				t.Errorf("got %+v %v", got, err)
			}
		})
	}
	g.awaitReached(t)
	g.open()
	all.Wait()
	// Whoever came after the answer hit the cache; nobody asked a second time.
	if n := only.requests.Load(); n != 1 {
		t.Errorf("the origin was asked %d times by %d shoppers at once", n, shoppers)
	}
}

func TestAnswersThatMayNotBeKeptAreNotShared(t *testing.T) {
	t.Parallel()
	var serial atomic.Int64
	g := newGate()
	defer g.open()
	w := start(t, []*gateway{newGateway(t, "us-east", ashburn, func(w http.ResponseWriter, _ *http.Request) {
		mine := serial.Add(1)
		g.pass()
		w.Header().Set("Cache-Control", "no-store")
		fmt.Fprintf(w, "for you alone: %d", mine)
	})})
	const shoppers = 20
	bodies := make(chan string, shoppers)
	var all sync.WaitGroup
	for range shoppers {
		all.Go(func() {
			got, err := w.try(http.MethodGet, "/api/v1/products", "")
			if err != nil {
				t.Error(err)
			}
			bodies <- got.body
		})
	}
	g.awaitReached(t)
	g.open()
	all.Wait()
	close(bodies)
	seen := make(map[string]bool)
	for body := range bodies {
		if seen[body] {
			t.Errorf("two shoppers got %q", body)
		}
		seen[body] = true
	}
}

func TestWaitersOutliveAnUnluckyFirst(t *testing.T) {
	t.Parallel()
	g := newGate()
	defer g.open()
	var unlucky atomic.Bool
	only := newGateway(t, "us-east", ashburn, func(w http.ResponseWriter, r *http.Request) {
		// The first request loses its connection, and its one repetition too.
		if r.Header.Get("Traceparent") == unluckyTrace {
			unlucky.Store(true)
			g.pass()
			breakConnection(w, r)
			return
		}
		product(w, r)
	})
	w := start(t, []*gateway{only}, hourly)
	var all sync.WaitGroup
	all.Go(func() {
		got, err := w.try(http.MethodGet, "/api/v1/products", "", "Traceparent: "+unluckyTrace)
		if err != nil || got.StatusCode != http.StatusBadGateway {
			t.Errorf("the unlucky one got %d %v", got.StatusCode, err)
		}
	})
	g.awaitReached(t)
	for range 10 {
		all.Go(func() {
			got, err := w.try(http.MethodGet, "/api/v1/products", "")
			if err != nil || got.StatusCode != http.StatusOK {
				t.Errorf("one who waited got %d %s %v", got.StatusCode, got.body, err)
			}
		})
	}
	g.open()
	all.Wait()
	if !unlucky.Load() {
		t.Error("nobody was unlucky")
	}
}

const unluckyTrace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

func TestTheCacheIsBoundedByBytes(t *testing.T) {
	t.Parallel()
	body := strings.Repeat("x", 10_000)
	only := newGateway(t, "us-east", ashburn, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("CDN-Cache-Control", "max-age=2")
		fmt.Fprint(w, body)
	})
	const limit = 200_000
	w := start(t, []*gateway{only}, func(c *emulator.Config) { c.MaxBytes = limit })
	for i := range 100 {
		w.get(fmt.Sprintf("/api/v1/products?cursor=%d", i))
	}
	await(t, "the cache is within its bounds", func() bool {
		held := w.metric("meridian_edge_cache_bytes")
		return held > 10_000 && held <= limit
	})
	before := only.requests.Load()
	for i := range 100 {
		w.get(fmt.Sprintf("/api/v1/products?cursor=%d", i))
	}
	// Nineteen fit; which, is the cache's affair.
	if again := only.requests.Load() - before; again < 50 {
		t.Errorf("only %d of 100 answers of 10 kB had to be asked for again: more than %d bytes are held", again, limit)
	}
}
