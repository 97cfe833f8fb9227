package inventory

import (
	"embed"
	"log/slog"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit"
	"github.com/meridian-store/meridian/kit/httpx"
	"github.com/meridian-store/meridian/kit/sqldb"
	"github.com/meridian-store/meridian/replication/outbox"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Definition describes the inventory service.
func Definition() kit.Definition {
	return kit.Definition{
		Name: contract.ServiceInventory,
		Schema: &sqldb.Schema{
			Migrations:    sqldb.Merge(outbox.Migrations(), sqldb.Embedded(migrations)),
			RegionalByRow: append(outbox.Tables(), "stock", "movements", "reservations", "reservation_lines", "returns"),
			Global:        []string{"bands"},
		},
		Broker: kit.Required, Redis: kit.Optional, RedisKeys: []string{countPrefix + "<sku>"},
		New: kit.Configured(New),
	}
}

// Service is one running copy of the inventory service.
type Service struct {
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
	config   Config
	now      func() time.Time
	log      *slog.Logger
	outcomes *prometheus.CounterVec
	sizes    prometheus.Histogram
	loops    []kit.Loop
}

// New makes the inventory service.
func New(base *kit.Base, config Config) (*Service, error) {
	box := outbox.New(base)
	s := assemble(newStore(base.DB, box.Writer, base.Now, base.Regions), base.Region.Name, base.Regions, base.Log)
	s.config, s.now, s.payments = config, base.Now, paymentClient{base.Client}
	s.bands = newAnnouncer(s.store, config.bandsEvery, base.Log)
	s.counts = newCounts(base.RedisOption(), base.Env.Namespace, base.Log)
	base.Registry.MustRegister(s.outcomes, s.sizes)
	split := &splitter{
		store: s.store, heat: s.heat, own: s.own, buckets: min(int64(len(s.regions)), maxBuckets), log: s.log, looked: map[string]look{},
	}
	consume, _ := base.ConsumeBatches(s.applyEvents, contract.TopicOrders)
	s.loops = append(box.Loops(),
		kit.Loop{Name: "sweep reservations", Run: kit.Every(config.sweepEvery, base.Overdue(config.neighbourGrace, s.sweep))},
		kit.Loop{Name: "announce availability", Run: s.bands.run},
		kit.Loop{Name: "split hot SKUs", Run: split.run},
		consume,
	)
	if base.Env.RedisAddress == "" {
		base.Log.Warn("Hot SKUs are counted in SQL alone: MERIDIAN_REDIS_ADDRESS is not set")
	} else {
		s.loops = append(s.loops, kit.Loop{Name: "publish counts", Run: s.counts.run})
	}
	return s, nil
}

// Loops returns the service's background work.
func (s *Service) Loops() []kit.Loop { return s.loops }

// assemble makes the parts that need neither engines nor loops.
func assemble(store *store, region string, regions []contract.Region, log *slog.Logger) *Service {
	s := &Service{store: store, heat: newHeat(), region: region, regions: regions, log: log}
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

// paymentClient asks the payment service of this region.
type paymentClient struct{ client *httpx.Client }
