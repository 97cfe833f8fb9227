package purge

import (
	"errors"
	"fmt"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/edge/cloudflare"
	"github.com/meridian-store/meridian/kit"
	"github.com/meridian-store/meridian/kit/httpx"
	"github.com/meridian-store/meridian/kit/secret"
)

// Definition describes the purger of a region.
func Definition() kit.Definition {
	return kit.Definition{Name: contract.ServicePurge, Broker: kit.Required, New: kit.Configured(New)}
}

// Config is where the edge's API is, and a token that may purge there. It is given to the process that runs purge and to no other.
type Config struct {
	// URL is Cloudflare's own when empty; the edge on one machine serves the same API.
	URL   string        `env:"MERIDIAN_CLOUDFLARE_URL"`
	Token secret.Secret `env:"MERIDIAN_CLOUDFLARE_TOKEN"`
	Zone  string        `env:"MERIDIAN_CLOUDFLARE_ZONE"`
	// Plan is the zone's, which limits the rate of purges: free, pro, business or enterprise.
	Plan string `env:"MERIDIAN_CLOUDFLARE_PLAN, default=free"`
}

// Validate returns an error that names the variable at fault.
func (c Config) Validate() error {
	if _, err := cloudflare.ParsePlan(c.Plan); err != nil {
		return fmt.Errorf("MERIDIAN_CLOUDFLARE_PLAN: %w", err)
	}
	if !c.Token.IsSet() || c.Zone == "" {
		return errors.New("purge needs MERIDIAN_CLOUDFLARE_TOKEN and MERIDIAN_CLOUDFLARE_ZONE in its environment")
	}
	return nil
}

// Service purges gateways and the edge.
type Service struct {
	searches *searches
	loops    []kit.Loop
}

// New makes the purger of a region.
func New(base *kit.Base, config Config) (*Service, error) {
	plan, err := cloudflare.ParsePlan(config.Plan)
	if err != nil {
		return nil, err
	}
	// Every region purges, at the rate of one account.
	access := cloudflare.Access{URL: config.URL, Token: config.Token, Zone: config.Zone}
	edge, err := cloudflare.NewPurger(access, plan, len(base.Regions), cloudflare.NewPurgeMetrics(base.Registry))
	if err != nil {
		return nil, err
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
	s := &Service{searches: newSearches(edge, base.Log, base.Registry)}
	s.loops = []kit.Loop{
		{Name: "purge again", Run: p.repeat},
		{Name: "purge searches", Run: s.searches.run},
		base.ConsumeFromNow(p.apply, p.everything, contract.TopicProducts),
	}
	return s, nil
}

// Routes declares the service's HTTP operations.
func (s *Service) Routes(api *httpx.API) { s.searches.routes(api) }

// Loops returns the service's background work.
func (s *Service) Loops() []kit.Loop { return s.loops }
