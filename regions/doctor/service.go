package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/httpclient"
	"github.com/meridian-store/meridian/regions/status"
)

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 4 << 20

// serviceOf looks at what a service says of itself; a gateway is also asked how it sees the other regions, and a mirror how late
// it is.
func serviceOf(s Subject, region string, service status.Service) examination {
	part := region + "/" + service.Name
	return examination{part: part, remedy: "read its log: meridian status shows whether it is ready", ask: func(ctx context.Context, n *notes) error {
		metrics, err := scrape(ctx, service.URL)
		if err != nil {
			return err
		}
		judgeMetrics(n, part, metrics)
		switch service.Name {
		case contract.ServiceGateway:
			return view(ctx, n, s.Status, region, service.URL)
		case contract.ServiceMirror:
			judgeMirror(n, s.Status, region, "read "+s.log(region, service.Name), metrics, time.Now())
		}
		return nil
	}}
}

func scrape(ctx context.Context, url string) (map[string]*dto.MetricFamily, error) {
	body, err := get(ctx, url+"/metrics")
	if err != nil {
		return nil, err
	}
	defer body.Close()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	metrics, err := parser.TextToMetricFamilies(io.LimitReader(body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("read %s/metrics: %w", url, err)
	}
	return metrics, nil
}

func judgeMetrics(n *notes, part string, metrics map[string]*dto.MetricFamily) {
	if oldest, found := sum(metrics["meridian_relay_oldest_seconds"]); found {
		n.fact(part, "oldest_unsent_event", oldest, "s")
		if oldest > oldEvent.Seconds() {
			n.find(Finding{part, ProblemUnsentEvents, fmt.Sprintf("the oldest in its outbox has waited %.0f s", oldest),
				"look at the region's broker, and for \"relay\" in the service's log"})
		}
	}
	if retried, found := sum(metrics["meridian_events_retried_total"]); found {
		n.fact(part, "events_retried", retried, "attempts since its start")
	}
	if refused, found := sum(metrics["meridian_events_refused_total"]); found && refused > 0 {
		n.find(Finding{part, ProblemNotEvents, fmt.Sprintf("%.0f since its start", refused),
			"find \"A record is not an event\" in its log, with the offsets"})
	}
	if held, found := sum(metrics["meridian_sql_connections_in_use"]); found {
		n.fact(part, "sql_connections_in_use", held, "connections")
	}
}

// sum adds a family's samples up; false when the service has no such metric.
func sum(family *dto.MetricFamily) (total float64, found bool) {
	for _, sample := range family.GetMetric() {
		total += sample.GetGauge().GetValue() + sample.GetCounter().GetValue()
		found = true
	}
	return total, found
}

// view asks a gateway which of the regions that are up it holds for healthy.
func view(ctx context.Context, n *notes, shop status.Shop, region, gateway string) error {
	body, err := get(ctx, gateway+"/api/v1/regions")
	if err != nil {
		return err
	}
	defer body.Close()
	var seen struct {
		Items []struct {
			Name    string   `json:"name"`
			Healthy bool     `json:"healthy"`
			RTTMS   *float64 `json:"rtt_ms"`
		} `json:"items"`
	}
	if err := json.NewDecoder(io.LimitReader(body, maxAnswer)).Decode(&seen); err != nil {
		return fmt.Errorf("read how %s sees the regions: %w", region, err)
	}
	for _, other := range seen.Items {
		part := region + "/gateway"
		if other.RTTMS != nil {
			n.fact(part, "round trip to "+other.Name, *other.RTTMS, "ms")
		}
		if !other.Healthy && gatewayReady(shop, other.Name) {
			n.find(Finding{part, "it holds " + other.Name + " for unhealthy", "GET " + gateway + "/api/v1/regions", "meridian link list shows whether the way there is cut"})
		}
	}
	return nil
}

func get(ctx context.Context, url string) (io.ReadCloser, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	response, err := httpclient.Default.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		_ = response.Body.Close() // the status is the error
		return nil, fmt.Errorf("%s answers %d", url, response.StatusCode)
	}
	return response.Body, nil
}
