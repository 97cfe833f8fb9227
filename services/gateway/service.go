package gateway

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/rueidis"

	"github.com/meridian-store/meridian/services/contract"
	"github.com/meridian-store/meridian/services/kit"
	"github.com/meridian-store/meridian/services/kit/auth"
	"github.com/meridian-store/meridian/services/kit/events"
)

// Service is the gateway of one region.
type Service struct {
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
}

// Definition is the gateway with the route table that it ships with.
func Definition() kit.Definition { return definition(ShippedTable, nil) }

// definition uses no engine by the kit's measure: the gateway opens Redis and the broker itself, because it must come up and sell without.
// ask, when not nil, stands in for Consul's word on other regions.
func definition(read func() (Table, error), ask askRegion) kit.Definition {
	start := func(_ context.Context, base *kit.Base) error {
		table, err := read()
		if err != nil {
			return err
		}
		return setup(base, table, ask)
	}
	return kit.Definition{Name: contract.ServiceGateway, RedisKeys: limiterKeys(), Setup: start}
}

func setup(base *kit.Base, table Table, ask askRegion) error {
	matcher, err := newMatcher(table)
	if err != nil {
		return fmt.Errorf("build the route table: %w", err)
	}
	metrics := newMetrics(base.Registry)
	regions := newRegionHealth(base)
	if ask != nil {
		regions.ask = ask
	}
	homes, err := newHomes(base, regions.healthy, metrics.forwards)
	if err != nil {
		return err
	}
	answers, err := newAnswers(base.Now, metrics.answers)
	if err != nil {
		return err
	}
	instances := newInstances(base.Discovery, base.Now)
	service := &Service{
		matcher:  matcher,
		verifier: base.Verifier,
		callers:  callers{edgeSecret: base.Env.EdgeSecret, internalSecret: base.Env.InternalSecret, keySecret: []byte(base.Env.InternalSecret)},
		limiter: &limiter{
			option:    redisOption(base),
			keyPrefix: base.Env.Namespace + limitPrefix, log: base.Log, now: base.Now, failures: metrics.limiterFailures,
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
	base.Loop("rejoin", rejoining.follow)
	base.Loop("prune connections", instances.prune)
	base.Loop("close links", homes.closeAtEnd)
	base.Loop("watch regions", service.regions.watch)
	base.Loop("keep failover", func(ctx context.Context) error {
		base.Discovery.KeepFailover(ctx, regions.others())
		return nil
	})
	base.Loop("probe links", service.regions.links.watch)
	base.Loop("merge documents", kit.Every(mergeEvery, service.document.renew))
	base.Loop("close answers", answers.close)
	if len(base.Env.Brokers) > 0 {
		base.Follow(events.Tail{Begin: answers.begin, Handle: answers.heard, Until: answers.believe}, contract.TopicProducts)
	}
	if base.Env.RedisAddress != "" {
		base.Loop("connect to redis", service.limiter.connect)
	}
	service.routes(base)
	return nil
}

func redisOption(base *kit.Base) rueidis.ClientOption {
	return rueidis.ClientOption{
		InitAddress: []string{base.Env.RedisAddress}, Password: base.Env.RedisPassword, ClientName: base.Name,
		ConnWriteTimeout: 2 * time.Second, DisableCache: true,
	}
}
