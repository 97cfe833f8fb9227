package kit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/redis/rueidis"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/auth"
	"github.com/meridian-store/meridian/kit/discovery"
	"github.com/meridian-store/meridian/kit/events"
	"github.com/meridian-store/meridian/kit/httpx"
	"github.com/meridian-store/meridian/kit/retry"
	"github.com/meridian-store/meridian/kit/sqldb"
	"github.com/meridian-store/meridian/kit/telemetry"
)

const (
	// engineWait is how long a service waits at its start for engines that are still coming up.
	engineWait = 30 * time.Second
	// Pauses between attempts to reach an engine.
	engineFirstPause = 25 * time.Millisecond
	engineLastPause  = 250 * time.Millisecond
)

// DefaultDrain bounds the wait for requests under way at the stop of a service that names no other.
const DefaultDrain = 10 * time.Second

// Options say where a service runs.
type Options struct {
	Region  contract.Region
	Regions []contract.Region
	Env     Environment
	// LookupEnv is where the service's own configuration comes from.
	LookupEnv Lookup
	// LogTo receives JSON lines; Now is the clock, time.Now when nil.
	LogTo io.Writer
	Now   func() time.Time
}

// Running is a started service.
type Running struct {
	Name string
	// Address is the host:port it listens on.
	Address string

	base     *Base
	instance discovery.Instance
	draining *atomic.Bool
	drain    time.Duration
	ownLoops []Loop
	stops    []func()
	once     sync.Once
	stopErr  error
	served   chan error
}

// Start brings a service up and returns when it listens, has been set up, and is announced in Consul.
func Start(ctx context.Context, definition Definition, options Options) (*Running, error) {
	if err := options.Env.validate(definition); err != nil {
		return nil, err
	}
	options.Env = options.Env.only(definition)
	running := &Running{Name: definition.Name, draining: &atomic.Bool{}, drain: cmp.Or(definition.Drain, DefaultDrain), served: make(chan error, 1)}
	if err := running.start(ctx, definition, options); err != nil {
		running.release()
		return nil, fmt.Errorf("start %s: %w", definition.Name, err)
	}
	return running, nil
}

func (r *Running) start(ctx context.Context, definition Definition, options Options) error {
	base, err := r.newBase(definition, options)
	if err != nil {
		return err
	}
	r.base = base
	if err := r.openEngines(ctx, definition, base); err != nil {
		return err
	}
	service, err := r.declare(ctx, definition, base, options.LookupEnv)
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", fmt.Sprintf("%s:%d", options.Env.ListenHost, options.Env.Port))
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	r.Address = listener.Addr().String()
	go func() { r.served <- base.App.Listener(listener) }()
	r.instance = discovery.Instance{
		Service: definition.Name, Host: options.Env.ListenHost, Port: listener.Addr().(*net.TCPAddr).Port,
	}
	loops := append(r.ownLoops, service.Loops()...)
	loops = append(loops, Loop{Name: "register in Consul", Run: func(ctx context.Context) error {
		base.Discovery.KeepRegistered(ctx, r.instance)
		return nil
	}})
	for _, loop := range loops {
		r.stops = append(r.stops, StartLoop(loop, base.Log).Stop)
	}
	base.Log.InfoContext(ctx, "The service is up.", "address", r.Address)
	return nil
}

// declare makes the service and all that it serves. It starts nothing.
func (r *Running) declare(ctx context.Context, definition Definition, base *Base, lookup Lookup) (Service, error) {
	service, err := definition.New(ctx, base, lookup)
	if err != nil {
		return nil, err
	}
	service.Routes(base.API)
	serveHealth(base, r.draining)
	return service, nil
}

