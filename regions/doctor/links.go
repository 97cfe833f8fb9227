package doctor

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/httpclient"
	"github.com/meridian-store/meridian/regions/status"
)

const (
	// linkProbes is how often a link is measured: the median of five bears two that a busy machine held up.
	linkProbes = 5
	// linkPatience is how long an answer over a link may take beside the delay that was set.
	linkPatience = 700 * time.Millisecond
)

// links measures every link between two regions that are up. What is wrong with a gateway is not the link's fault, and found elsewhere.
func links(shop status.Shop) []examination {
	var asked []examination
	for _, entry := range shop.Links.Items {
		if entry.Plane == status.PlaneGateway && gatewayReady(shop, entry.From) && gatewayReady(shop, entry.To) {
			asked = append(asked, measure(entry))
		}
	}
	return asked
}

func gatewayReady(shop status.Shop, region string) bool {
	for _, r := range shop.Regions {
		for _, service := range r.Services {
			if r.Name == region && service.Name == contract.ServiceGateway {
				return service.Ready
			}
		}
	}
	return false
}

func measure(entry status.Link) examination {
	part, heal := "link "+entry.From+"→"+entry.To, "meridian link heal "+entry.From+" "+entry.To
	return examination{part: part, remedy: heal, ask: func(ctx context.Context, n *notes) error {
		n.fact(part, "round_trip_by_distance", float64(entry.ModelMS), "ms")
		n.fact(part, "round_trip_set", float64(entry.Now.RoundTripMS), "ms")
		taken, err := probe(ctx, entry)
		switch {
		case len(taken) == 0 && entry.Now.Cut:
			problem := ProblemLinkCut + " from " + entry.From + " to " + entry.To
			n.find(Finding{part, problem, fmt.Sprintf("an operator cut it; %v", err), heal})
			return nil
		case len(taken) == 0:
			n.find(Finding{part, ProblemLinkSilent + " from " + entry.From + " to " + entry.To, err.Error(), heal})
			return nil
		case entry.Now.Cut:
			n.find(Finding{part, ProblemLinkLeaks, fmt.Sprintf("an answer took %s", median(taken)), heal})
			return nil
		}
		trip := median(taken)
		n.fact(part, "round_trip", float64(trip.Microseconds())/1000, "ms")
		explained := time.Duration(entry.ModelMS) * time.Millisecond
		if trip > slowLinkFactor*explained+slowLinkSlack {
			evidence := fmt.Sprintf("a round trip takes %s; the distance explains %s, and %d ms were set", trip.Round(time.Millisecond), explained, entry.Now.RoundTripMS)
			n.find(Finding{part, ProblemLinkSlow, evidence, heal})
		}
		return nil
	}}
}

// probe asks over a link again and again on one connection. It gives what answers took until one failed.
func probe(ctx context.Context, entry status.Link) (taken []time.Duration, err error) {
	patience := 2*time.Duration(max(entry.Now.RoundTripMS, entry.ModelMS))*time.Millisecond + linkPatience
	client := httpclient.New(httpclient.Options{Timeout: patience, MaxConnsPerHost: 1})
	defer client.CloseIdleConnections()
	for range linkProbes {
		begun := time.Now()
		if err := ask(ctx, client, "http://"+entry.Listen+"/health"); err != nil {
			return taken, fmt.Errorf("no answer within %s: %w", time.Since(begun).Round(time.Millisecond), err)
		}
		taken = append(taken, time.Since(begun))
	}
	return taken, nil
}

func ask(ctx context.Context, client *http.Client, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, io.LimitReader(response.Body, maxAnswer))
	return err
}

func median(taken []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(taken))
	return sorted[len(sorted)/2]
}
