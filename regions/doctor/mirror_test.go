package doctor

import (
	"fmt"
	"testing"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/regions/status"
)

func TestAMirrorIsLateByRecordsOrByTime(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		first, second int
		ago           time.Duration
		missed        int
		source        string
		problem       string
	}{
		"whole":                 {0, 0, 0, 0, "there", ""},
		"a little late":         {longLag - 1, 1, longMirrorLag / 2, 0, "there", ""},
		"many records":          {longLag, 1, 0, 0, "there", ProblemMirrorLate},
		"long ago":              {0, 0, longMirrorLag + 2*time.Second, 0, "there", ProblemMirrorLate},
		"a region that is away": {longLag, 1, time.Hour, 0, "away", ""},
		"dropped":               {0, 0, 0, 7, "there", ProblemMissed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := gateway(t, fmt.Sprintf(`# TYPE meridian_mirror_behind_records gauge
meridian_mirror_behind_records{source="%[1]s",topic="order-events",partition="0"} %[2]d
meridian_mirror_behind_records{source="%[1]s",topic="cart-events",partition="1"} %[3]d
# TYPE meridian_mirror_copied_up_to_seconds gauge
meridian_mirror_copied_up_to_seconds{source="%[1]s"} %.3[4]f
# TYPE meridian_mirror_missed_records_total counter
meridian_mirror_missed_records_total{source="%[1]s",topic="cart-events"} %[5]d
`, tc.source, tc.first, tc.second, float64(time.Now().Add(-tc.ago).UnixMilli())/1000, tc.missed), "")
			n := &notes{}
			mirror := status.Service{Name: contract.ServiceMirror, URL: server.URL, Ready: true}
			run(t.Context(), n, []examination{serviceOf(Subject{Status: twoRegions(server.URL)}, "here", mirror)})
			if _, found := n.finding(tc.problem); (tc.problem == "") != (len(n.findings) == 0) || (tc.problem != "" && !found) {
				t.Errorf("found %+v, want %q", n.findings, tc.problem)
			}
			if got := n.value(t, "behind "+tc.source); got != float64(tc.first+tc.second) {
				t.Errorf("%v records are counted", got)
			}
			if got := n.value(t, "has all of "+tc.source+" up to"); got < tc.ago.Seconds()-1 {
				t.Errorf("it is said to be %v s behind, not %s", got, tc.ago)
			}
		})
	}
}
