package gateway

import (
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
)

// twoWithLink is a region that probes another at a URL, with a clock of the test's.
func twoWithLink(url string, clock *atomic.Int64) *peers {
	own := contract.Region{Region: geo.Region{Name: "here"}}
	other := contract.Region{Region: geo.Region{Name: "there", Point: geo.Point{Latitude: 1}}}
	return newPeers(own, []contract.Region{own, other}, map[string]string{"there": url}, func() time.Time { return time.Unix(1_000_000, clock.Load()) }, slog.New(slog.DiscardHandler))
}

func TestARegionIsReachableWhileItAnswersOverTheLink(t *testing.T) {
	t.Parallel()
	var clock atomic.Int64
	var status atomic.Int64
	status.Store(http.StatusOK)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/ready" {
			t.Errorf("probed %s", r.URL.Path)
		}
		w.WriteHeader(int(status.Load()))
	}))
	p := twoWithLink(server.URL, &clock)
	t.Cleanup(p.client.CloseIdleConnections)
	expect := func(when string, wanted bool) {
		t.Helper()
		if reachable, trip := p.reachable("there"); reachable != wanted || reachable != (trip > 0) {
			t.Errorf("%s: reachable %t in %s", when, reachable, trip)
		}
	}
	probeUntil := func(wanted bool) { // a busy machine may miss a probe's deadline
		t.Helper()
		deadline := time.Now().Add(30 * time.Second)
		for p.learn(t.Context(), "there"); time.Now().Before(deadline); p.learn(t.Context(), "there") {
			if reachable, _ := p.reachable("there"); reachable == wanted {
				return
			}
		}
	}
	expect("before the first probe", false)
	probeUntil(true)
	expect("after an answer", true)
	status.Store(http.StatusServiceUnavailable)
	probeUntil(false)
	expect("once it drains", false)
	status.Store(http.StatusOK)
	probeUntil(true)
	expect("once it is back", true)
	server.Close()
	clock.Add(int64(lostAfter) - 1)
	p.learn(t.Context(), "there")
	expect("silent for a moment", true)
	clock.Add(1)
	expect("silent for too long, even when nobody probes", false)
	p.learn(t.Context(), "there")
	expect("silent for too long", false)
}

func TestASilentLinkCostsAProbeItsDeadline(t *testing.T) {
	t.Parallel()
	var listen net.ListenConfig
	hole, err := listen.Listen(t.Context(), "tcp", "127.0.0.1:0") // accepts and never answers, as a cut link does
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := hole.Close(); err != nil {
			t.Error(err)
		}
	})
	p := twoWithLink("http://"+hole.Addr().String(), new(atomic.Int64))
	t.Cleanup(p.client.CloseIdleConnections)
	learned := make(chan struct{})
	go func() {
		p.learn(t.Context(), "there")
		close(learned)
	}()
	select {
	case <-learned:
	case <-time.After(30 * time.Second):
		t.Fatal("the probe has no end")
	}
	if reachable, _ := p.reachable("there"); reachable {
		t.Error("a silent link is reachable")
	}
	if reachable, _ := p.reachable("elsewhere"); !reachable {
		t.Error("a region without a link was judged")
	}
}

func TestTheDeadlineOfAProbeGrowsWithTheDistance(t *testing.T) {
	t.Parallel()
	p := twoWithLink("http://127.0.0.1:1", new(atomic.Int64))
	trip := geo.RoundTrip(geo.DistanceKM(geo.Point{}, geo.Point{Latitude: 1}))
	if got := p.deadlines["there"]; got <= 3*trip || got > time.Second || p.deadlines["here"] >= got {
		t.Errorf("the deadlines are %v for a round trip of %s", p.deadlines, trip)
	}
	antipodes := newPeers(contract.Region{}, []contract.Region{{Region: geo.Region{Name: "far", Point: geo.Point{Longitude: 180}}}}, nil, time.Now, nil)
	if got := antipodes.deadlines["far"]; got > 2*time.Second {
		t.Errorf("the other side of the world has %s", got)
	}
}
