package cart

import (
	"embed"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/kit"
	"github.com/meridian-store/meridian/kit/httpx"
	"github.com/meridian-store/meridian/kit/sqldb"
	"github.com/meridian-store/meridian/replication/relay"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Definition describes the cart service.
func Definition() kit.Definition {
	return kit.Definition{
		Name: contract.ServiceCart, Redis: kit.Required, Broker: kit.Required, RedisKeys: keyPatterns(),
		Schema: &sqldb.Schema{Migrations: sqldb.Embedded(migrations), RegionalByRow: []string{"cart_backups"}},
		New:    kit.Configured(New),
	}
}

// Service is one running copy of the cart service.
type Service struct {
	api   *api
	loops []kit.Loop
}

// New makes the cart service.
func New(base *kit.Base, config Config) (*Service, error) {
	woken := make(chan struct{}, 1)
	wake := func() {
		select {
		case woken <- struct{}{}:
		default:
		}
	}
	region := base.Region.Region
	store := newStore(base.Redis, base.Env.Namespace, region, base.Now, wake)
	vault := newVault(store, newBackups(base.DB, base.Regions), region, base.Now, config, base.Registry)
	shoppers := &shoppers{store: store, vault: vault, neighbours: base.Client, ids: geo.IDs{Clock: base.Now}, region: region}
	source := newStream(base.Redis, base.Env.Namespace, eventMaker{service: base.Name, region: region.Name}, base.LeaseHolder(), wake)
	heard := heardEvents{orders: orderEvents{vault: vault, log: base.Log}, region: region.Name}
	consume, consumer := base.ConsumeBatches(heard.apply, contract.TopicOrders, contract.TopicCarts)
	rejoining := newRejoin(base, config.Rejoin, consumer.CatchUp)
	return &Service{
		api: &api{shoppers: shoppers, vault: vault, rejoining: rejoining},
		loops: []kit.Loop{
			{Name: "relay events", Run: relay.New(source, base.Env.Brokers, woken, base.Log, base.Registry).Run},
			{Name: "sweep carts", Run: kit.Every(config.Sweep, vault.sweep)},
			consume,
			{Name: "rejoin", Run: rejoining.run},
		},
	}, nil
}

// Routes declares the service's HTTP operations.
func (s *Service) Routes(on *httpx.API) { routes(on, s.api) }

// Loops returns the service's background work.
func (s *Service) Loops() []kit.Loop { return s.loops }
