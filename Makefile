# Meridian's two commands are `make run` and `make test`; `make help` lists the rest. ARGS="…" hands flags to a target's program.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Builds that do not depend on where the clone is: a second clone finds in Go's cache what the first one built.
export GOFLAGS := -trimpath $(GOFLAGS)

CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/meridian
LINT_VERSION := v2.15.0
LINT := $(CACHE)/tools/golangci-lint-$(LINT_VERSION)/golangci-lint
K6_VERSION := v1.8.1
K6 := $(CACHE)/tools/k6-$(K6_VERSION)/k6

# Tests that do thousands of checkouts or changes: the race detector makes each take ten times as long, so they do fewer under it.
FULL_SIZE := ^(TestACodeIsUsedAsOftenAsItMay|TestWhatAFailedOrderUsedIsForOthers|TestQuoteIsOrderIsCharge|TestTheIndexIsTheCatalogAfterTenThousandChanges)$$

.PHONY: run
run: engines build ## Start three regions and the edge on this machine, with a seeded shop; Ctrl-C stops it all
	@bin/meridian up --seed $(ARGS)

.PHONY: run-compose
run-compose: build ## As run, on CockroachDB, Redpanda, Redis and Consul in Docker (compose.yaml)
	@local/compose/run.sh $(ARGS)

# The journeys run alone: a copy of three regions fills two cores, and keeps deadlines that another suite beside it would make it miss.
.PHONY: test
test: engines ## Run every test, with the race detector, against real engines
	@echo "==> Running all tests but the journeys, with the race detector (about 7 minutes on 2 cores; engines start and stop by themselves)"
	@packages=$$(go list ./...); go test -race -timeout 15m $$(grep -v '/journeys$$' <<< "$$packages")
	@echo "==> Running at full size, without the race detector, what runs at a tenth of it above"
	@go test -timeout 10m -v -run '$(FULL_SIZE)' ./services/order ./services/search | grep -vE 'log.go:|^=== '
	@echo "==> Running the journeys, alone: the whole shop through its edge (about 7 minutes on 2 cores)"
	@go test -race -timeout 20m ./journeys

.PHONY: check-cockroach
check-cockroach: ## Have CockroachDB's own parser read the whole schema and every statement
	@echo "==> Parsing with CockroachDB's parser (the first time about 2 minutes on 2 cores)"
	@cd kit/sqldb/cockroach && go test -count=1 ./...

.PHONY: lint
lint: $(LINT) ## Check style, imports and likely bugs
	@echo "==> Checking with golangci-lint $(LINT_VERSION)"
	@$(LINT) run --allow-parallel-runners ./...
	@$(LINT) run --allow-parallel-runners --build-tags production . ./command

$(LINT):
	@echo "==> Building golangci-lint $(LINT_VERSION) from its Go module (once; about 3 minutes on 2 cores)"
	@GOBIN=$(dir $@) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION)

.PHONY: engines
engines: ## Make PostgreSQL, Redis and Consul available, without root, in the cache folder
	@bash local/engine/install.sh

.PHONY: build
build: ## Build bin/meridian
	@echo "==> Building bin/meridian (the first time about 2 minutes on 2 cores)"
	@go build -o bin/meridian .

.PHONY: build-production
build-production: ## Build bin/meridian-production: static, without what runs or breaks a copy on one machine
	@echo "==> Building bin/meridian-production"
	@CGO_ENABLED=0 go build -tags production -trimpath -ldflags '-s -w' -o bin/meridian-production .

.PHONY: loadtest
loadtest: engines build $(K6) ## Shoppers of 20 cities browse and buy for 30 s; fails when a threshold is missed; ARGS="--short"
	@go build -o bin/loadtest ./loadtest
	@bin/loadtest visits --k6 $(K6) $(ARGS)

.PHONY: nearness
nearness: engines build ## Read the catalog from 20 cities over realistic distances, from cold caches on; fails when one is not near; ARGS="--short"
	@go build -o bin/loadtest ./loadtest
	@bin/loadtest nearness $(ARGS)

$(K6):
	@echo "==> Building k6 $(K6_VERSION) from its Go module (once; about 2 minutes on 2 cores)"
	@GOBIN=$(dir $@) go install go.k6.io/k6@$(K6_VERSION)

.PHONY: bench
bench: engines build ## Measure paths as ratios to bare baselines; ARGS="--short", ARGS="--json" or ARGS="--profile DIR"
	@go build -o bin/bench ./loadtest/bench
	@bin/bench $(ARGS)

.PHONY: check-docs
check-docs: engines build ## Check every command of the documents: run it against a shop, or check its flags, targets and tests
	@go run ./docs/commands --run $(ARGS)

.PHONY: check-release
check-release: engines build $(K6) ## Run bench, loadtest and nearness at full length from empty homes, every drill, and Terraform
	@.ci/release

.PHONY: terraform-local-check
terraform-local-check: ## Show that terraform/local starts, mends and removes regions on this machine
	@bash terraform/local/check.sh

.PHONY: clean
clean: ## Stop what runs from here and delete binaries, data and logs
	@if [ -x bin/meridian ] && [ -d .meridian ]; then bin/meridian down; fi
	@rm -rf bin .meridian

.PHONY: help
help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-22s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
