package gateway

import (
	"context"
	"time"

	"github.com/meridian-store/meridian/kit"
)

// DefinitionOf is the gateway with a test's own route table.
func DefinitionOf(yaml string) kit.Definition {
	return definition(func() (Table, error) { return ReadTable([]byte(yaml)) }, nil)
}

// DefinitionAmong is the gateway with a test's own word on which regions are healthy; the probes over the links still have theirs.
func DefinitionAmong(ask func(ctx context.Context, region, service string) ([]string, error)) kit.Definition {
	return definition(ShippedTable, func(ctx context.Context, region, service string, _ uint64, _ time.Duration) ([]string, uint64, error) {
		addresses, err := ask(ctx, region, service)
		return addresses, 0, err
	})
}
