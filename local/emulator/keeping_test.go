package emulator_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/meridian-store/meridian/edge/rule"
	"github.com/meridian-store/meridian/local/emulator"
)

func TestACopyIsShownWhileTheNextOneIsFetched(t *testing.T) {
	t.Parallel()
	var version atomic.Int64
	only := newGateway(t, "us-east", ashburn, func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("CDN-Cache-Control", "max-age=10, stale-while-revalidate=5")
		fmt.Fprint(rw, version.Load())
	})
	w := start(t, []*gateway{only})
	w.get("/api/v1/products")
	version.Add(1)
	w.advance(12 * time.Second)
	if got := w.get("/api/v1/products"); got.cache() != "STALE" || got.body != "0" {
		t.Errorf("past its time: %s %s, want the copy, marked as stale", got.cache(), got.body)
	}
	await(t, "the next copy is there", func() bool { return w.get("/api/v1/products").cache() == "HIT" })
	if got := w.get("/api/v1/products"); got.body != "1" {
		t.Errorf("the next copy shows %s", got.body)
	}
	if n := only.requests.Load(); n != 2 {
		t.Errorf("the origin was asked %d times, want once for each copy", n)
	}
	w.advance(16 * time.Second)
	if got := w.get("/api/v1/products"); got.cache() != "MISS" {
		t.Errorf("past both its times: %s", got.cache())
	}
}

func TestAnExpiredCopyIsRenewedByItsTag(t *testing.T) {
	t.Parallel()
	var asked, confirmed atomic.Int64
	w := start(t, []*gateway{newGateway(t, "us-east", ashburn, func(rw http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		rw.Header().Set("CDN-Cache-Control", "max-age=10, stale-while-revalidate=0")
		rw.Header().Set("ETag", `"v1"`)
		rw.Header().Set("Cache-Tag", "product:1")
		if r.Header.Get("If-None-Match") == `"v1"` {
			confirmed.Add(1)
			rw.WriteHeader(http.StatusNotModified)
			return
		}
		fmt.Fprint(rw, "the body")
	})})
	w.get("/api/v1/products")
	w.advance(11 * time.Second)
	if got := w.get("/api/v1/products"); got.StatusCode != 200 || got.body != "the body" || confirmed.Load() != 1 {
		t.Errorf("after a 304: %d %q, %d confirmations", got.StatusCode, got.body, confirmed.Load())
	}
	if got := w.get("/api/v1/products"); got.cache() != "HIT" || got.Header.Get("Age") != "0" || asked.Load() != 2 {
		t.Errorf("renewed: %s, Age %s, %d questions", got.cache(), got.Header.Get("Age"), asked.Load())
	}
	w.edge.PurgeTags("product:1")
	if got := w.get("/api/v1/products"); got.cache() != "MISS" || confirmed.Load() != 1 {
		t.Errorf("purged: %s, %d confirmations: what was purged is not asked about", got.cache(), confirmed.Load())
	}
}

func TestABrokenOriginIsHiddenBehindACopy(t *testing.T) {
	t.Parallel()
	var broken atomic.Bool
	w := start(t, []*gateway{newGateway(t, "us-east", ashburn, func(rw http.ResponseWriter, r *http.Request) {
		if broken.Load() {
			rw.WriteHeader(http.StatusInternalServerError)
			return
		}
		product(rw, r)
	})})
	fresh := w.get("/api/v1/products")
	broken.Store(true)
	w.advance(30 * time.Second)
	if got := w.get("/api/v1/products"); got.StatusCode != 200 || got.cache() != "STALE" || got.body != fresh.body {
		t.Errorf("with a broken origin: %d %s", got.StatusCode, got.cache())
	}
	w.advance(time.Minute)
	if got := w.get("/api/v1/products"); got.StatusCode != 500 {
		t.Errorf("past stale-if-error: %d %s", got.StatusCode, got.cache())
	}
	broken.Store(false)
	if got := w.get("/api/v1/products"); got.StatusCode != 200 || got.cache() != "MISS" {
		t.Errorf("mended: %d %s", got.StatusCode, got.cache())
	}
}