func (r *Running) newBase(definition Definition, options Options) (*Base, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(options.Env.LogLevel)); err != nil {
		return nil, fmt.Errorf("MERIDIAN_LOG_LEVEL: %w", err)
	}
	now := options.Now
	if now == nil {
		now = time.Now
	}
	var clock *skewed
	if options.Env.ClockOffsetFile != "" {
		log := telemetry.NewLogger(options.LogTo, level, options.Region.Name, definition.Name)
		clock = &skewed{now: now, path: options.Env.ClockOffsetFile, log: log}
		now = clock.Now
	}
	verifier, err := auth.NewVerifier([]byte(options.Env.JWKS), now)
	if err != nil {
		return nil, err
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector())
	base := &Base{
		Name: definition.Name, Region: options.Region, Regions: options.Regions, Env: options.Env,
		Log:    telemetry.NewLogger(options.LogTo, level, options.Region.Name, definition.Name),
		Tracer: telemetry.NewTracer(definition.Name), Registry: registry, Now: now, Verifier: verifier,
		consumerMetrics: events.NewMetrics(registry),
	}
	if clock != nil {
		r.ownLoops = append(r.ownLoops, Loop{Name: "follow the clock offset", Run: Every(readOffsetEvery, clock.follow)})
	}
	base.App = httpx.NewApp(httpx.ServerConfig{
		Service: definition.Name, Region: options.Region.Name, InternalSecret: options.Env.InternalSecret,
		Log: base.Log, Tracer: base.Tracer, Registry: registry, Profiling: options.Env.Profiling,
	})
	base.API = httpx.NewAPI(base.App, "Meridian "+definition.Name, "1.0.0", verifier, base.Log)
	if base.Discovery, err = discovery.New(options.Env.ConsulAddress, options.Env.Namespace, base.Log); err != nil {
		return nil, err
	}
	r.stops = append(r.stops, base.Discovery.Close)
	base.Client = httpx.NewClient(base.Discovery, options.Env.InternalSecret)
	r.stops = append(r.stops, base.Client.Close)
	return base, nil
}

// openEngines opens what the definition uses and waits for it, so that services and engines may start in any order.
func (r *Running) openEngines(ctx context.Context, definition Definition, base *Base) error {
	if definition.Schema != nil {
		db, err := sqldb.Open(ctx, base.Env.SQLURL.Current(), base.Registry)
		if err != nil {
			return err
		}
		base.DB = db
		r.stops = append(r.stops, db.Close)
		base.Ready("sql", db.Ping)
		if err := waitFor(ctx, db.Ping); err != nil {
			return err
		}
		if err := db.CheckCurrent(ctx, definition.Schema.Migrations); err != nil {
			return err
		}
	}
	if definition.Redis == Required {
		if err := waitFor(ctx, func(context.Context) error { return r.openRedis(base) }); err != nil {
			return fmt.Errorf("redis at %s: %w", base.Env.RedisAddress, err)
		}
		base.Ready("redis", func(ctx context.Context) error { return base.Redis.Do(ctx, base.Redis.B().Ping().Build()).Error() })
	}
	if definition.Broker == Required {
		ensure := func(ctx context.Context) error { return events.EnsureTopics(ctx, base.Env.Brokers) }
		if err := waitFor(ctx, ensure); err != nil {
			return fmt.Errorf("broker: %w", err)
		}
	}
	return nil
}

func (r *Running) openRedis(base *Base) error {
	client, err := rueidis.NewClient(base.RedisOption())
	if err != nil {
		return err
	}
	base.Redis = client
	r.stops = append(r.stops, client.Close)
	return nil
}

// waitFor calls test until it succeeds or engineWait is over.
func waitFor(ctx context.Context, test func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, engineWait)
	defer cancel()
	var last error
	err := retry.Until(ctx, engineFirstPause, engineLastPause, func(ctx context.Context) error {
		last = test(ctx)
		return last
	}, nil)
	if err == nil {
		return nil
	}
	return errors.Join(last, err)
}

// Served gives the error with which the server ended, if it ever does before Stop.
func (r *Running) Served() <-chan error { return r.served }

// Stop withdraws the service from Consul, lets requests under way finish, and ends its loops. Stopping twice is fine.
func (r *Running) Stop(ctx context.Context) error {
	r.once.Do(func() {
		r.draining.Store(true)
		if err := r.base.Discovery.Deregister(ctx, r.instance); err != nil {
			r.base.Log.WarnContext(ctx, "Consul could not be told that this service stops; its check will fail instead.", "error", err.Error())
		}
		if err := r.base.App.ShutdownWithTimeout(r.drain); err != nil {
			r.stopErr = fmt.Errorf("drain %s: %w", r.Name, err)
		}
		r.release()
		r.base.Log.InfoContext(ctx, "The service is down.")
	})
	return r.stopErr
}

func (r *Running) release() {
	for _, stop := range slices.Backward(r.stops) {
		stop()
	}
	r.stops = nil
}
