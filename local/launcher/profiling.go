package launcher

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/httpclient"
	"github.com/meridian-store/meridian/kit/httpx"
)

// profilingSetting turns CPU profiles of services and edge on for whoever knows the internal secret, or reaches the edge's listener
// for operators.
const profilingSetting = "MERIDIAN_PPROF"

// profilingEnv hands the setting down to children.
func profilingEnv() []string {
	if value := os.Getenv(profilingSetting); value != "" {
		return []string{profilingSetting + "=" + value}
	}
	return nil
}

// Profiler fetches CPU profiles of a running copy. Close drops its connections.
type Profiler struct {
	services *httpx.Client
	edge     string
}

// ProfilerOf returns the profiler of a region in the copy that runs from a home. Profiles need that to be started with
// MERIDIAN_PPROF=1.
func ProfilerOf(home Home, region string) (*Profiler, error) {
	state, _, err := ReadState(home)
	if err != nil {
		return nil, err
	}
	services, err := Internal(home, state, region, contract.ServiceGateway)
	if err != nil {
		return nil, err
	}
	edge := "http://" + address(Ports{Base: state.BasePort}.EdgeAdmin()) + "/debug/pprof/profile"
	return &Profiler{services: services, edge: edge}, nil
}

// Close drops idle connections.
func (p *Profiler) Close() { p.services.Close() }

// Services profiles the process of the region's gateway for some seconds: all of the region's services unless they were
// split.
func (p *Profiler) Services(ctx context.Context, seconds int) (profile []byte, err error) {
	call := httpx.Call{
		Service: contract.ServiceGateway, Method: http.MethodGet,
		Path: httpx.ProfilePath + "?seconds=" + strconv.Itoa(seconds), Out: &profile, Timeout: profileTimeout(seconds),
	}
	if err := p.services.Do(ctx, call); err != nil {
		return nil, fmt.Errorf("profile the services (%s=1 enables profiles): %w", profilingSetting, err)
	}
	return profile, nil
}

// Edge profiles the edge for some seconds.
func (p *Profiler) Edge(ctx context.Context, seconds int) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, profileTimeout(seconds))
	defer cancel()
	response, err := httpclient.Request{URL: p.edge + "?seconds=" + strconv.Itoa(seconds)}.Send(ctx)
	if err == nil && response.Status != http.StatusOK {
		err = fmt.Errorf("status %d", response.Status)
	}
	if err != nil {
		return nil, fmt.Errorf("profile the edge (%s=1 enables profiles): %w", profilingSetting, err)
	}
	return response.Body, nil
}

func profileTimeout(seconds int) time.Duration { return time.Duration(seconds+10) * time.Second }
