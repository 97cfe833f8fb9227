package gateway

import (
	"context"
	"time"

	"github.com/meridian-store/meridian/kit"
)

// DefinitionOf is the gateway with a test's own route table.
func DefinitionOf(yaml string) kit.Definition {
	return definitionWith(func(c *Config) error {
		table, err := ReadTable([]byte(yaml))
		c.table = &table
		return err
	})
}

// DefinitionAmong is the gateway with a test's own word on which regions are healthy; the probes over the links still have theirs.
func DefinitionAmong(ask func(ctx context.Context, region, service string) ([]string, error)) kit.Definition {
	return definitionWith(func(c *Config) error {
		c.ask = func(ctx context.Context, region, service string, _ uint64, _ time.Duration) ([]string, uint64, error) {
			addresses, err := ask(ctx, region, service)
			return addresses, 0, err
		}
		return nil
	})
}

// definitionWith is the gateway with a configuration that a test changes after it was read.
func definitionWith(change func(*Config) error) kit.Definition {
	return Definition().With(kit.Configured(func(base *kit.Base, config Config) (*Service, error) {
		if err := change(&config); err != nil {
			return nil, err
		}
		return New(base, config)
	}))
}
