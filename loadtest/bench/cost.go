package main

// cost is what one passage of a path takes, apart from time. Each figure is asserted by a test of the service that causes it; a test
// here finds those assertions again.
type cost struct {
	// Hops are HTTP requests, the client's own among them.
	Hops int `json:"hops"`
	// Redis and SQL are round trips to those engines; what is pipelined is one.
	Redis int `json:"redis_round_trips"`
	SQL   int `json:"sql_round_trips"`
	// Commits are durable ones, in SQL.
	Commits int `json:"sql_commits"`
}

func (c cost) plus(others ...cost) cost {
	for _, other := range others {
		c.Hops += other.Hops
		c.Redis += other.Redis
		c.SQL += other.SQL
		c.Commits += other.Commits
	}
	return c
}

// proof is where a service's test asserts a cost: a line of a file that contains all of the words.
type proof struct {
	file  string
	words string
}

// part is a cost that one service's code causes, and its proof.
type part struct {
	cost
	proof proof
}

// What services cost, by themselves.
var (
	sqlPrices    = part{cost{SQL: 1}, proof{"services/catalog/store_test.go", `{"priced SKUs", func`}}
	sqlOrder     = part{cost{SQL: 6, Commits: 2}, proof{"services/order/store_test.go", `{"confirmed", 6, 2,`}}
	sqlReserve   = part{cost{SQL: 4, Commits: 1}, proof{"services/inventory/store_test.go", `"reserve", 4, 1`}}
	sqlPayOpen   = part{cost{SQL: 1, Commits: 1}, proof{"services/payment/store_test.go", `"open", 1, 1`}}
	sqlPaySettle = part{cost{SQL: 4, Commits: 1}, proof{"services/payment/store_test.go", `"settle", 4, 1`}}
)

// Single steps of the paths, read off services/gateway/routes.yaml and the services' neighbours.
var (
	hop       = cost{Hops: 1}
	redisTrip = cost{Redis: 1}

	// costEdgeHit ends at the edge.
	costEdgeHit = hop
	// costKept ends at the gateway, which keeps an answer until a change makes it stale. Anonymous reads are not limited, so they spend no Redis.
	costKept = hop
	// costCartAdd makes a cart with one line: edge → gateway (a limit) → cart (one script) → catalog for the price.
	costCartAdd = hop.plus(hop, redisTrip, hop, redisTrip, hop, sqlPrices.cost)
	// costQuote: edge → gateway (a limit) → order → cart (a read), catalog.
	costQuote = hop.plus(hop, redisTrip, hop, hop, redisTrip, hop, sqlPrices.cost)
	// costBuy: edge → gateway (two limits) → order → cart (a read), catalog, inventory, payment. The provider is two calls,
	// which are not counted: a real one is somewhere else.
	costBuy = hop.plus(hop, redisTrip, redisTrip, hop, sqlOrder.cost, hop, redisTrip, hop, sqlPrices.cost,
		hop, sqlReserve.cost, hop, sqlPayOpen.cost, sqlPaySettle.cost)
	// costPurchase is what a shopper does who has chosen: add, quote, buy.
	costPurchase = costCartAdd.plus(costQuote, costBuy)
)