// With all origins dead the catalog stays open for as long as the rules say.
func TestACatalogOutlivesItsOrigins(t *testing.T) {
	t.Parallel()
	gateways := threeGateways(t, func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("CDN-Cache-Control", "max-age=3600, stale-while-revalidate=30, stale-if-error=86400")
		fmt.Fprint(rw, r.URL.RequestURI())
	})
	w := start(t, gateways)
	targets := []string{"/api/v1/products", "/api/v1/products/x", "/api/v1/categories", "/api/v1/products?brand=b"}
	for _, target := range targets {
		w.get(target, "X-Edge-Location: GRU")
	}
	for _, g := range gateways {
		g.unready.Store(true)
		w.awaitHealth(g.region, "down")
	}
	rules, err := rule.Default()
	if err != nil {
		t.Fatal(err)
	}
	configured := rules.List()[1].Cache
	w.advance(configured.EdgeTTLMax + configured.StaleIfError - time.Second)
	for _, target := range targets {
		if got := w.get(target, "X-Edge-Location: GRU"); got.StatusCode != 200 || got.cache() != "STALE" || got.body != target {
			t.Errorf("%s: %d %s %q", target, got.StatusCode, got.cache(), got.body)
		}
	}
	w.advance(2 * time.Second)
	for _, target := range targets {
		if got := w.get(target, "X-Edge-Location: GRU"); got.StatusCode != 503 {
			t.Errorf("past the configured time %s: %d %s", target, got.StatusCode, got.cache())
		}
	}
}

func TestAnswersAreCompressedAsTheBrowserLikes(t *testing.T) {
	t.Parallel()
	body := `{"text":"` + strings.Repeat("all the same words ", 200) + `"}`
	only := newGateway(t, "us-east", ashburn, func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("CDN-Cache-Control", "max-age=60")
		rw.Header().Set("ETag", `"v1"`)
		kind := "application/json; charset=utf-8"
		if r.URL.Query().Get("brand") == "picture" {
			kind = "image/png"
		}
		rw.Header().Set("Content-Type", kind)
		if r.URL.Query().Get("brand") == "short" {
			fmt.Fprint(rw, "{}")
			return
		}
		fmt.Fprint(rw, body)
	})
	w := start(t, []*gateway{only})
	for accept, want := range map[string]string{
		"br": "br", "gzip": "gzip", "zstd": "zstd", "gzip, deflate, br, zstd": "br", "gzip;q=1, br;q=0.5": "gzip", "br;q=0, gzip": "gzip",
		"*": "br", "*;q=0.1, zstd": "zstd", "identity": "", "br;q=0": "", "": "", "deflate": "", "br;q=2": "", "BR": "br", "x-gzip": "gzip",
		"identity, br;q=0.5": "", "gzip;q=0.5, identity;q=0.4": "gzip",
	} {
		got := w.get("/api/v1/products", "Accept-Encoding: "+accept)
		if coding := got.Header.Get("Content-Encoding"); coding != want || plain(t, coding, got.body) != body {
			t.Errorf("Accept-Encoding %q got %q, want %q, or another body", accept, coding, want)
		}
		if got.Header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("Accept-Encoding %q: Vary is %q", accept, got.Header.Get("Vary"))
		}
		if etag := got.Header.Get("Etag"); etag != map[bool]string{true: `"v1"`, false: `W/"v1"`}[want == ""] {
			t.Errorf("Accept-Encoding %q: ETag %s", accept, etag)
		}
		if len(got.body) > len(body)/4 && want != "" {
			t.Errorf("%s makes %d bytes of %d", want, len(got.body), len(body))
		}
		if again := w.get("/api/v1/products", "Accept-Encoding: "+accept, "If-None-Match: "+got.Header.Get("Etag")); again.StatusCode != 304 || again.body != "" {
			t.Errorf("Accept-Encoding %q: the same again gets %d", accept, again.StatusCode)
		}
	}
	for _, brand := range []string{"picture", "short"} {
		if got := w.get("/api/v1/products?brand="+brand, "Accept-Encoding: br"); got.Header.Get("Content-Encoding") != "" {
			t.Errorf("%s was compressed", brand)
		}
	}
	if n := only.requests.Load(); n != 3 {
		t.Errorf("the origin was asked %d times: an encoding is not another answer", n)
	}
}

