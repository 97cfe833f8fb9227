package purge

import (
	"context"
	"fmt"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/edge/cloudflare"
	"github.com/meridian-store/meridian/kit"
)

// Definition is the purger of a region.
func Definition() kit.Definition {
	return kit.Definition{Name: contract.ServicePurge, UsesBroker: true, Setup: setup}
}

func setup(_ context.Context, base *kit.Base) error {
	env := base.Env
	plan, err := cloudflare.ParsePlan(env.CloudflarePlan)
	if err != nil {
		return fmt.Errorf("MERIDIAN_CLOUDFLARE_PLAN: %w", err)
	}
	// Every region purges, at the rate of one account.
	edge, err := cloudflare.NewPurger(cloudflare.Access{URL: env.CloudflareURL, Token: env.CloudflareToken, Zone: env.CloudflareZone}, plan,
		len(base.Regions), cloudflare.NewPurgeMetrics(base.Registry))
	if err != nil {
		return fmt.Errorf("MERIDIAN_CLOUDFLARE_TOKEN and MERIDIAN_CLOUDFLARE_ZONE say where to purge: %w", err)
	}
	m := newMetrics(base.Registry)
	base.Discovery.Instances(contract.ServiceGateway) // begins to watch
	p := &purger{
		edge: edge, now: base.Now, log: base.Log, metrics: m, second: newSecond(),
		caches: &gateways{
			instances: func() []string { return base.Discovery.Instances(contract.ServiceGateway) },
			client:    base.Client, log: base.Log, metrics: m,
		},
	}
	base.Loop("purge again", p.repeat)
	searches := newSearches(edge, base.Log, base.Registry)
	searches.routes(base.API)
	base.Loop("purge searches", searches.run)
	base.ConsumeFromNow(p.apply, p.everything, contract.TopicProducts)
	return nil
}
