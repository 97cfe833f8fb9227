package cart

import (
	"context"
	"embed"
	"fmt"
	"io/fs"

	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/replication/relay"
	"github.com/meridian-store/meridian/services/contract"
	"github.com/meridian-store/meridian/services/kit"
	"github.com/meridian-store/meridian/services/kit/sqldb"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Definition is the cart service.
func Definition() kit.Definition {
	return definition(loadSettings)
}

func definition(load func(context.Context) (settings, error)) kit.Definition {
	folder, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // only a wrong constant above could cause it
	}
	return kit.Definition{
		Name: contract.ServiceCart, UsesRedis: true, UsesBroker: true, RedisKeys: keyPatterns(),
		Schema: &sqldb.Schema{Migrations: folder, RegionalByRow: []string{"cart_backups"}},
		Setup: func(ctx context.Context, base *kit.Base) error {
			set, err := load(ctx)
			if err == nil {
				setup(base, set)
			}
			return err
		},
	}
}

func setup(base *kit.Base, set settings) {
	woken := make(chan struct{}, 1)
	wake := func() {
		select {
		case woken <- struct{}{}:
		default:
		}
	}
	region := base.Region.Region
	store := newStore(base.Redis, base.Env.Namespace, region, base.Now, wake)
	vault := newVault(store, newBackups(base.DB, base.Regions), region, base.Now, set, base.Registry)
	shoppers := &shoppers{store: store, vault: vault, neighbours: base.Client, ids: geo.IDs{Clock: base.Now}, region: region}
	source := newStream(base.Redis, base.Env.Namespace, eventMaker{service: base.Name, region: region.Name}, holderOf(base), wake)
	base.Loop("relay", relay.New(source, base.Env.Brokers, woken, base.Log, base.Registry).Run)
	base.Loop("sweep", kit.Every(set.Sweep, vault.sweep))
	heard := heardEvents{orders: orderEvents{vault: vault, log: base.Log}, region: region.Name}
	consumer := base.ConsumeBatches(heard.apply, contract.TopicOrders, contract.TopicCarts)
	rejoining := newRejoin(base, set.Rejoin, consumer.CatchUp)
	base.Loop("rejoin", rejoining.run)
	routes(base.API, &api{shoppers: shoppers, vault: vault, rejoining: rejoining})
}

// holderOf names this process to the relay's leases. A service on a fixed port takes its own leases over when it comes back; nobody
// else can hold that port meanwhile.
func holderOf(base *kit.Base) string {
	if base.Env.Port == 0 {
		return geo.NewID("rly", base.Region.Code)
	}
	return fmt.Sprintf("%s/%s@%s:%d", base.Region.Name, base.Name, base.Env.ListenHost, base.Env.Port)
}
