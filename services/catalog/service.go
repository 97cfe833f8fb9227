package catalog

import (
	"embed"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/kit"
	"github.com/meridian-store/meridian/kit/httpx"
	"github.com/meridian-store/meridian/kit/sqldb"
	"github.com/meridian-store/meridian/replication/outbox"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Definition describes the catalog service: GLOBAL tables, so that every region reads nearby.
func Definition() kit.Definition {
	return kit.Definition{
		Name: contract.ServiceCatalog, Broker: kit.Required,
		Schema: &sqldb.Schema{
			Migrations:    sqldb.Merge(outbox.Migrations(), sqldb.Embedded(migrations)),
			RegionalByRow: outbox.Tables(),
			Global: []string{
				"categories", "products", "variants", "prices", "product_categories", "bands", "price_lists", "price_list_prices",
			},
		},
		New: kit.Configured(New),
	}
}

// Service is one running copy of the catalog service.
type Service struct {
	store  *store
	writer *outbox.Writer
	region string
	// regions are the names of the shop's.
	regions map[string]bool
	now     func() time.Time

	products   shape[contract.ProductInput]
	categories shape[contract.CategoryInput]
	listPrices shape[contract.ListPrice]
	written    *prometheus.CounterVec
	loops      []kit.Loop
}

// New makes the catalog service.
func New(base *kit.Base, _ Config) (*Service, error) {
	box := outbox.New(base)
	s := newService(base.DB, box.Writer, base.Region.Code, base.Regions, base.Now)
	base.Registry.MustRegister(s.written)
	consume, _ := base.ConsumeBatches((&listener{store: s.store, writer: s.writer, log: base.Log}).apply, contract.TopicInventory)
	s.loops = append(box.Loops(), consume)
	return s, nil
}

// Routes declares the service's HTTP operations.
func (s *Service) Routes(api *httpx.API) { routes(api, s) }

// Loops returns the service's background work.
func (s *Service) Loops() []kit.Loop { return s.loops }

// newService makes what answers requests, without loops.
func newService(db *sqldb.DB, writer *outbox.Writer, regionCode string, regions []contract.Region, now func() time.Time) *Service {
	names := map[string]bool{}
	for _, region := range regions {
		names[region.Name] = true
	}
	return &Service{
		store: &store{db: db}, writer: writer, region: regionCode, regions: names, now: now,
		products: newShape[contract.ProductInput](), categories: newShape[contract.CategoryInput](), listPrices: newShape[contract.ListPrice](),
		written: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "meridian_catalog_writes_total", Help: "Products, categories and price lists that were asked to be written, by what became of them.",
		}, []string{"kind", "outcome"}),
	}
}

// newID makes an id of a kind, such as prd_use_01K9ZX3M5Q8T2V4W6Y7Z8A9BCD.
func (s *Service) newID(kind string) func() string {
	return func() string { return geo.IDs{Clock: s.now}.New(kind, s.region) }
}

// moment is now, as exactly as SQL keeps it.
func (s *Service) moment() time.Time { return s.now().UTC().Truncate(time.Microsecond) }
