package kit

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/meridian-store/meridian/kit/sqldb"
)

// Description is the surface of a service: what other programs can call and read.
type Description struct {
	// Routes are the served methods and paths, in the router's order.
	Routes []fiber.Route
	// OpenAPI documents the operations, hidden ones included.
	OpenAPI *huma.OpenAPI
	// Metrics are the descriptors of the registered collectors.
	Metrics []*prometheus.Desc
}

// Describe sets a service up without engines, listener or loops and returns its surface. The engines' addresses in the
// environment must be well formed; nothing has to answer there.
func Describe(ctx context.Context, definition Definition, options Options) (Description, error) {
	r := &Running{Name: definition.Name, draining: &atomic.Bool{}}
	defer r.release()
	base, err := r.newBase(definition, options)
	if err != nil {
		return Description{}, fmt.Errorf("describe %s: %w", definition.Name, err)
	}
	base.API.DocumentHidden()
	if definition.Schema != nil {
		db, err := sqldb.Open(ctx, base.Env.SQLURL.Current(), base.Registry)
		if err != nil {
			return Description{}, fmt.Errorf("describe %s: %w", definition.Name, err)
		}
		base.DB = db
		r.stops = append(r.stops, db.Close)
	}
	if _, err := r.declare(ctx, definition, base, options.LookupEnv); err != nil {
		return Description{}, fmt.Errorf("describe %s: %w", definition.Name, err)
	}
	return Description{
		Routes: base.App.GetRoutes(true), OpenAPI: base.API.OpenAPI(), Metrics: descriptors(base.Registry),
	}, nil
}

// descriptors collects what a registry describes.
func descriptors(registry *prometheus.Registry) []*prometheus.Desc {
	found := make(chan *prometheus.Desc)
	go func() {
		defer close(found)
		registry.Describe(found)
	}()
	var all []*prometheus.Desc
	for desc := range found {
		all = append(all, desc)
	}
	return all
}
