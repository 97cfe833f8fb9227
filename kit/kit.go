// Package kit is what every service stands on: configuration, lifecycle, HTTP, SQL, discovery and telemetry, the same for all.
//
// A service is described by a Definition. Start makes its Base, calls its Constructor, declares its Routes, listens, starts its
// Loops and registers it in the region's Consul. Stop deregisters it, lets requests in flight finish, and ends its loops in
// reverse order.
package kit

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/rueidis"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/kit/auth"
	"github.com/meridian-store/meridian/kit/discovery"
	"github.com/meridian-store/meridian/kit/events"
	"github.com/meridian-store/meridian/kit/httpx"
	"github.com/meridian-store/meridian/kit/retry"
	"github.com/meridian-store/meridian/kit/sqldb"
	"github.com/meridian-store/meridian/kit/telemetry"
)

// Need says how much a service depends on an engine.
type Need int

const (
	// None means that the service does not use the engine and is not told its address.
	None Need = iota
	// Optional means that the service starts, is ready and works without the engine. It is told the address where there is one,
	// and connects by itself.
	Optional
	// Required means that Start waits for the engine. Without SQL or Redis the service is not ready; without the broker it stays
	// ready, because events wait in the outbox and in the broker's log.
	Required
)

// Definition describes a service to the programs that run it.
type Definition struct {
	// Name is its name in Consul, in the route table and on the command line.
	Name string
	// Schema is its own SQL database, which it requires; nil when it keeps nothing in SQL.
	Schema *sqldb.Schema
	// Redis and Broker declare its needs of those engines.
	Redis, Broker Need
	// RedisKeys are the patterns of its Redis keys without the namespace; <…> stands for a variable part. Operators
	// read them, and two versions of the service share the keys while one replaces the other.
	RedisKeys []string
	// Drain is how long a request may take to end once the service stops; DefaultDrain when 0.
	Drain time.Duration
	// New makes the service.
	New Constructor
}

// With returns the definition with another constructor.
func (d Definition) With(constructor Constructor) Definition {
	d.New = constructor
	return d
}

// Service is one running copy of a service.
type Service interface {
	// Routes declares its HTTP operations.
	Routes(api *httpx.API)
	// Loops returns its background work, in the order in which it starts; it stops in reverse order.
	Loops() []Loop
}

const (
	// redisWriteTimeout bounds one write to Redis.
	redisWriteTimeout = 2 * time.Second
	// Pauses between attempts to reach an optional Redis.
	redisFirstPause = 100 * time.Millisecond
	redisLastPause  = time.Second
)

// Base is what a service is made from. DB and Redis are nil unless the Definition requires them.
type Base struct {
	Name    string
	Region  contract.Region
	Regions []contract.Region
	Env     Environment

	Log      *slog.Logger
	Tracer   *telemetry.Tracer
	Registry *prometheus.Registry
	Now      func() time.Time

	App       *fiber.App
	API       *httpx.API
	Client    *httpx.Client
	Discovery *discovery.Consul
	Verifier  *auth.Verifier

	DB    *sqldb.DB
	Redis rueidis.Client

	consumerMetrics *events.Metrics
	checks          []Check
}

// Check is one condition of readiness.
type Check struct {
	Name string
	Test func(ctx context.Context) error
}

// Ready adds a condition without which /ready answers 503.
func (b *Base) Ready(name string, test func(ctx context.Context) error) {
	b.checks = append(b.checks, Check{Name: name, Test: test})
}

// Consume returns the loop that applies the events of some topics as the consumer group of this service.
func (b *Base) Consume(handle events.Handler, topics ...string) Loop {
	consumer := b.consumer(topics)
	consumer.Handle = handle
	return consumerLoop(consumer)
}

// ConsumeBatches does as Consume does, but hands over many events at once, for work that costs as much for one as for a thousand.
// The returned consumer can also be asked to catch up.
func (b *Base) ConsumeBatches(handle events.BatchHandler, topics ...string) (Loop, *events.Consumer) {
	consumer := b.consumer(topics)
	consumer.HandleBatch = handle
	return consumerLoop(consumer), consumer
}

// ConsumeFromNow does as ConsumeBatches does, but at the service's first start it calls instead in place of applying all events
// until then.
func (b *Base) ConsumeFromNow(handle events.BatchHandler, instead func(context.Context) error, topics ...string) Loop {
	consumer := b.consumer(topics)
	consumer.HandleBatch, consumer.Instead = handle, instead
	return consumerLoop(consumer)
}

// Follow returns the loop that hands this instance the events that come to some topics from now on. The tail has no brokers, topics
// and log yet.
func (b *Base) Follow(tail events.Tail, topics ...string) Loop {
	tail.Brokers, tail.Topics, tail.Log = b.Env.Brokers, topics, b.Log
	return Loop{Name: "follow events", Run: tail.Run}
}

func consumerLoop(consumer *events.Consumer) Loop {
	return Loop{Name: "consume events", Run: consumer.Run}
}

func (b *Base) consumer(topics []string) *events.Consumer {
	return &events.Consumer{
		Brokers: b.Env.Brokers, Group: b.Name, Topics: topics, Log: b.Log, Tracer: b.Tracer, Metrics: b.consumerMetrics,
	}
}

// RedisOption returns the settings of a client of the region's Redis.
func (b *Base) RedisOption() rueidis.ClientOption {
	return rueidis.ClientOption{
		InitAddress: []string{b.Env.RedisAddress}, Password: b.Env.RedisPassword.Current(), ClientName: b.Name,
		ConnWriteTimeout: redisWriteTimeout, DisableCache: true,
	}
}

// LeaseHolder names this process in leases. A process on a fixed port takes its own leases over when it comes back, because no
// other process can hold that port meanwhile.
func (b *Base) LeaseHolder() string {
	if b.Env.Port == 0 {
		return geo.NewID("rly", b.Region.Code)
	}
	return fmt.Sprintf("%s/%s@%s:%d", b.Region.Name, b.Name, b.Env.ListenHost, b.Env.Port)
}

// AwaitRedis connects to an optional Redis, which may come up at any time, and calls notify before each further attempt. The error is
// the cause of ctx's end.
func AwaitRedis(ctx context.Context, option rueidis.ClientOption, notify func(error)) (client rueidis.Client, err error) {
	err = retry.Until(ctx, redisFirstPause, redisLastPause, func(context.Context) (err error) {
		client, err = rueidis.NewClient(option)
		return err
	}, func(err error, _ time.Duration) { notify(err) })
	return client, err
}
