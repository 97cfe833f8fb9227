package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/loadtest/standing"
	"github.com/meridian-store/meridian/local/launcher"
	"github.com/meridian-store/meridian/regions"
)

// world is the shop, the bare programs and the clients of both.
type world struct {
	shop *standing.Shop
	// region serves what is measured; shoppers stand at its nearest edge location.
	region   string
	location geo.Location
	edge     string // host:port
	gateway  string // host:port
	stock    stock
	ledger   *ledger
	server   *bareServer
	clients  int
	open     []*client
	// watch sees the whole SQL server; idle is how many transactions a second it commits while nobody shops.
	watch *pgxpool.Pool
	idle  float64
}

func newWorld(ctx context.Context, shop *standing.Shop, clients int) (_ *world, err error) {
	w := &world{shop: shop, clients: clients, region: shop.State.Started[0]}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	all, err := regions.Shipped()
	if err != nil {
		return nil, err
	}
	for _, region := range all {
		if region.Name == w.region {
			w.location = geo.NearestLocation(region.Point)
		}
	}
	if w.location.IATA == "" {
		return nil, fmt.Errorf("the region %s of the running shop is not among the shipped ones, so its place is unknown", w.region)
	}
	w.edge = strings.TrimPrefix(shop.State.EdgeURL, "http://")
	w.gateway = strings.TrimPrefix(shop.State.GatewayURL(0), "http://")
	if w.stock, err = readStock(w.newClient(0, w.gateway)); err != nil {
		return nil, err
	}
	owner, _, err := launcher.SQLOwner(shop.Home)
	if err != nil {
		return nil, err
	}
	if w.watch, err = pgxpool.New(ctx, owner); err != nil {
		return nil, fmt.Errorf("open the SQL server: %w", err)
	}
	if w.idle, err = w.commitsPerSecond(ctx); err != nil {
		return nil, err
	}
	if w.ledger, err = newLedger(ctx, w.watch, owner, clients); err != nil {
		return nil, err
	}
	w.server, err = w.startBare(ctx)
	return w, err
}

// newClient makes a client that close closes.
func (w *world) newClient(i int, host string) *client {
	c := newClient(i, host)
	w.open = append(w.open, c)
	return c
}

// close ends what is open. Closing what was not opened is fine.
func (w *world) close() error {
	for _, c := range w.open {
		c.close()
	}
	var problems []error
	if w.server != nil {
		problems = append(problems, w.server.stop())
	}
	if w.ledger != nil {
		problems = append(problems, w.ledger.close(w.watch))
	}
	if w.watch != nil {
		w.watch.Close()
	}
	return errors.Join(problems...)
}

// each makes one operation for every client.
func (w *world) each(host string, of func(i int, c *client) operation) []operation {
	operations := make([]operation, 0, w.clients)
	for i := range w.clients {
		operations = append(operations, of(i, w.newClient(i, host)))
	}
	return operations
}
