package emulator_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/local/emulator"
)

// tagged answers with the tags that its query's brand names, and with a version of what it shows.
func tagged(version *atomic.Int64) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		shown := version.Load()
		w.Header().Set("CDN-Cache-Control", "max-age=3600")
		w.Header().Set("Cache-Tag", "Product:1, list:"+r.URL.Query().Get("brand"))
		fmt.Fprintf(w, "%d", shown)
	}
}

func TestAPurgeReachesEveryLocation(t *testing.T) {
	t.Parallel()
	const list = "/api/v1/products?limit=9&brand=acme"
	for name, tc := range map[string]struct {
		purge func(*emulator.Edge)
		gone  bool
	}{
		"by tag":               {func(e *emulator.Edge) { e.PurgeTags("list:acme") }, true},
		"whatever its case":    {func(e *emulator.Edge) { e.PurgeTags("other", "PRODUCT:1") }, true},
		"by another tag":       {func(e *emulator.Edge) { e.PurgeTags("list:acm", "product:11") }, false},
		"by address":           {func(e *emulator.Edge) { e.PurgeTargets("/api/v1/products?brand=acme&limit=9&utm_source=x") }, true},
		"by another address":   {func(e *emulator.Edge) { e.PurgeTargets("/api/v1/products?brand=acme") }, false},
		"by the path's prefix": {func(e *emulator.Edge) { e.PurgePrefixes("/api/v1/pro") }, true},
		"by another prefix":    {func(e *emulator.Edge) { e.PurgePrefixes("/api/v1/cat", "api") }, false},
		"as a whole":           {func(e *emulator.Edge) { e.PurgeEverything() }, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var version atomic.Int64
			w := start(t, threeGateways(t, tagged(&version)))
			for _, l := range geo.Cities() {
				w.get(list, "X-Edge-Location: "+l.IATA)
			}
			version.Add(1)
			tc.purge(w.edge)
			for _, l := range geo.Cities() {
				want := map[bool]string{true: "MISS 1", false: "HIT 0"}[tc.gone]
				if got := w.get(list, "X-Edge-Location: "+l.IATA); got.cache()+" "+got.body != want {
					t.Errorf("%s shows %s %s, want %s", l.IATA, got.cache(), got.body, want)
				}
			}
		})
	}
}

// A fill under way when its tag is purged brings what was true before. Neither is it kept, nor does anybody get it who came after the purge.
func TestAFillThatRacesAPurgeIsNotKept(t *testing.T) {
	t.Parallel()
	const races = 200
	var version atomic.Int64
	reached, release := make(chan struct{}), make(chan struct{})
	var held atomic.Bool
	answer := tagged(&version)
	w := start(t, []*gateway{newGateway(t, "us-east", ashburn, func(rw http.ResponseWriter, r *http.Request) {
		if held.CompareAndSwap(true, false) {
			// What is shown was read before the change.
			shown := version.Load()
			reached <- struct{}{}
			<-release
			var old atomic.Int64
			old.Store(shown)
			tagged(&old)(rw, r)
			return
		}
		answer(rw, r)
	})})
	purges := []func(){
		func() { w.edge.PurgeTags("product:1") },
		func() { w.edge.PurgeTargets("/api/v1/products/x") },
		func() { w.edge.PurgePrefixes("/api/v1/products") },
		func() { w.edge.PurgeEverything() },
	}
	for race := range races {
		w.edge.PurgeEverything()
		held.Store(true)
		var first, joined reply
		var waiting sync.WaitGroup
		waiting.Go(func() { first = w.get("/api/v1/products/x") })
		<-reached
		version.Add(1)
		purges[race%len(purges)]()
		late := fmt.Sprint(version.Load())
		ask := func() { waiting.Go(func() { joined = w.get("/api/v1/products/x") }) }
		if race%2 == 0 {
			ask() // while the fill is under way, which it would join
			release <- struct{}{}
		} else {
			release <- struct{}{}
			ask()
		}
		waiting.Wait()
		if joined.body != late {
			t.Fatalf("race %d: who came after the purge was shown %s, not %s", race, joined.body, late)
		}
		if got := w.get("/api/v1/products/x"); got.body != late {
			t.Fatalf("race %d: after it all %s shows %s, not %s (the first got %s)", race, got.cache(), got.body, late, first.body)
		}
	}
	if raced := w.metric(`meridian_edge_fills_total{location="IAD",outcome="raced"}`); raced != races {
		t.Errorf("%v fills were dropped for a purge, want %d", raced, races)
	}
}

// Many readers and one writer who purges after each change: whoever asks after a purge has returned never sees what was before.
func TestNobodySeesWhatWasPurgedBeforeTheyCame(t *testing.T) {
	t.Parallel()
	const changes, readers = 300, 8
	var version, purged atomic.Int64
	w := start(t, threeGateways(t, tagged(&version)))
	var done atomic.Bool
	var reading sync.WaitGroup
	for range readers {
		reading.Go(func() {
			for !done.Load() {
				least := purged.Load()
				l := geo.Cities()[rand.IntN(4)]
				got, err := w.try(http.MethodGet, "/api/v1/products/x", "", "X-Edge-Location: "+l.IATA)
				var shown int64
				if err == nil {
					_, err = fmt.Sscan(got.body, &shown)
				}
				if err != nil || shown < least {
					t.Errorf("%s shows version %d (%v) after %d was announced", l.IATA, shown, err, least)
					return
				}
			}
		})
	}
	for range changes {
		now := version.Add(1)
		w.edge.PurgeTags("product:1")
		purged.Store(now)
	}
	done.Store(true)
	reading.Wait()
}

// What the cache let go of leaves the index too: otherwise it would grow for ever.
func TestMemoryIsBoundedWithTagsAndVariants(t *testing.T) {
	t.Parallel()
	const limit = 1 << 20
	w := start(t, []*gateway{newGateway(t, "us-east", ashburn, func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("CDN-Cache-Control", "max-age=3600")
		rw.Header().Set("Content-Type", "application/json")
		rw.Header().Set("Cache-Tag", "all,"+strings.Repeat("t", 100)+r.URL.Path)
		fmt.Fprintf(rw, `{"of":%q,"text":%q}`, r.URL.Path, strings.Repeat("words ", 500))
	})}, func(c *emulator.Config) { c.MaxBytes = limit })
	for i := range 1000 {
		w.get(fmt.Sprintf("/api/v1/products/p%d", i), "Accept-Encoding: gzip")
	}
	await(t, "the cache is within its limit", func() bool { return w.metric("meridian_edge_cache_bytes") <= limit })
	kept := w.metric("meridian_edge_cache_entries")
	if kept < 10 || kept > 400 {
		t.Errorf("%v entries of more than 3 KB each are kept in 1 MB", kept)
	}
	w.edge.PurgeTags("all")
	if dropped := w.metric(`meridian_edge_purged_entries_total{by="tag"}`); dropped > kept+10 || dropped < 10 {
		t.Errorf("a tag that all bear dropped %v entries, where %v were kept", dropped, kept)
	}
}
