package launcher

import (
	"fmt"
	"slices"
)

// Internal gives where a service of a region of the running copy listens, and the secret that services show each other.
func Internal(home Home, state State, region, service string) (url, secret string, err error) {
	i := slices.Index(state.Regions, region)
	if i < 0 || !state.isStarted(region) {
		return "", "", fmt.Errorf("no region %q runs here: `meridian region list` shows them", region)
	}
	var s secrets
	if _, err := home.readJSON(secretsFile, &s); err != nil {
		return "", "", err
	}
	return "http://" + address(Ports{Base: state.BasePort}.Service(i, service)), s.Internal, nil
}
