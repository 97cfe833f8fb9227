package gateway

import (
	"context"
	"fmt"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit"
	"github.com/meridian-store/meridian/kit/auth"
	"github.com/meridian-store/meridian/kit/events"
)

// Service is the gateway of one region.
type Service struct {
	app       *fiber.App
	matcher   *matcher
	callers   callers
	verifier  *auth.Verifier
	limiter   *limiter
	forwarder *forwarder
	answers   *answers
	homes     *homes
	regions   *regionHealth
	// refuses are the countries that the region does not serve.
	refuses  []string
	document *documents
	limited  *prometheus.CounterVec
	loops    []kit.Loop
}

// Definition describes the gateway. It starts, is ready and sells without Redis, in which it counts requests, and without the broker,
// whose events tell it which of its cached responses are out of date.
func Definition() kit.Definition {
	return kit.Definition{
		Name: contract.ServiceGateway, Redis: kit.Optional, Broker: kit.Optional, RedisKeys: limiterKeys(), New: kit.Configured(New),
	}
}

// New makes the gateway.
func New(base *kit.Base, config Config) (*Service, error) {
	table, err := config.routeTable()
	if err != nil {
		return nil, err
	}
	matcher, err := newMatcher(table)
	if err != nil {
		return nil, fmt.Errorf("build the route table: %w", err)
	}
	metrics := newMetrics(base.Registry)
	regions := newRegionHealth(base, config.Peers)
	if config.ask != nil {
		regions.ask = config.ask
	}
	homes, err := newHomes(base, config.Peers, regions.healthy, metrics.forwards)
	if err != nil {
		return nil, err
	}
	answers, err := newAnswers(base.Now, metrics.answers)
	if err != nil {
		return nil, err
	}
	instances := newInstances(base.Discovery, base.Now)
	s := &Service{
		app:      base.App,
		matcher:  matcher,
		verifier: base.Verifier,
		callers:  callers{edge: config.EdgeSecret, internal: base.Env.InternalSecret},
		limiter: &limiter{
			option: base.RedisOption(), keyPrefix: base.Env.Namespace + limitPrefix, log: base.Log, now: base.Now,
			failures: metrics.limiterFailures,
		},
		forwarder: &forwarder{instances: instances, region: base.Region.Name, duration: metrics.duration, retries: metrics.retries},
		answers:   answers,
		homes:     homes,
		regions:   regions,
		refuses:   base.Region.Refuses,
		document:  newDocuments(base, matcher, table.services()),
		limited:   metrics.limited,
	}
	// The watches start with the service, not with the first request that needs them.
	for _, name := range table.services() {
		base.Discovery.Instances(name)
	}
	base.Ready("neighbours", instances.ready(table.Needs))
	rejoining := newRejoining(base, table.Rejoins)
	base.Ready("rejoined", rejoining.ready)
	s.loops = append(s.ownLoops(base, instances), kit.Loop{Name: "rejoin", Run: rejoining.follow})
	return s, nil
}

// ownLoops returns the gateway's background work, as far as the engines that it was given allow.
func (s *Service) ownLoops(base *kit.Base, instances *instances) []kit.Loop {
	loops := []kit.Loop{
		{Name: "prune connections", Run: instances.prune},
		{Name: "close links", Run: s.homes.closeAtEnd},
		{Name: "watch regions", Run: s.regions.watch},
		{Name: "keep failover", Run: func(ctx context.Context) error {
			base.Discovery.KeepFailover(ctx, s.regions.others())
			return nil
		}},
		{Name: "probe links", Run: s.regions.links.watch},
		{Name: "merge documents", Run: kit.Every(mergeEvery, s.document.renew)},
		{Name: "close the response cache", Run: s.answers.close},
	}
	if len(base.Env.Brokers) > 0 {
		tail := events.Tail{Begin: s.answers.begin, Handle: s.answers.heard, Until: s.answers.believe}
		loops = append(loops, base.Follow(tail, contract.TopicProducts))
	}
	if base.Env.RedisAddress != "" {
		loops = append(loops, kit.Loop{Name: "connect to Redis", Run: s.limiter.connect})
	}
	return loops
}

// Loops returns the service's background work.
func (s *Service) Loops() []kit.Loop { return s.loops }
