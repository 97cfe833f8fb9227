package kit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/meridian-store/meridian/kit/secret"
)

// Environment tells a service where its engines are and who it is: what every service has, the same for a laptop's launcher and a
// cluster's deployment. What only one service needs is in that service's Config. It is never written to logs.
type Environment struct {
	ListenHost string `env:"MERIDIAN_LISTEN_HOST, default=127.0.0.1"`
	// Port is MERIDIAN_PORT_<SERVICE>; 0 takes a free one.
	Port int `env:"PORT, default=0"`
	// SQLURL is MERIDIAN_SQL_URL_<SERVICE>: the service's own database as its own role, with the role's password.
	SQLURL        secret.Secret `env:"SQL_URL"`
	RedisAddress  string        `env:"MERIDIAN_REDIS_ADDRESS"`
	RedisPassword secret.Secret `env:"MERIDIAN_REDIS_PASSWORD"`
	Brokers       []string      `env:"MERIDIAN_BROKERS"`
	ConsulAddress string        `env:"MERIDIAN_CONSUL_ADDRESS"`
	// JWKS holds the public keys of all regions.
	JWKS string `env:"MERIDIAN_JWKS"`
	// InternalSecret is what services of one shop present to each other.
	InternalSecret secret.Secret `env:"MERIDIAN_INTERNAL_SECRET"`
	// ClockOffsetFile holds a duration by which the services take their clock to be wrong; drills write it. Without the setting clocks
	// are the machine's.
	ClockOffsetFile string `env:"MERIDIAN_CLOCK_OFFSET_FILE"`
	LogLevel        string `env:"MERIDIAN_LOG_LEVEL, default=info"`
	// Profiling serves CPU profiles of the process to callers with the internal secret.
	Profiling bool `env:"MERIDIAN_PPROF, default=false"`
	// Namespace separates shops that share a Redis and a Consul, as parallel tests do: it leads every key and service name.
	Namespace string `env:"MERIDIAN_NAMESPACE"`
}

// LoadEnvironment reads the environment of one service.
func LoadEnvironment(ctx context.Context, service string, lookup Lookup) (Environment, error) {
	var env Environment
	own := strings.ToUpper(service)
	named := map[string]string{"PORT": "MERIDIAN_PORT_" + own, "SQL_URL": "MERIDIAN_SQL_URL_" + own}
	err := process(ctx, &env, func(name string) (string, bool) { return lookup(cmp.Or(named[name], name)) })
	if err != nil {
		return Environment{}, fmt.Errorf("read the environment of %s: %w", service, err)
	}
	return env, nil
}

// validate returns an error that names every variable that a definition requires and the environment lacks.
func (e Environment) validate(definition Definition) error {
	own := strings.ToUpper(definition.Name)
	needs := []struct {
		required, given bool
		name            string
	}{
		{true, e.ConsulAddress != "", "MERIDIAN_CONSUL_ADDRESS"},
		{true, e.JWKS != "", "MERIDIAN_JWKS"},
		{true, e.InternalSecret.IsSet(), "MERIDIAN_INTERNAL_SECRET"},
		{definition.Schema != nil, e.SQLURL.IsSet(), "MERIDIAN_SQL_URL_" + own},
		{definition.Redis == Required, e.RedisAddress != "", "MERIDIAN_REDIS_ADDRESS"},
		{definition.Broker == Required, len(e.Brokers) > 0, "MERIDIAN_BROKERS"},
	}
	var missing []error
	for _, need := range needs {
		if need.required && !need.given {
			missing = append(missing, fmt.Errorf("%s needs %s in its environment", definition.Name, need.name))
		}
	}
	return errors.Join(missing...)
}

// only drops the addresses of engines that a definition does not declare, so that the declaration is true.
func (e Environment) only(definition Definition) Environment {
	if definition.Redis == None {
		e.RedisAddress, e.RedisPassword = "", secret.Secret{}
	}
	if definition.Broker == None {
		e.Brokers = nil
	}
	return e
}
