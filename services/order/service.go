package order

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/kit"
	"github.com/meridian-store/meridian/kit/sqldb"
	"github.com/meridian-store/meridian/replication/outbox"
	"github.com/meridian-store/meridian/services/order/archive"
)

//go:embed migrations/*.sql
var embedded embed.FS

// Definition is the order service with the settings of its environment.
func Definition() kit.Definition { return define(LoadSettings) }

// DefinitionWith is the order service with other time limits, or with a drill's hook at the steps' boundaries.
func DefinitionWith(settings Settings) kit.Definition {
	return define(func(context.Context) (Settings, error) { return settings, settings.Validate() })
}

func define(load func(context.Context) (Settings, error)) kit.Definition {
	migrations, err := fs.Sub(embedded, "migrations")
	if err != nil {
		panic(err) // only a wrong constant above could cause it
	}
	return kit.Definition{
		Name:       contract.ServiceOrder,
		UsesBroker: true,
		Schema: &sqldb.Schema{
			Migrations: sqldb.Merge(outbox.Migrations(), migrations),
			RegionalByRow: append(outbox.Tables(), "orders", "sagas", "saga_steps", "order_cancellations", "order_fulfilments",
				"order_returns", "order_refunds", "order_tasks", "order_actions", "order_archive", "order_archive_files",
				"promotion_uses", "promotion_redemptions"),
			Global: []string{"promotions"},
		},
		Setup: func(ctx context.Context, base *kit.Base) error {
			settings, err := load(ctx)
			if err != nil {
				return err
			}
			customers, err := readCustomerKey(base.Env.CustomerKey)
			if err != nil {
				return err
			}
			return setup(base, settings, customers)
		},
	}
}

// service is what the routes and the consumer stand on.
type service struct {
	region  contract.Region
	regions []contract.Region
	// homes gives a region's name by the code that ids carry.
	homes        map[string]string
	settings     Settings
	store        *store
	shelf        *shelf
	customers    customerKey
	neighbours   neighbours
	orchestrator *orchestrator
	tasks        *tasks
	// archive reads old orders; nil where none are kept.
	archive *archive.Archive
	now     func() time.Time
	log     *slog.Logger
}

// setup declares the routes and the loops. The orchestrator is the first of the loops and so the last to stop: sweeper and
// consumer hand sagas to it.
func setup(base *kit.Base, settings Settings, customers customerKey) error {
	writer := outbox.Start(base)
	s := &service{
		region: base.Region, regions: base.Regions, homes: homesOf(base.Regions), settings: settings,
		store:      &store{db: base.DB, lease: settings.Lease},
		neighbours: neighbours{client: base.Client, provider: settings.Provider},
		now:        base.Now, log: base.Log,
	}
	s.shelf, s.customers = &shelf{store: s.store, now: base.Now}, customers
	life, end := context.WithCancelCause(context.Background())
	s.orchestrator = &orchestrator{
		store: s.store, neighbours: s.neighbours, settings: settings, writer: writer, now: base.Now, log: base.Log, metrics: newMetrics(base.Registry),
		holder: fmt.Sprintf("%s/%s", base.Region.Name, geo.NewID("hld", base.Region.Code)), region: base.Region.Name, life: life, end: end, running: map[string]*drive{},
	}
	base.Loop("orchestrate", s.orchestrator.run)
	for _, region := range base.Regions {
		base.Loop("sweep "+region.Name, sweeper{orchestrator: s.orchestrator, home: region.Name, own: region.Name == base.Region.Name}.run)
	}
	if err := s.followSales(base, writer); err != nil {
		return err
	}
	base.Consume(s.onPayment, contract.TopicPayments)
	s.routes(base.API)
	return nil
}

func homesOf(regions []contract.Region) map[string]string {
	homes := make(map[string]string, len(regions))
	for _, region := range regions {
		homes[region.Code] = region.Name
	}
	return homes
}
