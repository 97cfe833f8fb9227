package launcher

import (
	"fmt"
	"slices"
)

// RedisOf gives a region's Redis of the copy that runs from a home, for programs that measure it or look into it.
func RedisOf(home Home, region string) (redisAddress, password string, err error) {
	state, _, err := ReadState(home)
	if err != nil {
		return "", "", err
	}
	i := slices.Index(state.Regions, region)
	if i < 0 {
		return "", "", fmt.Errorf("the copy of %s has no region %q; it has %v", home.Dir(), region, state.Regions)
	}
	var s secrets
	if _, err := home.readJSON(secretsFile, &s); err != nil {
		return "", "", err
	}
	return address(Ports{Base: state.BasePort}.Redis(i)), s.Redis[region], nil
}
