// Package cluster is one region's services: which there are, and how they are brought up together and drained.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/edge/purge"
	"github.com/meridian-store/meridian/kit"
	"github.com/meridian-store/meridian/replication/mirror"
	"github.com/meridian-store/meridian/services/cart"
	"github.com/meridian-store/meridian/services/catalog"
	"github.com/meridian-store/meridian/services/gateway"
	"github.com/meridian-store/meridian/services/identity"
	"github.com/meridian-store/meridian/services/imports"
	"github.com/meridian-store/meridian/services/inventory"
	"github.com/meridian-store/meridian/services/order"
	"github.com/meridian-store/meridian/services/payment"
	"github.com/meridian-store/meridian/services/search"
)

// Services lists every service of a region. The gateway is last to start and first to stop: it takes the shoppers' requests.
func Services() []kit.Definition {
	return []kit.Definition{
		catalog.Definition(), cart.Definition(), inventory.Definition(), payment.Definition(), order.Definition(), identity.Definition(),
		imports.Definition(), mirror.Definition(), search.Definition(), purge.Definition(), gateway.Definition(),
	}
}

// Names gives the services' names in starting order.
func Names() []string {
	var names []string
	for _, definition := range Services() {
		names = append(names, definition.Name)
	}
	return names
}

// Select gives the definitions of some services, all when none is named.
func Select(names ...string) ([]kit.Definition, error) {
	if len(names) == 0 {
		return Services(), nil
	}
	var selected []kit.Definition
	for _, name := range names {
		i := slices.IndexFunc(Services(), func(d kit.Definition) bool { return d.Name == name })
		if i < 0 {
			return nil, contract.Invalid("service", "%q is not one of %s", name, strings.Join(Names(), ", "))
		}
		selected = append(selected, Services()[i])
	}
	return selected, nil
}

// Config says which services to run and where.
type Config struct {
	Region  contract.Region
	Regions []contract.Region
	// Services are started together and stopped in reverse order.
	Services []kit.Definition
	// LookupEnv is where the services' environment comes from: os.LookupEnv outside tests.
	LookupEnv func(string) (string, bool)
	// LogTo gives the writer of a service's log.
	LogTo func(service string) (io.Writer, error)
}

// Run brings the services up, keeps them until the context ends, and drains them. A server that ends by itself ends them all, so
// that whoever supervises the process starts it anew.
func Run(ctx context.Context, config Config) (err error) {
	running, err := startAll(ctx, config)
	defer func() {
		for _, service := range slices.Backward(running) {
			err = errors.Join(err, service.Stop(context.WithoutCancel(ctx)))
		}
	}()
	if err != nil {
		return err
	}
	ended := make(chan error, len(running))
	for _, service := range running {
		go func() {
			if served := <-service.Served(); served != nil {
				ended <- fmt.Errorf("%s stopped serving: %w", service.Name, served)
			}
		}()
	}
	select {
	case <-ctx.Done():
		return nil
	case err := <-ended:
		return err
	}
}

// startAll starts the services at once, because each waits for what it needs by itself.
func startAll(ctx context.Context, config Config) ([]*kit.Running, error) {
	started := make([]*kit.Running, len(config.Services))
	failed := make([]error, len(config.Services))
	var wait sync.WaitGroup
	for i, definition := range config.Services {
		wait.Go(func() { started[i], failed[i] = start(ctx, config, definition) })
	}
	wait.Wait()
	return slices.DeleteFunc(started, func(r *kit.Running) bool { return r == nil }), errors.Join(failed...)
}

func start(ctx context.Context, config Config, definition kit.Definition) (*kit.Running, error) {
	env, err := kit.LoadEnvironment(ctx, definition.Name, config.LookupEnv)
	if err != nil {
		return nil, err
	}
	log, err := config.LogTo(definition.Name)
	if err != nil {
		return nil, fmt.Errorf("open the log of %s: %w", definition.Name, err)
	}
	return kit.Start(ctx, definition, kit.Options{Region: config.Region, Regions: config.Regions, Env: env, LookupEnv: config.LookupEnv, LogTo: log})
}
