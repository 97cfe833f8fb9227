package main

import "time"

// execution is a documented command, or a whole shell block, that CI runs against one running shop.
type execution struct {
	// Command is as the documents have it. Block is "file: heading" of a block instead.
	Command, Block string
	// Run is what runs instead: a short form, or the command with names in place of placeholders. Empty: the command.
	Run string
	// Shows has to match the output.
	Shows string
	// Exit is the exit code that the command ends with.
	Exit int
	// Patience is how long the command may fail first: some commands report work that is still under way.
	Patience time.Duration
}

const patience = time.Minute

// starting are run first, in this order. $SHOP holds the flags of a shop that does not disturb another one.
var starting = []execution{
	{Command: "make engines"},
	{Command: "make build"},
	{Command: "make build-production"},
	{Command: "meridian up --detach --seed",
		Run: "meridian up --detach --seed --links realistic $SHOP", Shows: `seeding 2000 products`},
}

// executed are run against that shop, in this order.
var executed = []execution{
	{Block: "README.md: A tour by curl", Shows: `"status":"confirmed"`},
	{Command: "meridian status"},
	{Command: "meridian status --json", Shows: `"edge"`},
	{Command: "meridian --help", Shows: `drill`},
	{Command: "meridian token --role admin", Shows: `^ey`},
	{Command: "meridian seed --format shopify --products 80000 --out big.csv",
		Run: "meridian seed --format shopify --products 60 --out products.csv"},
	{Command: "meridian import --check FILE", Run: "meridian import --check products.csv"},
	{Block: "docs/importing.md: Over HTTP", Shows: `"state":"(queued|running|done)"`},
	{Command: "meridian import products.csv", Shows: `60`},
	{Command: "curl -i", Run: `curl -si "$EDGE/api/v1/categories"`, Shows: `(?i)x-cache: `},
	{Command: "curl $CONSUL/v1/query/cart/execute",
		Run: `curl -s "$CONSUL/v1/query/cart/execute"`, Shows: `"Datacenter":"us-east"`},
	{Command: "meridian geo explain --country BR --location GRU --json"},
	{Command: "meridian sql --print", Run: `meridian sql --print --source "$ROOT"`, Shows: `SELECT`},
	{Command: "meridian migrate"},
	{Command: "meridian edge plan"},
	{Command: "meridian edge apply"},
	{Command: "meridian edge purge --tag product:prd_…"},
	{Command: "meridian edge purge --everything"},
	{Command: "meridian region show NAME", Run: "meridian region show eu-west --json"},
	{Command: "meridian search check", Patience: patience},
	{Command: "meridian search rebuild --region eu-west"},
	{Command: "meridian search check --region eu-west", Patience: patience},
	{Command: "make loadtest", Run: "make loadtest ARGS=--short", Shows: `visits, .* 0\.00 % failed`},
	{Command: "make nearness", Run: "make nearness ARGS=--short", Shows: ` 0 reads failed`},
	{Command: "make bench", Run: "make bench ARGS=--short",
		Shows: `(?s)edge-hit.*catalog-list.*catalog-product.*cart-add.*checkout`},
	{Command: `make bench ARGS="checkout --clients 1"`,
		Run: `make bench ARGS="checkout --clients 1 --short"`, Shows: `checkout`},
	{Command: `make bench ARGS="--json"`, Run: `make bench ARGS="edge-hit --json --short"`, Shows: `"ratio"`},
	{Command: `make bench ARGS="--profile /tmp/profiles"`,
		Run:   `make bench ARGS="edge-hit --short --profile $WORK/profiles" && ls $WORK/profiles`,
		Shows: `edge-hit-edge\.pprof`},
	{Command: "meridian doctor", Patience: patience},
	// An idle shop has no lag: everything but a lag of 0 fails.
	{Command: "meridian doctor --json", Patience: patience, Run: `meridian doctor --json > "$WORK/doctor.json" &&
		! tr -d ' \n' < "$WORK/doctor.json" | grep -oE '"name":"group[^"]*lag[^"]*","value":[1-9][0-9]*'`},
	{Command: "meridian audit"},
	{Command: "meridian audit --json --settle 15s", Shows: `"orders"`},
	{Command: "meridian link list"},
	{Command: "meridian link list --json"},
	{Command: "meridian link delay A B --latency 200ms", Run: "meridian link delay us-east eu-west --latency 200ms"},
	{Command: "meridian link cut A B", Run: "meridian link cut us-east eu-west"},
	{Command: "meridian link heal A B", Run: "meridian link heal us-east eu-west"},
	{Command: "meridian down"},
}

// ending are run last, each of them apart from the shop of executed.
var ending = []execution{
	{Command: "make run", Run: "make run ARGS=\"$SHOP\""}, // until it is ready, and then Ctrl-C
	{Command: "make clean",
		Run: `mkdir -p "$WORK/clone/bin" && cd "$WORK/clone" && make -f "$ROOT/Makefile" clean && [ ! -e bin ]`},
	{Command: "make help"},
}

// exclusion is a documented command that CI does not run. Its flags, targets and tests are checked all the same.
type exclusion struct{ Command, Reason string }

var excluded = []exclusion{
	{"make run-compose", "needs a Docker daemon"},
	{"make check-release", "takes about 25 minutes; it is run before a release"},
	{"make terraform-local-check",
		"builds OpenTofu where Terraform is missing, and starts shops of its own; make check-release runs it"},
	{`make bench ARGS="--profile DIR"`, "the form with a folder's name in docs/performance.md is run"},
}
