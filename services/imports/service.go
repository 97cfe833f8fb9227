package imports

import (
	"embed"
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

// Definition describes the imports service.
func Definition() kit.Definition {
	return kit.Definition{
		Name:   contract.ServiceImports,
		Schema: &sqldb.Schema{Migrations: sqldb.Embedded(migrations), RegionalByRow: []string{"imports", "import_pieces"}},
		New:    kit.Configured(New),
	}
}

// Service is one running copy of the imports service. It works on one import at a time, so that its memory has a bound.
type Service struct {
	region  contract.Region
	regions []contract.Region
	store   *store
	shop    publish.Shop
	config  Config
	// worker names this copy in leases.
	worker  string
	signal  chan struct{}
	now     func() time.Time
	log     *slog.Logger
	outcome *prometheus.CounterVec
}

// New makes the imports service.
func New(base *kit.Base, config Config) (*Service, error) {
	outcome := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "meridian_imports_total", Help: "Imports that ended, by state: done or failed.",
	}, []string{"state"})
	base.Registry.MustRegister(outcome)
	return &Service{
		region: base.Region, regions: base.Regions, store: &store{base.DB}, shop: neighbours{base.Client}, config: config,
		worker: geo.NewID("wrk", base.Region.Code), signal: make(chan struct{}, 1), now: base.Now, log: base.Log, outcome: outcome,
	}, nil
}

// Loops returns the service's background work.
func (s *Service) Loops() []kit.Loop { return []kit.Loop{{Name: "work on imports", Run: s.work}} }

// wake has the worker look for work now.
func (s *Service) wake() {
	select {
	case s.signal <- struct{}{}:
	default: // it is awake already
	}
}
