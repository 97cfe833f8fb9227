package kit

import (
	"context"
	"fmt"

	"github.com/sethvargo/go-envconfig"
)

// Lookup reads one variable of the environment; false when it is not set. It is os.LookupEnv outside tests.
type Lookup func(name string) (value string, found bool)

// Lookup implements envconfig's Lookuper.
func (l Lookup) Lookup(name string) (string, bool) { return l(name) }

// Config is a service's own configuration. It declares its environment by `env` tags of sethvargo/go-envconfig. A Config whose
// pointer has a method SetDefaults() has it called before the environment is read, for what no variable sets.
type Config interface {
	// Validate returns an error that names the variable at fault.
	Validate() error
}

// Constructor makes a service on its base, with the configuration that it reads through lookup.
type Constructor func(ctx context.Context, base *Base, lookup Lookup) (Service, error)

// Configured returns the Constructor that reads a C from the environment, validates it and passes it to newService.
func Configured[C Config, S Service](newService func(*Base, C) (S, error)) Constructor {
	return func(ctx context.Context, base *Base, lookup Lookup) (Service, error) {
		config, err := ReadConfig[C](ctx, lookup)
		if err != nil {
			return nil, fmt.Errorf("configuration of %s: %w", base.Name, err)
		}
		return newService(base, config)
	}
}

// WithConfig returns the Constructor that passes a given configuration to newService and reads no environment.
func WithConfig[C Config, S Service](config C, newService func(*Base, C) (S, error)) Constructor {
	return func(_ context.Context, base *Base, _ Lookup) (Service, error) {
		if err := config.Validate(); err != nil {
			return nil, fmt.Errorf("configuration of %s: %w", base.Name, err)
		}
		return newService(base, config)
	}
}

// ReadConfig reads a configuration from an environment and validates it.
func ReadConfig[C Config](ctx context.Context, lookup Lookup) (C, error) {
	config, err := parseConfig[C](ctx, lookup)
	if err != nil {
		return config, err
	}
	return config, config.Validate()
}

// DefaultConfig returns the configuration of an empty environment, not validated: a variable without a default is not set.
func DefaultConfig[C Config](ctx context.Context) (C, error) {
	return parseConfig[C](ctx, func(string) (string, bool) { return "", false })
}

func parseConfig[C Config](ctx context.Context, lookup Lookup) (C, error) {
	var config C
	if target, ok := any(&config).(interface{ SetDefaults() }); ok {
		target.SetDefaults()
	}
	err := process(ctx, &config, lookup)
	return config, err
}

// process reads the environment into target. Its error names the variable: envconfig leaves that out for types that decode
// themselves.
func process(ctx context.Context, target any, lookup Lookup) error {
	name := ""
	err := envconfig.ProcessWith(ctx, &envconfig.Config{Target: target, Lookuper: Lookup(func(asked string) (string, bool) {
		name = asked
		return lookup(asked)
	})})
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
