package main

import "context"

// paths are what is measured, from the cheapest to the dearest.
func (w *world) paths() []path {
	address := w.server.address
	get := func(where string) []operation {
		return w.each(address, func(_ int, c *client) operation { return bareGet(c, where) })
	}
	return []path{
		{
			Name: "edge-hit", What: "a list of 20 products from the edge's cache", Cost: costEdgeHit,
			Baseline: "a plain handler that sends the same answers",
			shop:     w.each(w.edge, w.hit), bare: get(bareList),
		},
		{
			Name: "catalog-list", What: "a list of 20 products past the edge, kept by the gateway", Cost: costKept,
			Baseline: "a plain handler that sends the same answers",
			shop:     w.each(w.gateway, w.readList), bare: get(bareList),
		},
		{
			Name: "catalog-product", What: "one product past the edge, kept by the gateway", Cost: costKept,
			Baseline: "a plain handler that sends the same answers",
			shop:     w.each(w.gateway, w.readProduct), bare: get(bareProduct),
		},
		{
			Name: "cart-add", What: "a new cart with one line, through the edge", Cost: costCartAdd,
			Baseline: "a plain handler that makes one pipelined Redis write and sends the same answer",
			shop:     w.each(w.edge, w.addToCart), bare: get(bareCart),
		},
		{
			Name: "checkout", What: "a new cart with one line, its quote and its purchase, through the edge: three requests", Cost: costPurchase,
			Baseline: "as many single-row commits as the checkout makes, one after another, on the same SQL server",
			shop:     w.each(w.edge, w.purchase), trailing: true,
			bare: w.each(address, func(int, *client) operation {
				return func(ctx context.Context) error { return w.ledger.commit(ctx, costPurchase.Commits) }
			}),
		},
	}
}

func bareGet(c *client, where string) operation {
	return func(context.Context) error {
		c.prepare("GET", where)
		_, err := c.send(200)
		return err
	}
}
