// Package kittest starts one service alone, against real engines, for its tests: its own database, its own names in Redis and
// Consul, its own broker, and neighbours that the test plays itself.
package kittest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"maps"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/kit"
	"github.com/meridian-store/meridian/kit/auth"
	"github.com/meridian-store/meridian/kit/discovery"
	"github.com/meridian-store/meridian/kit/secret"
	"github.com/meridian-store/meridian/kit/sqldb"
	"github.com/meridian-store/meridian/local/engine/enginetest"
	"github.com/meridian-store/meridian/regions"
)

// Main runs a package's tests and then stops the engines that they started.
func Main(m *testing.M) { enginetest.Main(m) }

// Service is a service under test.
type Service struct {
	Name string
	// URL is where it listens, such as http://127.0.0.1:41234.
	URL string
	// DB is its database as its own role sees it; nil when it has none.
	DB      *sqldb.DB
	Brokers []string
	Region  contract.Region
	Regions []contract.Region
	Env     kit.Environment
	// Settings are the variables that the service's own Config reads.
	Settings map[string]string

	definition kit.Definition
	options    options
	signer     *auth.Signer
	running    *kit.Running
}

type options struct {
	now    func() time.Time
	region string
	// broker, redis and search start engines that the definition does not require.
	broker, redis, search bool
	settings              map[string]string
}

// Option changes how a service is started.
type Option func(*options)

// WithNow gives the service a clock.
func WithNow(now func() time.Time) Option { return func(o *options) { o.now = now } }

// WithRegion puts the service in another region than us-east.
func WithRegion(name string) Option { return func(o *options) { o.region = name } }

// WithBroker gives a broker to a service that does not require one.
func WithBroker() Option { return func(o *options) { o.broker = true } }

// WithRedis gives Redis to a service that does not require it.
func WithRedis() Option { return func(o *options) { o.redis = true } }

// WithSearch gives the service a search engine.
func WithSearch() Option { return func(o *options) { o.search = true } }

// WithSettings sets variables that the service's own Config reads.
func WithSettings(settings map[string]string) Option {
	return func(o *options) { o.settings = settings }
}

// Start brings the service up and stops it with the test.
func Start(t testing.TB, definition kit.Definition, opts ...Option) *Service {
	t.Helper()
	s := &Service{Name: definition.Name, definition: definition, options: options{region: "us-east"}}
	for _, option := range opts {
		option(&s.options)
	}
	s.findRegion(t)
	s.makeEnvironment(t)
	s.Restart(t)
	t.Cleanup(func() { s.Stop(t) })
	return s
}

