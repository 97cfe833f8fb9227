package launcher

import (
	"fmt"
	"net/http"
	"os"
	"slices"

	"github.com/meridian-store/meridian/contract"
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

// Profiles are where CPU profiles of a running copy can be had; both take ?seconds=.
type Profiles struct {
	// Services is the process of a region's gateway: all of the region's services unless they were split. It wants Header.
	Services string
	Header   http.Header
	Edge     string
}

// ProfilesOf tells where the copy that runs from a home gives profiles, if it was started with MERIDIAN_PPROF=1.
func ProfilesOf(home Home, region string) (Profiles, error) {
	state, _, err := ReadState(home)
	if err != nil {
		return Profiles{}, err
	}
	i := slices.Index(state.Regions, region)
	if i < 0 {
		return Profiles{}, fmt.Errorf("the copy of %s has no region %q; it has %v", home.Dir(), region, state.Regions)
	}
	var s secrets
	if _, err := home.readJSON(secretsFile, &s); err != nil {
		return Profiles{}, err
	}
	return Profiles{
		Services: "http://" + address(Ports{Base: state.BasePort}.Gateway(i)) + httpx.ProfilePath, Header: http.Header{contract.HeaderInternal: {s.Internal}},
		Edge: "http://" + address(Ports{Base: state.BasePort}.EdgeAdmin()) + "/debug/pprof/profile",
	}, nil
}
