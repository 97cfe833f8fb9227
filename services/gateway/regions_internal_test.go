package gateway

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
)

func TestASilentRegionIsBelievedForAWhile(t *testing.T) {
	t.Parallel()
	var clock atomic.Int64
	answer := func() ([]string, error) { return nil, errors.New("silent") }
	named := func(name string, latitude float64) contract.Region {
		return contract.Region{Region: geo.Region{Name: name, Point: geo.Point{Latitude: latitude}}}
	}
	h := &regionHealth{
		own: "here", regions: []contract.Region{named("here", 0), named("there", 90)}, log: slog.New(slog.DiscardHandler),
		now:   func() time.Time { return time.Unix(0, clock.Load()) },
		known: map[string]sighting{},
		ask: func(_ context.Context, region, service string, since uint64, within time.Duration) ([]string, uint64, error) {
			if within <= 0 || within > time.Second || region != "there" || service != contract.ServiceGateway {
				t.Errorf("asked for the %s of %s within %s", service, region, within)
			}
			addresses, err := answer()
			return addresses, since + 1, err
		},
	}
	index := uint64(0)
	expect := func(when string, healthy bool) {
		t.Helper()
		_, silent := answer()
		since := index
		if index = h.learn(t.Context(), "there", since); (silent != nil && index != 0) || (silent == nil && index != since+1) {
			t.Errorf("%s: after %d it is asked with %d", when, since, index)
		}
		all := h.statuses("", nil)
		if !all[0].Healthy || all[1].Healthy != healthy || all[0].DistanceKM != nil {
			t.Errorf("%s: %+v", when, all)
		}
	}
	expect("before anything is known", false)
	answer = func() ([]string, error) { return []string{"10.0.0.1:8101"}, nil }
	expect("with a gateway", true)
	answer = func() ([]string, error) { return nil, errors.New("silent") }
	clock.Add(int64(believeFor) - 1)
	expect("silent for a moment", true)
	clock.Add(1)
	expect("silent for too long", false)
	answer = func() ([]string, error) { return []string{"10.0.0.1:8101"}, nil }
	expect("back again", true)
	answer = func() ([]string, error) { return nil, nil }
	expect("without a gateway", false)

	answer = func() ([]string, error) { return []string{"10.0.0.1:8101"}, nil }
	expect("with a gateway again", true)
	h.links = &peers{urls: map[string]string{"there": "http://127.0.0.1:1"}, now: h.now, known: map[string]peer{}}
	expect("which does not answer over the link", false)
	h.links.known["there"] = peer{reachable: true, answered: h.now(), roundTrip: 78_430 * time.Microsecond}
	expect("which answers over the link", true)
	if trip := h.statuses("", nil)[1].RTTMS; trip == nil || *trip != 78.4 {
		t.Errorf("the round trip is shown as %v", trip)
	}

	all := h.statuses("", &geo.Point{})
	if *all[0].DistanceKM != 0 || *all[1].DistanceKM != 10008 {
		t.Errorf("the pole is %d km from the equator", *all[1].DistanceKM)
	}
}

func TestTheSteeringOrderIsTheCallersOwn(t *testing.T) {
	t.Parallel()
	region := func(name string, latitude float64) contract.Region {
		return contract.Region{Region: geo.Region{Name: name, Point: geo.Point{Latitude: latitude}}}
	}
	near, kept, ill, refusing := region("near", 1), region("kept", 50), region("ill", 0), region("refusing", 2)
	kept.Resident, refusing.Refuses = []string{"RE"}, []string{"RE"}
	clock := time.Unix(0, 0)
	h := &regionHealth{
		own: "near", regions: []contract.Region{near, kept, ill, refusing}, now: func() time.Time { return clock },
		known: map[string]sighting{"kept": {healthy: true, at: clock}, "refusing": {healthy: true, at: clock}},
	}
	expect := func(country, name string, place int, reason string) {
		t.Helper()
		for _, got := range h.statuses(country, &geo.Point{}) {
			if got.Name != name {
				continue
			}
			found := 0
			if got.SteeringPlace != nil {
				found = *got.SteeringPlace
			}
			if found != place || got.SteeringReason != reason {
				t.Errorf("%s from %q: place %d (%s), want %d (%s)", name, country, found, got.SteeringReason, place, reason)
			}
		}
	}
	if others := h.others(); len(others) != 3 || others[2] != "kept" {
		t.Errorf("from near, the others are %v, nearest first", others)
	}
	expect("RE", "kept", 1, "resident")
	expect("RE", "near", 2, "distance")
	expect("RE", "ill", 0, "unhealthy")
	expect("RE", "refusing", 0, "refused")
	expect("", "near", 1, "distance")
	expect("", "refusing", 2, "distance")
	expect("", "kept", 3, "distance")
	for _, got := range h.statuses("RE", nil) {
		if got.SteeringPlace != nil || got.SteeringReason != "" {
			t.Errorf("a caller without a place has an order: %+v", got)
		}
	}
}
