package drill

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/meridian-store/meridian/regions/status"
)

// sound is a report of a drill in which all went well.
func sound(d Drill) *Report {
	r := newReport(Options{Drill: d, Scene: Scene{Region: "eu-west"}})
	r.Offered, r.Acknowledged, r.Found, r.Charged, r.Audit.OK = 10, 10, 10, 10, true
	rerouted := int64(900)
	r.ReroutedMS = &rerouted
	r.Stats = []Stats{
		{Home: "us-east", Phase: PhaseBefore, Requests: 100, P99MS: 200}, {Home: "us-east", Phase: PhaseDuring, Requests: 100, P99MS: 390},
		{Home: "eu-west", Phase: PhaseBefore, Requests: 100, P99MS: 200}, {Home: "eu-west", Phase: PhaseDuring, Requests: 100, Failed: 7, P99MS: 5000},
	}
	return r
}

func TestEachBrokenPromiseOfADrillIsNamed(t *testing.T) {
	t.Parallel()
	loss, err := Find("region-loss")
	if err != nil {
		t.Fatal(err)
	}
	partition, err := Find("partition")
	if err != nil {
		t.Fatal(err)
	}
	returning, err := Find("region-return")
	if err != nil {
		t.Fatal(err)
	}
	rolling, err := Find("rolling-restart")
	if err != nil {
		t.Fatal(err)
	}
	allWell := func(r *Report) { r.Stats[3].Failed = 0 }
	late := rerouteLimit.Milliseconds() + 1
	// The two take a problem up to the phase and the times.
	failed := func(n int, home string) string {
		return strings.TrimRight(fmt.Sprintf(problemFailed, n, home, ""), " ")
	}
	slow := func(home string) string { return fmt.Sprintf(strings.SplitAfter(problemSlow, "%s")[0], home) }
	for name, tc := range map[string]struct {
		drill Drill
		spoil func(*Report)
		want  string
	}{
		"sound":   {loss, func(*Report) {}, ""},
		"lost":    {loss, func(r *Report) { r.Found-- }, fmt.Sprintf(problemLost, 1, 10)},
		"charged": {loss, func(r *Report) { r.Charged -= 2 }, fmt.Sprintf(problemUncharged, 2, 10)},
		"audit": {
			loss, func(r *Report) { r.Audit = AuditResult{Violations: []string{"x"}} }, fmt.Sprintf(problemAudit, 1),
		},
		"gave up": {loss, func(r *Report) { r.GaveUp = 3 }, fmt.Sprintf(problemGaveUp, 3, patience)},
		"missed":  {loss, func(r *Report) { r.MissedSends = 4 }, fmt.Sprintf(problemMissedSends, 4)},
		"late": {
			loss, func(r *Report) { r.ReroutedMS = &late }, fmt.Sprintf(problemNotRerouted, "eu-west", rerouteLimit),
		},
		"never": {
			loss, func(r *Report) { r.ReroutedMS = nil }, fmt.Sprintf(problemNotRerouted, "eu-west", rerouteLimit),
		},
		"other failed": {loss, func(r *Report) { r.Stats[1].Failed = 1 }, failed(1, "us-east")},
		"other slow":   {loss, func(r *Report) { r.Stats[1].P99MS = 401 }, slow("us-east")},
		"behind": {
			loss, func(r *Report) { r.Lag = []Lag{{Source: "us-east", Target: "eu-west", Behind: 5}} },
			fmt.Sprintf(problemBehind, "eu-west", 5, "us-east", lagLimit),
		},
		"twice": {
			loss, func(r *Report) { r.Lag = []Lag{{Source: "us-east", Target: "eu-west", Doubled: 2}} },
			fmt.Sprintf(problemOrder, "us-east", "eu-west", 2, 0),
		},
		"disordered": {
			loss, func(r *Report) { r.Lag = []Lag{{Source: "us-east", Target: "eu-west", Disordered: 1}} },
			fmt.Sprintf(problemOrder, "us-east", "eu-west", 0, 1),
		},
		"nothing sold": {loss, func(r *Report) { r.Acknowledged, r.Found, r.Charged = 0, 0, 0 }, problemNothingSold},
		"own failed":   {partition, func(*Report) {}, failed(7, "eu-west")},
		"moved":        {rolling, allWell, ""}, // 5 s, while another region serves them
		"moved slowly": {rolling, func(r *Report) { allWell(r); r.Stats[3].Phase = PhaseAfter }, slow("eu-west")},
		"starts":       {returning, func(r *Report) { r.Stats[1].Phase, r.Stats[1].P99MS = PhaseMending, 5000 }, ""}, // beside the others, on their cores
		"starts, fail": {
			returning, func(r *Report) { r.Stats[1].Phase, r.Stats[1].Failed = PhaseMending, 1 }, failed(1, "us-east"),
		},
		"back, slow": {
			returning, func(r *Report) { r.Stats[1].Phase, r.Stats[1].P99MS = PhaseAfter, 401 }, slow("us-east"),
		},
		"moved failed": {rolling, func(*Report) {}, failed(7, "eu-west")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := sound(tc.drill)
			tc.spoil(r)
			r.judge(tc.drill)
			if r.OK != (tc.want == "") || !strings.Contains(strings.Join(r.Problems, "\n"), tc.want) {
				t.Errorf("ok %t, problems %q, want %q", r.OK, r.Problems, tc.want)
			}
		})
	}
}

