package catalog

import (
	"context"
	"embed"
	"io/fs"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/kit"
	"github.com/meridian-store/meridian/kit/sqldb"
	"github.com/meridian-store/meridian/replication/outbox"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Definition is the catalog service: GLOBAL tables, so that every region reads nearby.
func Definition() kit.Definition {
	return kit.Definition{
		Name: contract.ServiceCatalog, UsesBroker: true,
		Schema: &sqldb.Schema{
			Migrations:    sqldb.Merge(outbox.Migrations(), ownMigrations()),
			RegionalByRow: outbox.Tables(),
			Global:        []string{"categories", "products", "variants", "prices", "product_categories", "bands", "price_lists", "price_list_prices"},
		},
		Setup: setup,
	}
}

func ownMigrations() fs.FS {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // only a wrong constant above could cause it
	}
	return sub
}

func setup(_ context.Context, base *kit.Base) error {
	s := newService(base.DB, outbox.Start(base), base.Region.Code, base.Regions, base.Now)
	base.Registry.MustRegister(s.written)
	routes(base.API, s)
	consumer := &listener{store: s.store, writer: s.writer, log: base.Log}
	base.ConsumeBatches(consumer.apply, contract.TopicInventory)
	return nil
}

// service does what the catalog's operations say.
type service struct {
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
}

func newService(db *sqldb.DB, writer *outbox.Writer, regionCode string, regions []contract.Region, now func() time.Time) *service {
	names := map[string]bool{}
	for _, region := range regions {
		names[region.Name] = true
	}
	return &service{
		store: &store{db: db}, writer: writer, region: regionCode, regions: names, now: now,
		products: newShape[contract.ProductInput](), categories: newShape[contract.CategoryInput](), listPrices: newShape[contract.ListPrice](),
		written: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "meridian_catalog_writes_total", Help: "Products, categories and price lists that were asked to be written, by what became of them.",
		}, []string{"kind", "outcome"}),
	}
}

// newID makes an id of a kind, such as prd_use_01K9ZX3M5Q8T2V4W6Y7Z8A9BCD.
func (s *service) newID(kind string) func() string {
	return func() string { return geo.IDs{Clock: s.now}.New(kind, s.region) }
}

// moment is now, as exactly as SQL keeps it.
func (s *service) moment() time.Time { return s.now().UTC().Truncate(time.Microsecond) }
