// Package kit is what every service stands on: configuration, lifecycle, HTTP, SQL, discovery and telemetry, the same for all.
//
// A service is a Definition. Start gives it a Base, calls its Setup, listens, and announces it in the region's Consul; Stop
// withdraws it, lets requests under way finish, and ends its loops in reverse order.
package kit

import (
	"context"
	"log/slog"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/rueidis"

	"github.com/meridian-store/meridian/services/contract"
	"github.com/meridian-store/meridian/services/kit/auth"
	"github.com/meridian-store/meridian/services/kit/discovery"
	"github.com/meridian-store/meridian/services/kit/events"
	"github.com/meridian-store/meridian/services/kit/httpx"
	"github.com/meridian-store/meridian/services/kit/sqldb"
	"github.com/meridian-store/meridian/services/kit/telemetry"
)

// Definition is all that the cluster knows of a service.
type Definition struct {
	// Name is its name in Consul, in the route table and on the command line.
	Name string
	// Schema is its own database; nil when it keeps nothing in SQL.
	Schema *sqldb.Schema
	// UsesRedis and UsesBroker say which engines it waits for.
	UsesRedis, UsesBroker bool
	// RedisKeys are the patterns of its Redis keys without the namespace; <…> stands for a variable part. Operators
	// read them, and two versions of the service share the keys while one replaces the other.
	RedisKeys []string
	// RedisOptional says that it starts, is ready and works without Redis, only slower: it opens its own connection in its own time.
	RedisOptional bool
	// Drain is how long a request may take to end once the service stops; DefaultDrain when 0.
	Drain time.Duration
	// Setup declares the service's routes, loops and readiness on its base.
	Setup func(ctx context.Context, base *Base) error
}

// Base is what a service stands on. Fields for engines that its Definition does not use are nil.
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
	loops           []loop
	checks          []Check
}

// Check is one condition of readiness.
type Check struct {
	Name string
	Test func(ctx context.Context) error
}

// Loop runs until its context ends; one that returns earlier is logged and started again.
func (b *Base) Loop(name string, run func(ctx context.Context) error) {
	b.loops = append(b.loops, loop{name: name, run: run})
}

// Ready adds a condition without which /ready answers 503.
func (b *Base) Ready(name string, test func(ctx context.Context) error) {
	b.checks = append(b.checks, Check{Name: name, Test: test})
}

// Consume applies the events of some topics as the consumer group of this service.
func (b *Base) Consume(handle events.Handler, topics ...string) {
	consumer := b.consumer(topics)
	consumer.Handle = handle
	b.Loop("consume", consumer.Run)
}

// ConsumeBatches does as Consume does, handing over many events at once: for what costs as much for one as for a thousand. With the
// consumer that it gives the service may catch up at once.
func (b *Base) ConsumeBatches(handle events.BatchHandler, topics ...string) *events.Consumer {
	consumer := b.consumer(topics)
	consumer.HandleBatch = handle
	b.Loop("consume", consumer.Run)
	return consumer
}

// ConsumeFromNow does as ConsumeBatches does, but for a service that has never run: it does instead what stands in place of all events
// until now.
func (b *Base) ConsumeFromNow(handle events.BatchHandler, instead func(context.Context) error, topics ...string) {
	consumer := b.consumer(topics)
	consumer.HandleBatch, consumer.Instead = handle, instead
	b.Loop("consume", consumer.Run)
}

// Follow hands this instance the events that come to some topics from now on, as a Tail has it that has no brokers, topics and log yet.
func (b *Base) Follow(tail events.Tail, topics ...string) {
	tail.Brokers, tail.Topics, tail.Log = b.Env.Brokers, topics, b.Log
	b.Loop("follow", tail.Run)
}

func (b *Base) consumer(topics []string) *events.Consumer {
	return &events.Consumer{Brokers: b.Env.Brokers, Group: b.Name, Topics: topics, Log: b.Log, Tracer: b.Tracer, Metrics: b.consumerMetrics}
}
