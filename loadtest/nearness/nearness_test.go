package nearness

import (
	"context"
	"encoding/json"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) {
	// A client's cleaner sleeps its idle time out, sees no connections, and ends.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*HostClient).connsCleaner"))
}

func TestPopularityFollowsZipf(t *testing.T) {
	t.Parallel()
	paths := make([]string, 2000)
	for i := range paths {
		paths[i] = "/" + strings.Repeat("x", i%7) + string(rune('a'+i%26))
	}
	s := newShelf(paths)
	share := func(i int) float64 {
		if i == 0 {
			return s.upTo[0]
		}
		return s.upTo[i] - s.upTo[i-1]
	}
	for _, i := range []int{1, 9, 99, 1999} {
		if ratio := share(0) / share(i); math.Abs(ratio-float64(i+1)) > 1e-6 {
			t.Errorf("the first is read %.3f times as often as the one in place %d", ratio, i+1)
		}
	}
	if last := s.upTo[len(s.upTo)-1]; last != 1 {
		t.Errorf("the shares add up to %v", last)
	}
	rapid.Check(t, func(t *rapid.T) {
		at := rapid.Float64Range(0, math.Nextafter(1, 0)).Draw(t, "at")
		drawn := s.draw(at)
		for i, path := range s.paths {
			if s.upTo[i] >= at {
				if path != drawn {
					t.Fatalf("at %v %q was drawn, not the one whose share that is, %q", at, drawn, path)
				}
				return
			}
		}
	})
}

// shop is an edge of the test: every second read of a path hits.
type shop struct {
	mu   sync.Mutex
	read map[string]int
	slow string // a path whose city is far away
}

func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer := any(map[string]any{"items": []map[string]any{{"slug": "shirts", "children": []map[string]any{{"slug": "polos"}}}}})
	switch {
	case r.URL.Path == "/api/v1/products" && r.URL.Query().Get("category") == "":
		answer = map[string]any{"items": []map[string]any{{"slug": "a"}, {"slug": "b"}}}
	case strings.HasPrefix(r.URL.Path, "/api/v1/products/"):
		answer = map[string]any{"slug": r.URL.Path}
	}
	key := r.Header.Get("X-Edge-Location") + r.URL.String()
	s.mu.Lock()
	s.read[key]++
	hit := s.read[key] > 1
	s.mu.Unlock()
	if r.Header.Get("X-Edge-Location") == s.slow {
		time.Sleep(LimitP95)
	}
	w.Header().Set("X-Cache", map[bool]string{true: "HIT", false: "MISS"}[hit])
	_ = json.NewEncoder(w).Encode(answer)
}

func TestEachCityIsMeasuredApart(t *testing.T) {
	t.Parallel()
	s := &shop{read: map[string]int{}, slow: "EZE"}
	server := httptest.NewServer(s)
	defer server.Close()
	chilled := 0
	report, err := Run(t.Context(), Options{
		Edge: server.Listener.Addr().String(), Cities: []City{{"IAD", 3}, {"EZE", 1}}, Rate: 200, Cold: time.Second, Warm: 2 * time.Second,
		Chill:    func(context.Context) error { chilled++; return nil },
		Change:   func(context.Context, string) error { return nil },
		Progress: io.Discard,
	})
	if err != nil {
		t.Fatal(err)
	}
	if chilled != 1 || report.Changes == 0 || report.Failed != 0 {
		t.Errorf("chilled %d times, %d changes, %d failed", chilled, report.Changes, report.Failed)
	}
	far := report.Cities[1]
	if far.City != "EZE" || far.Warm.P95MS < 100 || report.OK {
		t.Errorf("the far city has %+v, problems %q", far, report.Problems)
	}
	if near := report.Cities[0]; near.Warm.P50MS < 10 || near.Warm.HitRatio < 0.9 || near.Cold.HitRatio >= near.Warm.HitRatio {
		t.Errorf("the near city has %+v", near)
	}
	// A location of the test's shop is three times as often asked as the other.
	if a, b := report.Cities[0].Warm.Reads, report.Cities[1].Warm.Reads; float64(a)/float64(b) < 2.5 || float64(a)/float64(b) > 3.5 {
		t.Errorf("%d and %d reads, want 3 to 1", a, b)
	}
}

func TestWhatFailsIsNoFastAnswer(t *testing.T) {
	t.Parallel()
	y := &tally{warmFrom: time.Now()}
	y.note(time.Now(), time.Millisecond, true, true)
	r := &Report{}
	r.sum([]City{{"IAD", 1}}, []*tally{y})
	if r.OK || r.Failed != 1 || r.Warm.Reads != 0 {
		t.Errorf("got %+v", r)
	}
}

func TestReport_JudgeFailuresIgnoresTimesAndHits(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		report Report
		ok     bool
	}{
		"slow":    {Report{Warm: Figures{Reads: 9}, Problems: []string{"DUB: 95% of reads took up to 900 ms"}}, true},
		"failed":  {Report{Warm: Figures{Reads: 9}, Failed: 1}, false},
		"nothing": {Report{}, false},
	} {
		c.report.JudgeFailures()
		if c.report.OK != c.ok || c.ok != (len(c.report.Problems) == 0) {
			t.Errorf("%s: %+v", name, c.report)
		}
	}
}
