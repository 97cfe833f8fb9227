package doctor

import (
	"fmt"
	"math"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/meridian-store/meridian/regions/status"
)

// judgeMirror looks at how far a region's mirror is behind each of the others. A region that was not started, or whose mirror says
// nothing, sends nothing that could be late: it is not judged here.
func judgeMirror(n *notes, shop status.Shop, region, log string, metrics map[string]*dto.MetricFamily, now time.Time) {
	part := region + "/mirror"
	behind := bySource(metrics["meridian_mirror_behind_records"])
	for source, upTo := range bySource(metrics["meridian_mirror_copied_up_to_seconds"]) {
		late := max(0, float64(now.UnixMilli())/1000-upTo)
		n.fact(part, "behind "+source, behind[source], "records")
		n.fact(part, "has all of "+source+" up to", math.Round(late*10)/10, "s ago")
		if !gatewayReady(shop, source) {
			continue
		}
		evidence := fmt.Sprintf("%.0f records wait; all that was there %.0f s ago is copied, no more", behind[source], late)
		if behind[source] > longLag || late > longMirrorLag.Seconds() {
			n.find(Finding{part, "it has the events of " + source + " " + ProblemMirrorLate, evidence,
				"look again in a moment; if it grows, meridian link list shows whether the way there is cut; then " + log})
		}
	}
	if missed, found := sum(metrics["meridian_mirror_missed_records_total"]); found && missed > 0 {
		n.find(Finding{part, ProblemMissed, fmt.Sprintf("%.0f since its start", missed),
			"raise the topics' retention above the longest outage; " + log + " for the offsets"})
	}
}

// bySource adds a family's gauges up for each region that they are about.
func bySource(family *dto.MetricFamily) map[string]float64 {
	sums := map[string]float64{}
	for _, sample := range family.GetMetric() {
		for _, label := range sample.GetLabel() {
			if label.GetName() == "source" {
				sums[label.GetValue()] += sample.GetGauge().GetValue()
			}
		}
	}
	return sums
}
