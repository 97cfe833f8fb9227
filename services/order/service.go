package order

import (
	"context"
	"embed"
	"fmt"
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
var migrations embed.FS

// Definition describes the order service.
func Definition() kit.Definition {
	return kit.Definition{
		Name: contract.ServiceOrder, Broker: kit.Required,
		Schema: &sqldb.Schema{
			Migrations: sqldb.Merge(outbox.Migrations(), sqldb.Embedded(migrations)),
			RegionalByRow: append(outbox.Tables(), "orders", "sagas", "saga_steps", "order_cancellations", "order_fulfilments",
				"order_returns", "order_refunds", "order_tasks", "order_actions", "order_archive", "order_archive_files",
				"promotion_uses", "promotion_redemptions"),
			Global: []string{"promotions"},
		},
		New: kit.Configured(New),
	}
}

// Service is what the routes and the consumer stand on.
type Service struct {
	region  contract.Region
	regions []contract.Region
	// homes gives a region's name by the code that ids carry.
	homes        map[string]string
	config       Config
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
	loops   []kit.Loop
}

// New makes the order service.
func New(base *kit.Base, config Config) (*Service, error) {
	customers, err := readCustomerKey(config.CustomerKey)
	if err != nil {
		return nil, err
	}
	config.OnBoundary = config.boundary()
	box := outbox.New(base)
	s := &Service{
		region: base.Region, regions: base.Regions, homes: homesOf(base.Regions), config: config,
		store:      &store{db: base.DB, lease: config.Lease},
		neighbours: neighbours{client: base.Client, provider: config.Provider},
		now:        base.Now, log: base.Log, customers: customers,
	}
	s.shelf = &shelf{store: s.store, now: base.Now}
	life, end := context.WithCancelCause(context.Background())
	s.orchestrator = &orchestrator{
		store: s.store, neighbours: s.neighbours, config: config, writer: box.Writer, now: base.Now, log: base.Log,
		metrics: newMetrics(base.Registry), holder: fmt.Sprintf("%s/%s", base.Region.Name, geo.NewID("hld", base.Region.Code)),
		region: base.Region.Name, life: life, end: end, running: map[string]*drive{},
	}
	// The orchestrator stops after the sweepers and the consumer, which hand sagas to it.
	s.loops = append(box.Loops(), kit.Loop{Name: "orchestrate sagas", Run: s.orchestrator.run})
	for _, region := range base.Regions {
		sweeps := sweeper{orchestrator: s.orchestrator, home: region.Name, own: region.Name == base.Region.Name}
		s.loops = append(s.loops, kit.Loop{Name: "sweep sagas of " + region.Name, Run: sweeps.run})
	}
	if err := s.followSales(base, box.Writer); err != nil {
		return nil, err
	}
	s.loops = append(s.loops, base.Consume(s.onPayment, contract.TopicPayments))
	return s, nil
}

// Loops returns the service's background work.
func (s *Service) Loops() []kit.Loop { return s.loops }

func homesOf(regions []contract.Region) map[string]string {
	homes := make(map[string]string, len(regions))
	for _, region := range regions {
		homes[region.Code] = region.Name
	}
	return homes
}