func TestTheTimesAreThoseOfTheBrokenRegionsShoppers(t *testing.T) {
	t.Parallel()
	r := sound(Drill{})
	r.ReroutedMS = nil
	r.broken, r.mended = r.started.Add(10*time.Second), r.started.Add(20*time.Second)
	at := func(seconds float64, home, region string, failed bool) {
		r.requests = append(r.requests, request{
			begun: r.started.Add(time.Duration(seconds * float64(time.Second))), took: 100 * time.Millisecond, home: home, region: region, failed: failed, phase: PhaseDuring,
		})
	}
	at(9, "eu-west", "us-east", false) // before the break
	at(10.5, "us-east", "us-east", true)
	at(11, "eu-west", "", true)
	at(12, "eu-west", "us-east", false)
	at(12.5, "eu-west", "", true)
	at(13, "eu-west", "us-east", false)
	at(21, "eu-west", "us-east", false)
	at(23, "eu-west", "eu-west", false)
	r.measure()
	for what, got := range map[string]struct {
		ms   *int64
		want int64
	}{"detected": {r.DetectedMS, 2100}, "rerouted": {r.ReroutedMS, 2600}, "recovered": {r.RecoveredMS, 3100}} {
		if got.ms == nil || *got.ms != got.want {
			t.Errorf("%s: %v, want %d", what, got.ms, got.want)
		}
	}
	if r.FailedRequests != 3 {
		t.Errorf("%d failed requests", r.FailedRequests)
	}
}

func TestStatsCountEveryRequestOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var requests []request
		failed := 0
		for range rapid.IntRange(0, 200).Draw(t, "requests") {
			made := request{
				home: rapid.SampledFrom([]string{"us-east", "eu-west"}).Draw(t, "home"), phase: rapid.SampledFrom([]string{PhaseBefore, PhaseDuring, PhaseMending, PhaseAfter}).Draw(t, "phase"),
				took: time.Duration(rapid.Int64Range(1, int64(time.Minute)).Draw(t, "took")), failed: rapid.Bool().Draw(t, "failed"),
			}
			if made.failed {
				failed++
			}
			requests = append(requests, made)
		}
		counted, countedFailed := 0, 0
		for _, s := range statsOf(requests) {
			counted, countedFailed = counted+s.Requests, countedFailed+s.Failed
			if s.P50MS > s.P99MS || s.Requests == 0 {
				t.Errorf("%+v", s)
			}
		}
		if counted != len(requests) || countedFailed != failed {
			t.Errorf("%d requests, %d failed; counted %d and %d", len(requests), failed, counted, countedFailed)
		}
	})
}

func TestADrillRefusesRegionsThatAreNotThere(t *testing.T) {
	t.Parallel()
	shop := status.Shop{Regions: []status.Region{{Name: "us-east"}, {Name: "eu-west"}}}
	for _, tc := range []struct {
		drill, region, peer string
		fits                bool
	}{
		{"region-loss", "eu-west", "", true}, {"region-loss", "atlantis", "", false}, {"region-loss", "", "", false}, {"rolling-restart", "", "", true},
		{"partition", "eu-west", "us-east", true}, {"partition", "eu-west", "eu-west", false}, {"partition", "eu-west", "atlantis", false},
	} {
		d, err := Find(tc.drill)
		if err != nil {
			t.Fatal(err)
		}
		if err := (Scene{Status: shop, Region: tc.region, Peer: tc.peer}).check(d); (err == nil) != tc.fits {
			t.Errorf("%s of %q and %q: %v", tc.drill, tc.region, tc.peer, err)
		}
	}
}
