package inventory

import (
	"context"
	"embed"
	"io/fs"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/meridian-store/meridian/replication/outbox"
	"github.com/meridian-store/meridian/services/contract"
	"github.com/meridian-store/meridian/services/kit"
	"github.com/meridian-store/meridian/services/kit/httpx"
	"github.com/meridian-store/meridian/services/kit/sqldb"
)

//go:embed migrations/*.sql
var migrations embed.FS

// settings are the service's times.
type settings struct {
	// sweepEvery is how often expired holds are looked for.
	sweepEvery time.Duration
	// neighbourGrace is how long another region's expired hold is left to that region's own sweeper.
	neighbourGrace time.Duration
	// extension is how much longer a hold lasts whose charge stands.
	extension time.Duration
	// bandsEvery is how often all bands are compared with the stock, for what a process that died did not announce.
	bandsEvery time.Duration
}

func defaultSettings() settings {
	return settings{sweepEvery: 2 * time.Second, neighbourGrace: 2 * time.Minute, extension: 5 * time.Minute, bandsEvery: 10 * time.Minute}
}

// Definition is the inventory service.
func Definition() kit.Definition { return definitionWith(defaultSettings()) }

func definitionWith(settings settings) kit.Definition {
	own, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // only a wrong constant above could cause it
	}
	return kit.Definition{
		Name: contract.ServiceInventory,
		Schema: &sqldb.Schema{
			Migrations:    sqldb.Merge(outbox.Migrations(), own),
			RegionalByRow: append(outbox.Tables(), "stock", "movements", "reservations", "reservation_lines"),
			Global:        []string{"bands"},
		},
		UsesBroker: true,
		Setup: func(_ context.Context, base *kit.Base) error {
			newService(base, settings).declare(base)
			return nil
		},
	}
}

// service is one running copy of the inventory service.
type service struct {
	store    *store
	bands    *announcer
	payments payments
	region   string
	regions  []contract.Region
	settings settings
	now      func() time.Time
	log      *slog.Logger
	outcomes *prometheus.CounterVec
}

func newService(base *kit.Base, settings settings) *service {
	store := newStore(base.DB, outbox.Start(base), base.Now, base.Regions)
	outcomes := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "meridian_inventory_reservations_total", Help: "Reservations by what became of them: held, out_of_stock, sold, released, extended.",
	}, []string{"outcome"})
	base.Registry.MustRegister(outcomes)
	return &service{
		store: store, bands: newAnnouncer(store, settings.bandsEvery, base.Log), payments: paymentClient{base.Client},
		region: base.Region.Name, regions: base.Regions, settings: settings, now: base.Now, log: base.Log, outcomes: outcomes,
	}
}

// declare puts the service's routes, loops and consumers on its base.
func (s *service) declare(base *kit.Base) {
	s.routes(base.API)
	base.Loop("sweep", kit.Every(s.settings.sweepEvery, base.Overdue(s.settings.neighbourGrace, s.sweep)))
	base.Loop("bands", s.bands.run)
	base.Consume(s.applyEvent, contract.TopicOrders)
}

// paymentClient asks the payment service of this region.
type paymentClient struct{ client *httpx.Client }