// Restart stops the service if it runs and starts it again on the same engines.
func (s *Service) Restart(t testing.TB) {
	t.Helper()
	s.Stop(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	running, err := kit.Start(ctx, s.definition, kit.Options{
		Region: s.Region, Regions: s.Regions, Env: s.Env, LookupEnv: s.lookup, LogTo: testLog{t}, Now: s.options.now,
	})
	if err != nil {
		t.Fatalf("start %s: %v", s.Name, err)
	}
	s.running, s.URL = running, "http://"+running.Address
}

// Stop drains the service; stopping twice is fine.
func (s *Service) Stop(t testing.TB) {
	t.Helper()
	if s.running == nil {
		return
	}
	if err := s.running.Stop(context.WithoutCancel(t.Context())); err != nil {
		t.Errorf("stop %s: %v", s.Name, err)
	}
	s.running = nil
}

func (s *Service) findRegion(t testing.TB) {
	t.Helper()
	all, err := regions.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	s.Regions = regions.ForServices(all)
	for _, region := range s.Regions {
		if region.Name == s.options.region {
			s.Region = region
			return
		}
	}
	t.Fatalf("there is no region %s", s.options.region)
}

func (s *Service) makeEnvironment(t testing.TB) {
	t.Helper()
	seed := make([]byte, 32)
	rand.Read(seed)
	signer, err := auth.NewSigner(s.Region.Name, seed)
	if err != nil {
		t.Fatal(err)
	}
	s.signer = signer
	jwks, err := json.Marshal(auth.KeySet{Keys: []auth.Key{signer.PublicKey()}})
	if err != nil {
		t.Fatal(err)
	}
	s.Env = kit.Environment{
		ListenHost: "127.0.0.1", ConsulAddress: enginetest.Consul(t), JWKS: string(jwks), LogLevel: "info",
		InternalSecret: secret.New(hex.EncodeToString(seed[:16])),
		Namespace:      strings.ToLower(geo.NewID("test", "use")[9:]) + "-",
	}
	s.Settings = map[string]string{
		"MERIDIAN_EDGE_SECRET":   hex.EncodeToString(seed[16:]),
		"MERIDIAN_SIGNING_SEED":  hex.EncodeToString(seed),
		"MERIDIAN_DIRECTORY_KEY": hex.EncodeToString(seed),
		"MERIDIAN_CUSTOMER_KEY":  hex.EncodeToString(seed),
	}
	maps.Copy(s.Settings, s.options.settings)
	if s.definition.Schema != nil {
		s.makeDatabase(t)
	}
	if s.options.search {
		s.Settings["MERIDIAN_TYPESENSE_URL"], s.Settings["MERIDIAN_TYPESENSE_KEY"] = enginetest.Search(t)
	}
	if s.definition.Redis == kit.Required || s.options.redis {
		address, password := enginetest.Redis(t)
		s.Env.RedisAddress, s.Env.RedisPassword = address, secret.New(password)
	}
	if s.definition.Broker == kit.Required || s.options.broker {
		s.Brokers = enginetest.Broker(t)
		s.Env.Brokers = s.Brokers
	}
}

// lookup is the environment from which the service reads its own configuration.
func (s *Service) lookup(name string) (string, bool) {
	value, found := s.Settings[name]
	return value, found
}

// makeDatabase migrates as the owner and hands the service a role that may only read and write rows, as in production.
func (s *Service) makeDatabase(t testing.TB) {
	t.Helper()
	admin := enginetest.Postgres(t).SuperuserURL()
	name := "test_" + strings.ToLower(geo.NewID("test", "use")[9:])
	password := s.Env.InternalSecret.Current()
	if err := sqldb.Provision(t.Context(), admin, name, name, password); err != nil {
		t.Fatal(err)
	}
	owner, err := url.Parse(admin)
	if err != nil {
		t.Fatal(err)
	}
	owner.Path = "/" + name
	var names []string
	for _, region := range s.Regions {
		names = append(names, region.Name)
	}
	if err := sqldb.Migrate(t.Context(), owner.String(), *s.definition.Schema, name, names); err != nil {
		t.Fatal(err)
	}
	owner.User = url.UserPassword(name, password)
	s.Env.SQLURL = secret.New(owner.String())
	db, err := sqldb.Open(t.Context(), s.Env.SQLURL.Current(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	s.DB = db
}

// Token gives an Authorization header value with a role.
func (s *Service) Token(t testing.TB, role string) string {
	t.Helper()
	return s.TokenOf(t, "tester", role)
}

// TokenOf gives an Authorization header value of somebody with a role.
func (s *Service) TokenOf(t testing.TB, subject, role string) string {
	t.Helper()
	now := time.Now
	if s.options.now != nil {
		now = s.options.now
	}
	token, err := s.signer.Mint(subject, role, now(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return "Bearer " + token
}

// Internal gives the headers of a call between services.
func (s *Service) Internal() map[string]string {
	return map[string]string{contract.HeaderInternal: s.Env.InternalSecret.Current()}
}

// discover gives a client of the test's Consul names.
func (s *Service) discover(t testing.TB) *discovery.Consul {
	t.Helper()
	consul, err := discovery.New(s.Env.ConsulAddress, s.Env.Namespace, testLogger(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(consul.Close)
	return consul
}
