package launcher

import (
	"context"
	"fmt"
	"slices"

	"github.com/meridian-store/meridian/regions"
	"github.com/meridian-store/meridian/regions/status"
)

// RegionHealth is one region as `meridian region show` prints it.
type RegionHealth struct {
	Name string `json:"name"`
	// Running says whether the copy's launcher lives, Started whether this region is one of those that it keeps up, and Ready
	// whether each of the region's services and engines answers.
	Running bool `json:"running"`
	Started bool `json:"started"`
	Ready   bool `json:"ready"`
	// Problems names each part that does not answer.
	Problems   []string `json:"problems,omitempty"`
	GatewayURL string   `json:"gateway_url,omitempty"`
	ConsulURL  string   `json:"consul_url,omitempty"`
	EdgeURL    string   `json:"edge_url,omitempty"`
}

// ExamineRegion asks every part of a region of the copy of a home how it is.
func ExamineRegion(ctx context.Context, home Home, all []regions.Region, name string) (RegionHealth, error) {
	health := RegionHealth{Name: name}
	state, found, err := ReadState(home)
	if err != nil || !found || !state.Running() {
		return health, err
	}
	health.Running, health.EdgeURL = true, state.EdgeURL
	shop, _, err := ReadStatus(ctx, home, all)
	if err != nil {
		return health, err
	}
	i := slices.IndexFunc(shop.Regions, func(r status.Region) bool { return r.Name == name })
	if i < 0 {
		return health, nil
	}
	region := shop.Regions[i]
	health.Started, health.Ready = true, region.Ready
	health.GatewayURL, health.ConsulURL = region.GatewayURL, region.ConsulURL
	for _, service := range region.Services {
		if !service.Ready {
			health.Problems = append(health.Problems, fmt.Sprintf("%s does not answer as ready at %s", service.Name, service.URL))
		}
	}
	for _, engine := range region.Engines {
		if !engine.Ready && engine.PID != 0 {
			health.Problems = append(health.Problems, fmt.Sprintf("%s does not answer as ready at %s", engine.Name, engine.Address))
		}
	}
	return health, nil
}
