package launcher

import (
	"fmt"
	"slices"

	"github.com/meridian-store/meridian/kit/httpx"
	"github.com/meridian-store/meridian/kit/secret"
)

// Internal returns a client of a region's service in the running copy, which sends the internal secret.
func Internal(home Home, state State, region, service string) (*httpx.Client, error) {
	i := slices.Index(state.Regions, region)
	if i < 0 || !state.isStarted(region) {
		return nil, fmt.Errorf("no region %q runs here: `meridian region list` shows them", region)
	}
	var s secrets
	if _, err := home.readJSON(secretsFile, &s); err != nil {
		return nil, err
	}
	return httpx.NewClientAt(address(Ports{Base: state.BasePort}.Service(i, service)), secret.New(s.Internal)), nil
}
