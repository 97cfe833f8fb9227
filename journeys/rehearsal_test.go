package journeys_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/meridian-store/meridian/local/drill"
)

// Not parallel: it kills a region that the others use. How slow anything was is not judged here, where other tests keep the machine busy.
func TestWhatIsAcknowledgedOutlivesARegionAndAWrongClock(t *testing.T) {
	s := openShop(t)
	for _, name := range []string{"region-loss", "clock-skew"} {
		r := s.rehearse(t, name)
		if r.Acknowledged == 0 || r.Found != r.Acknowledged || r.Charged != r.Acknowledged {
			t.Errorf("%s: of %d acknowledged orders %d are found once and %d charged once", name, r.Acknowledged, r.Found, r.Charged)
		}
		if !r.Audit.OK || r.GaveUp > 0 || r.MissedSends > 0 {
			t.Errorf("%s: the audit says %v; %d shoppers gave up, %d could not begin", name, r.Audit.Violations, r.GaveUp, r.MissedSends)
		}
		for _, lag := range r.Lag {
			if lag.Behind+lag.Doubled+lag.Disordered > 0 {
				t.Errorf("%s: %+v", name, lag)
			}
		}
		for _, stats := range r.Stats {
			if lost := name == "region-loss" && stats.Home == r.Region; stats.Failed > 0 && !lost {
				t.Errorf("%s: %d requests of the shoppers of %s failed %s", name, stats.Failed, stats.Home, stats.Phase)
			}
		}
		if gone := name == "region-loss"; gone != (r.ReroutedMS != nil) {
			t.Errorf("%s: rerouted is %v", name, r.ReroutedMS)
		}
		t.Logf("%s: %d orders, %d requests failed, problems %q", name, r.Acknowledged, r.FailedRequests, r.Problems)
	}
}

// rehearse holds a short drill and gives its report, whether or not it was passed.
func (s *shop) rehearse(t *testing.T, name string) *drill.Report {
	t.Helper()
	var out bytes.Buffer
	failed := s.run(t.Context(), &out, "drill", name, "--rate", "5", "--before", "4s", "--during", "6s", "--after", "4s", "--settle", "5s", "--json")
	report := new(drill.Report)
	if err := json.Unmarshal(out.Bytes(), report); err != nil {
		t.Fatalf("the drill %s: %v (%v): %s", name, err, failed, out.String())
	}
	return report
}
