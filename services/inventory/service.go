package inventory

import (
	"context"
	"embed"
	"io/fs"
	"log/slog"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/rueidis"

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
			RegionalByRow: append(outbox.Tables(), "stock", "movements", "reservations", "reservation_lines", "returns"),
			Global:        []string{"bands"},
		},
		UsesBroker: true, UsesRedis: true, RedisOptional: true, RedisKeys: []string{countPrefix + "<sku>"},
		Setup: func(_ context.Context, base *kit.Base) error {
			newService(base, settings).declare(base)
			return nil
		},
	}
}

// service is one running copy of the inventory service.
type service struct {
	store     *store
	reserving *group[ask, held]
	counts    *counts
	heat      *heat
	bands     *announcer
	payments  payments
	region    string
	regions   []contract.Region
	// own is the number of the bucket that this copy takes from first.
	own      int64
	settings settings
	now      func() time.Time
	log      *slog.Logger
	outcomes *prometheus.CounterVec
	sizes    prometheus.Histogram
}

func newService(base *kit.Base, settings settings) *service {
	s := assemble(newStore(base.DB, outbox.Start(base), base.Now, base.Regions), base.Region.Name, base.Regions, base.Log)
	s.settings, s.now, s.payments = settings, base.Now, paymentClient{base.Client}
	s.bands = newAnnouncer(s.store, settings.bandsEvery, base.Log)
	s.counts = newCounts(rueidis.ClientOption{
		InitAddress: []string{base.Env.RedisAddress}, Password: base.Env.RedisPassword, ClientName: base.Name,
		ConnWriteTimeout: 2 * time.Second, DisableCache: true,
	}, base.Env.Namespace, base.Log)
	base.Registry.MustRegister(s.outcomes, s.sizes)
	return s
}

// assemble makes the parts that need neither engines nor loops.
func assemble(store *store, region string, regions []contract.Region, log *slog.Logger) *service {
	s := &service{store: store, heat: newHeat(), region: region, regions: regions, log: log}
	s.own = int64(slices.IndexFunc(regions, func(r contract.Region) bool { return r.Name == region }))
	s.reserving = newGroup(s.reserveAll)
	s.outcomes = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "meridian_inventory_reservations_total", Help: "Reservations by what became of them: held, out_of_stock, shed, sold, released, returned, extended.",
	}, []string{"outcome"})
	s.sizes = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "meridian_inventory_reservation_group_size", Help: "Reservations that shared one transaction.", Buckets: prometheus.ExponentialBuckets(1, 2, 11),
	})
	return s
}

// declare puts the service's routes, loops and consumers on its base.
func (s *service) declare(base *kit.Base) {
	s.routes(base.API)
	base.Loop("sweep", kit.Every(s.settings.sweepEvery, base.Overdue(s.settings.neighbourGrace, s.sweep)))
	base.Loop("bands", s.bands.run)
	base.Loop("counts", s.counts.run)
	splitter := &splitter{store: s.store, heat: s.heat, own: s.own, buckets: min(int64(len(s.regions)), maxBuckets), log: s.log, looked: map[string]look{}}
	base.Loop("split", splitter.run)
	base.ConsumeBatches(s.applyEvents, contract.TopicOrders)
}

// paymentClient asks the payment service of this region.
type paymentClient struct{ client *httpx.Client }