func plain(t *testing.T, coding, body string) string {
	t.Helper()
	var reader io.Reader = strings.NewReader(body)
	switch coding {
	case "br":
		reader = brotli.NewReader(reader)
	case "gzip":
		unzipped, err := gzip.NewReader(reader)
		if err != nil {
			t.Fatal(err)
		}
		reader = unzipped
	case "zstd":
		unpacked, err := zstd.NewReader(reader)
		if err != nil {
			t.Fatal(err)
		}
		defer unpacked.Close()
		reader = unpacked
	}
	text, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestPartsOfAnAnswer(t *testing.T) {
	t.Parallel()
	w := start(t, []*gateway{newGateway(t, "us-east", ashburn, func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("CDN-Cache-Control", "max-age=60")
		rw.Header().Set("Content-Type", "application/json")
		rw.Header().Set("ETag", `"v1"`)
		fmt.Fprint(rw, "0123456789")
	})})
	long := strings.Repeat("0-1,", 2000) + "2-3"
	for _, tc := range []struct {
		headers       []string
		status        int
		body, content string
	}{
		{[]string{"Range: bytes=0-3"}, 206, "0123", "bytes 0-3/10"},
		{[]string{"Range: bytes=8-"}, 206, "89", "bytes 8-9/10"},
		{[]string{"Range: bytes=-3"}, 206, "789", "bytes 7-9/10"},
		{[]string{"Range: bytes=5-99999"}, 206, "56789", "bytes 5-9/10"},
		{[]string{"Range: bytes=10-"}, 416, "", "bytes */10"},
		{[]string{"Range: bytes=0-3", `If-Range: "v1"`}, 206, "0123", "bytes 0-3/10"},
		{[]string{"Range: bytes=0-3", `If-Range: "v0"`}, 200, "0123456789", ""},
		{[]string{"Range: bytes=0-3", `If-Range: W/"v1"`}, 200, "0123456789", ""},
		{[]string{"Range: bytes=0-3", `If-None-Match: "v1"`}, 304, "", ""},
		{[]string{"Range: bytes=0-3", "Accept-Encoding: br"}, 206, "0123", "bytes 0-3/10"},
		// Several ranges, other units and nonsense get the whole: none makes an answer longer than the body.
		{[]string{"Range: bytes=0-1,3-4"}, 200, "0123456789", ""},
		{[]string{"Range: bytes=" + long}, 200, "0123456789", ""},
		{[]string{"Range: bytes=3-1"}, 416, "", "bytes */10"},
		{[]string{"Range: bytes=99999999999999999999-"}, 200, "0123456789", ""},
		{[]string{"Range: lines=0-3"}, 200, "0123456789", ""},
		{[]string{"Range: bytes=-"}, 200, "0123456789", ""},
	} {
		got := w.get("/api/v1/products", tc.headers...)
		if got.StatusCode != tc.status || got.body != tc.body || got.Header.Get("Content-Range") != tc.content {
			t.Errorf("%.60s got %d %q, Content-Range %q", tc.headers, got.StatusCode, got.body, got.Header.Get("Content-Range"))
		}
	}
	if got := w.do(http.MethodHead, "/api/v1/products", "", "Range: bytes=0-3"); got.StatusCode != 200 || got.ContentLength != 10 {
		t.Errorf("HEAD with Range got %d, %d bytes", got.StatusCode, got.ContentLength)
	}
}

func TestARangeIsNotKeptAsTheWhole(t *testing.T) {
	t.Parallel()
	w := start(t, []*gateway{newGateway(t, "us-east", ashburn, func(rw http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Range") != "" {
			t.Error("the origin was asked for a part")
		}
		rw.Header().Set("CDN-Cache-Control", "max-age=60")
		fmt.Fprint(rw, "0123456789")
	})})
	w.get("/api/v1/products", "Range: bytes=0-3")
	if got := w.get("/api/v1/products"); got.body != "0123456789" || got.cache() != "HIT" {
		t.Errorf("after a part: %s %q", got.cache(), got.body)
	}
}

func TestAnEdgeThatWasToldNothingSaysSo(t *testing.T) {
	t.Parallel()
	gateways := threeGateways(t, product)
	var origins []emulator.Origin
	var rules emulator.Rules
	w := start(t, nil, func(c *emulator.Config) {
		told := config(t, gateways)
		rules, origins = told.Rules, told.Origins
		c.Rules = nil
	})
	if got := w.get("/api/v1/products"); got.StatusCode != 503 || !strings.Contains(got.body, "meridian edge apply") || got.Header.Get("Retry-After") == "" {
		t.Errorf("got %d %s", got.StatusCode, got.body)
	}
	if err := w.edge.Configure(emulator.Setup{}); err == nil {
		t.Error("nothing at all was taken for a setup")
	}
	if err := w.edge.Configure(emulator.Nearest(rules, origins)); err != nil {
		t.Fatal(err)
	}
	w.awaitHealth("us-east", "up")
	if got := w.get("/api/v1/products"); got.StatusCode != 200 {
		t.Errorf("once told: %d", got.StatusCode)
	}
	// An origin that leaves is asked no more; what is cached stays, and so does the health of the others.
	if err := w.edge.Configure(emulator.Nearest(rules, origins[1:])); err != nil {
		t.Fatal(err)
	}
	if got := w.get("/api/v1/products", "X-Edge-Location: IAD"); got.cache() != "HIT" {
		t.Errorf("after another setup: %s", got.cache())
	}
	if _, there := w.edge.Health()["us-east"]; there {
		t.Error("an origin that left is still judged")
	}
}
