package journeys_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/httpclient"
	"github.com/meridian-store/meridian/local/kittest"
	"github.com/meridian-store/meridian/local/link"
	"github.com/meridian-store/meridian/regions/doctor"
	"github.com/meridian-store/meridian/regions/status"
	"github.com/meridian-store/meridian/services/gateway"
)

// examine asks the doctor; its exit code says whether something is wrong.
func (s *shop) examine(t *testing.T) doctor.Report {
	t.Helper()
	var out bytes.Buffer
	var report doctor.Report
	err := s.run(t.Context(), &out, "doctor", "--json")
	if decode := json.Unmarshal(out.Bytes(), &report); decode != nil {
		t.Fatalf("doctor --json: %v (%v): %s", decode, err, out.String())
	}
	if (err == nil) != report.OK {
		t.Fatalf("the exit code says %v, the report %+v", err, report.Findings)
	}
	return report
}

// links gives the copy's links as the command shows them.
func (s *shop) links(t *testing.T) []link.Entry {
	t.Helper()
	var listed struct {
		Links []link.Entry `json:"links"`
	}
	if err := json.Unmarshal([]byte(s.must(t, "link", "list", "--json")), &listed); err != nil {
		t.Fatal(err)
	}
	return listed.Links
}

// sees gives how one region's gateway sees another.
func (s *shop) sees(t *testing.T, from, to string) gateway.RegionStatus {
	t.Helper()
	i := slices.IndexFunc(s.status.Regions, func(r status.Region) bool { return r.Name == from })
	var list struct {
		Items []gateway.RegionStatus `json:"items"`
	}
	request := httpclient.Request{URL: s.status.Regions[i].GatewayURL + "/api/v1/regions"}
	if err := request.Decode(t.Context(), &list); err != nil {
		t.Fatal(err)
	}
	return list.Items[slices.IndexFunc(list.Items, func(r gateway.RegionStatus) bool { return r.Name == to })]
}

func (s *shop) awaitSight(t *testing.T, from, to string, healthy bool) {
	t.Helper()
	kittest.Eventually(t, func() error {
		if seen := s.sees(t, from, to); seen.Healthy != healthy {
			return fmt.Errorf("%s sees %+v", from, seen)
		}
		return nil
	})
}

// buysIn buys one thing at a location and finds out who sold it.
func (s *shop) buysIn(t *testing.T, location, region, country string) {
	t.Helper()
	p := &shopper{shop: s, location: location}
	sku := p.browse(t, 15, 1)[0].SKU
	p.ask(t, http.MethodPost, "/api/v1/cart/items", map[string]any{"sku": sku, "quantity": 1}, nil).want(t, http.StatusOK)
	sold := p.ask(t, http.MethodPost, "/api/v1/checkout", checkoutBody("tok_visa", country, ""), nil, idempotencyKey()).want(t, http.StatusCreated)
	if got := sold.header.Get(contract.HeaderRegion); got != region {
		t.Errorf("%s was served by %s", location, got)
	}
}

// measured gives the round trip that the doctor measured over a link.
func measured(report doctor.Report, entry link.Entry) (ms float64, found bool) {
	for _, fact := range report.Facts {
		if entry.Plane == link.PlaneBroker {
			return float64(entry.ModelMS), true // the doctor measures the gateways' plane; both are set alike
		}
		if fact.Part == "link "+entry.From+"→"+entry.To && fact.Name == "round_trip" {
			return fact.Value, true
		}
	}
	return 0, false
}

// Not parallel: it slows and cuts what the others use.
func TestLinksAreDelayedCutAndHealedAndTheDoctorSeesIt(t *testing.T) {
	s := openShop(t)
	entries := s.links(t)
	if len(entries) != 12 { // two planes for each ordered pair
		t.Fatalf("three regions have %d links", len(entries))
	}
	t.Cleanup(func() {
		for _, entry := range entries {
			s.must(t, "link", "heal", entry.From, entry.To)
		}
	})
	s.awaitClean(t)

	for _, entry := range entries {
		s.must(t, "link", "delay", entry.From, entry.To, "--one-way")
	}
	kittest.Eventually(t, func() error { // a busy machine may hold one measurement up
		report := s.examine(t)
		for _, entry := range entries {
			ms, found := measured(report, entry)
			if model := float64(entry.ModelMS); !found || ms < model || ms >= 2*model+50 {
				return fmt.Errorf("the doctor measures %.1f ms (found: %t) from %s to %s, the distance explains %.0f", ms, found, entry.From, entry.To, model)
			}
		}
		return nil
	})
	kittest.Eventually(t, func() error {
		if seen := s.sees(t, "us-east", "eu-west"); !seen.Healthy || seen.RTTMS == nil || *seen.RTTMS < 78 {
			return fmt.Errorf("us-east sees %+v", seen)
		}
		return nil
	})

	s.must(t, "link", "cut", "us-east", "eu-west")
	s.awaitSight(t, "us-east", "eu-west", false)
	s.awaitSight(t, "eu-west", "us-east", false)
	s.awaitSight(t, "us-east", "ap-southeast", true)
	s.awaitSight(t, "ap-southeast", "eu-west", true)
	report := s.examine(t)
	for _, part := range []string{"link us-east→eu-west", "link eu-west→us-east", "us-east/gateway", "eu-west/gateway"} {
		if !slices.ContainsFunc(report.Findings, func(f doctor.Finding) bool { return f.Part == part }) {
			t.Errorf("the doctor says nothing of %s: %+v", part, report.Findings)
		}
	}
	for _, f := range report.Findings {
		if !strings.Contains(f.Part, "us-east") && !strings.Contains(f.Part, "eu-west") {
			t.Errorf("the cut broke %+v", f)
		}
	}
	s.buysIn(t, "IAD", "us-east", "US")
	s.buysIn(t, "DUB", "eu-west", "IE")
	s.buysIn(t, "SIN", "ap-southeast", "SG")

	s.killLinks(t) // a cut outlives the process that makes it
	if seen := s.sees(t, "us-east", "eu-west"); seen.Healthy {
		t.Error("the cut was forgotten")
	}
	for _, entry := range s.links(t) {
		s.must(t, "link", "heal", entry.From, entry.To)
	}
	s.awaitSight(t, "us-east", "eu-west", true)
	s.awaitSight(t, "eu-west", "us-east", true)
	s.awaitClean(t)
	err := s.run(t.Context(), new(bytes.Buffer), "link", "cut", "us-east", "atlantis")
	if err == nil || !strings.Contains(err.Error(), link.ErrNoLink.Error()) {
		t.Errorf("a link to nowhere was cut: %v", err)
	}
}

// killLinks kills the links' process and waits until it is back.
func (s *shop) killLinks(t *testing.T) {
	t.Helper()
	s.refresh(t)
	s.killAndAwait(t, part{"links", s.status.Links.PID})
}

// awaitClean waits until the doctor finds nothing: consumers may still apply what an earlier journey made.
func (s *shop) awaitClean(t *testing.T) {
	t.Helper()
	kittest.Eventually(t, func() error {
		if report := s.examine(t); !report.OK {
			return fmt.Errorf("the doctor finds %+v", report.Findings)
		}
		return nil
	})
}
