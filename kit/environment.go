package kit

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/sethvargo/go-envconfig"
)

// Environment is where a service finds its engines and its secrets: the process environment, the same for a laptop's launcher
// and a cluster's deployment. It is never written to logs.
type Environment struct {
	ListenHost string `env:"MERIDIAN_LISTEN_HOST, default=127.0.0.1"`
	// Port is MERIDIAN_PORT_<SERVICE>; 0 takes a free one.
	Port int `env:"PORT, default=0"`
	// SQLURL is MERIDIAN_SQL_URL_<SERVICE>: the service's own database as its own role.
	SQLURL        string   `env:"SQL_URL"`
	RedisAddress  string   `env:"MERIDIAN_REDIS_ADDRESS"`
	RedisPassword string   `env:"MERIDIAN_REDIS_PASSWORD"`
	Brokers       []string `env:"MERIDIAN_BROKERS"`
	ConsulAddress string   `env:"MERIDIAN_CONSUL_ADDRESS"`
	// TypesenseURL and TypesenseKey are where the region's search engine is and its administrator's key; given to the process that
	// runs search and to no other.
	TypesenseURL string `env:"MERIDIAN_TYPESENSE_URL"`
	TypesenseKey string `env:"MERIDIAN_TYPESENSE_KEY"`
	// Peers are where the links to the other regions' gateways begin: region=url, comma-separated. A region without one is judged by
	// Consul alone.
	Peers map[string]string `env:"MERIDIAN_PEERS, separator=="`
	// PeerBrokers are the other regions' brokers, for the mirror: region=host:port|host:port, comma-separated. PeerBrokerLinks are where
	// the links to them begin, when connections have to go through one.
	PeerBrokers     map[string]string `env:"MERIDIAN_PEER_BROKERS, separator=="`
	PeerBrokerLinks map[string]string `env:"MERIDIAN_PEER_BROKER_LINKS, separator=="`
	// JWKS holds the public keys of all regions.
	JWKS           string `env:"MERIDIAN_JWKS"`
	InternalSecret string `env:"MERIDIAN_INTERNAL_SECRET"`
	EdgeSecret     string `env:"MERIDIAN_EDGE_SECRET"`
	// SigningSeed and DirectoryKey, in hexadecimal, are given to the process that runs identity and to no other: the region's own
	// Ed25519 seed, whose public half is in JWKS, and the key of the login directory, the same in every region.
	SigningSeed  string `env:"MERIDIAN_SIGNING_SEED"`
	DirectoryKey string `env:"MERIDIAN_DIRECTORY_KEY"`
	// CustomerKey, in hexadecimal, is given to the process that runs order and to no other: the key of the names by which it counts
	// what customers have used, the same in every region.
	CustomerKey string `env:"MERIDIAN_CUSTOMER_KEY"`
	// Cloudflare is the edge's API, a token that may purge there, the zone and its plan, for the process that runs purge and no other. The
	// edge on this machine speaks the same.
	CloudflareURL   string `env:"MERIDIAN_CLOUDFLARE_URL"`
	CloudflareToken string `env:"MERIDIAN_CLOUDFLARE_TOKEN"`
	CloudflareZone  string `env:"MERIDIAN_CLOUDFLARE_ZONE"`
	CloudflarePlan  string `env:"MERIDIAN_CLOUDFLARE_PLAN, default=free"`
	// ClockOffsetFile holds a duration by which the services take their clock to be wrong; drills write it. Without the setting clocks
	// are the machine's.
	ClockOffsetFile string `env:"MERIDIAN_CLOCK_OFFSET_FILE"`
	LogLevel        string `env:"MERIDIAN_LOG_LEVEL, default=info"`
	// Profiling lets whoever knows the internal secret take CPU profiles of the process.
	Profiling bool `env:"MERIDIAN_PPROF, default=false"`
	// Namespace separates shops that share a Redis and a Consul, as parallel tests do: it leads every key and service name.
	Namespace string `env:"MERIDIAN_NAMESPACE"`
}

// LoadEnvironment reads the environment of one service; lookup is os.LookupEnv outside tests.
func LoadEnvironment(ctx context.Context, service string, lookup func(string) (string, bool)) (Environment, error) {
	var env Environment
	own := strings.ToUpper(service)
	named := map[string]string{"PORT": "MERIDIAN_PORT_" + own, "SQL_URL": "MERIDIAN_SQL_URL_" + own}
	err := envconfig.ProcessWith(ctx, &envconfig.Config{Target: &env, Lookuper: lookuper(func(name string) (string, bool) {
		if actual, ok := named[name]; ok {
			name = actual
		}
		return lookup(name)
	})})
	if err != nil {
		return Environment{}, fmt.Errorf("read the environment of %s: %w", service, err)
	}
	return env, nil
}

type lookuper func(string) (string, bool)

func (l lookuper) Lookup(name string) (string, bool) { return l(name) }

// validate names every setting that a definition needs and the environment lacks.
func (e Environment) validate(definition Definition) error {
	own := strings.ToUpper(definition.Name)
	needs := []struct {
		needed, given bool
		name          string
	}{
		{true, e.ConsulAddress != "", "MERIDIAN_CONSUL_ADDRESS"},
		{true, e.JWKS != "", "MERIDIAN_JWKS"},
		{true, e.InternalSecret != "", "MERIDIAN_INTERNAL_SECRET"},
		{definition.Schema != nil, e.SQLURL != "", "MERIDIAN_SQL_URL_" + own},
		{definition.UsesRedis, e.RedisAddress != "", "MERIDIAN_REDIS_ADDRESS"},
		{definition.UsesBroker, len(e.Brokers) > 0, "MERIDIAN_BROKERS"},
	}
	var missing []error
	for _, need := range needs {
		if need.needed && !need.given {
			missing = append(missing, fmt.Errorf("%s needs %s in its environment", definition.Name, need.name))
		}
	}
	return errors.Join(missing...)
}
