package imports

import (
	"context"
	"embed"
	"io/fs"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/feed/publish"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/kit"
	"github.com/meridian-store/meridian/kit/sqldb"
)

//go:embed migrations/*.sql
var migrations embed.FS

// settings are the service's times.
type settings struct {
	// lookEvery is how often work is looked for that nobody told of, such as an import that another worker left.
	lookEvery time.Duration
	// lease is how long a worker that died keeps others away; saveEvery how often the progress is written, which lengthens the lease.
	lease, saveEvery time.Duration
	// pause is how long an import waits when something that it needs is away.
	pause time.Duration
	// patience is how long the next part of a file may be awaited.
	patience time.Duration
	// memory is how long an import that ended can be looked at.
	memory time.Duration
}

func defaultSettings() settings {
	return settings{lookEvery: time.Second, lease: 10 * time.Second, saveEvery: 500 * time.Millisecond, pause: 3 * time.Second, patience: time.Hour, memory: 30 * 24 * time.Hour}
}

// Definition is the imports service.
func Definition() kit.Definition { return definitionWith(defaultSettings()) }

func definitionWith(settings settings) kit.Definition {
	own, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // only a wrong constant above could cause it
	}
	return kit.Definition{
		Name:   contract.ServiceImports,
		Schema: &sqldb.Schema{Migrations: own, RegionalByRow: []string{"imports", "import_pieces"}},
		Setup: func(_ context.Context, base *kit.Base) error {
			s := newService(base, settings)
			s.routes(base.API)
			base.Loop("work", s.work)
			return nil
		},
	}
}

// service is one running copy of the imports service. It works on one import at a time, so that its memory has a bound.
type service struct {
	region   contract.Region
	regions  []contract.Region
	store    *store
	shop     publish.Shop
	settings settings
	// worker names this copy in leases.
	worker  string
	signal  chan struct{}
	now     func() time.Time
	log     *slog.Logger
	outcome *prometheus.CounterVec
}

func newService(base *kit.Base, settings settings) *service {
	outcome := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "meridian_imports_total", Help: "Imports that ended, by state: done or failed.",
	}, []string{"state"})
	base.Registry.MustRegister(outcome)
	return &service{
		region: base.Region, regions: base.Regions, store: &store{base.DB}, shop: neighbours{base.Client}, settings: settings,
		worker: geo.NewID("wrk", base.Region.Code), signal: make(chan struct{}, 1), now: base.Now, log: base.Log, outcome: outcome,
	}
}

// wake has the worker look for work now.
func (s *service) wake() {
	select {
	case s.signal <- struct{}{}:
	default: // it is awake already
	}
}
