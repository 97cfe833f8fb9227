package launcher

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/meridian-store/meridian/kit/httpclient"
)

const (
	// steerWait is how long the edge may take to send shoppers to a region that is ready; its probes are a second apart, and it wants up to
	// twelve good ones of a region that came and went.
	steerWait = 30 * time.Second
	steerPoll = 50 * time.Millisecond
)

// awaitSteering returns when the edge sends shoppers to a region: only then has the region joined as far as a shopper can tell.
func (l *launcher) awaitSteering(ctx context.Context, region string) error {
	ctx, cancel := context.WithTimeout(ctx, steerWait)
	defer cancel()
	if err := l.awaitEdge(ctx, region, true); err != nil {
		return fmt.Errorf("%s is ready, but the edge does not see it after %s; its log is %s: %w", region, steerWait, l.Home.Log("", "edge"), err)
	}
	return nil
}

// awaitEdge returns when the edge sends shoppers to a region, or none any more.
func (l *launcher) awaitEdge(ctx context.Context, region string, wanted bool) error {
	ticker := time.NewTicker(steerPoll)
	defer ticker.Stop()
	for {
		up, err := l.steersTo(ctx, region)
		if err == nil && up == wanted {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-ticker.C:
		}
	}
}

// steersTo asks the edge what it thinks of a region.
func (l *launcher) steersTo(ctx context.Context, region string) (bool, error) {
	var answer struct {
		Origins []struct{ Region, Health string } `json:"origins"`
	}
	if err := (httpclient.Request{URL: l.url(l.ports.EdgeAdmin()) + "/health"}).Decode(ctx, &answer); err != nil {
		return false, fmt.Errorf("read the edge's health: %w", err)
	}
	for _, origin := range answer.Origins {
		if origin.Region == region {
			return origin.Health == "up", nil
		}
	}
	return false, nil
}
