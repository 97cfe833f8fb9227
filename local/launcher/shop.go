package launcher

import (
	"context"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit"
	"github.com/meridian-store/meridian/kit/httpclient"
	"github.com/meridian-store/meridian/local/process"
	"github.com/meridian-store/meridian/regions"
	"github.com/meridian-store/meridian/regions/cluster"
)

// serviceStop is how long a service may take to end in order. A charge under way may have to wait for the payment provider's limit.
const serviceStop = 25 * time.Second

// regionSpecs gives the processes of the i-th region: one, or with --split one for each service.
func (l *launcher) regionSpecs(i int) []process.Spec {
	region := l.Regions[i]
	if !l.Split {
		return []process.Spec{l.shopSpec(i, region, "region", []string{"region", "run", region.Name}, cluster.Names())}
	}
	var specs []process.Spec
	for _, service := range cluster.Names() {
		specs = append(specs, l.shopSpec(i, region, service, []string{"service", service, "--region", region.Name}, []string{service}))
	}
	return specs
}

func (l *launcher) shopSpec(i int, region regions.Region, name string, args, services []string) process.Spec {
	return process.Spec{
		Name: region.Name + "/" + name, Path: l.Binary, Args: args, Env: l.serviceEnv(i, region, services),
		LogFile: l.Home.Log(region.Name, name), StopTimeout: serviceStop,
		Ready: l.servicesReady(i, services),
	}
}

// serviceEnv is what the services of one process find in their environment, and no more: a process of one service is told of the
// engines that it uses and of its own secrets, and not the other services'.
func (l *launcher) serviceEnv(i int, region regions.Region, services []string) []string {
	env := []string{
		"MERIDIAN_LISTEN_HOST=127.0.0.1",
		"MERIDIAN_LOG_DIR=" + l.Home.Path("logs", region.Name),
		"MERIDIAN_CONSUL_ADDRESS=" + l.consulAddress(i),
		"MERIDIAN_JWKS=" + l.jwks, "MERIDIAN_INTERNAL_SECRET=" + l.secrets.Internal,
		"MERIDIAN_CLOCK_OFFSET_FILE=" + l.Home.clockFile(region.Name),
	}
	for _, definition := range cluster.Services() {
		if slices.Contains(services, definition.Name) {
			env = append(env, l.ownEnv(i, region, definition)...)
		}
	}
	env = append(env, l.paymentEnv(services)...)
	return append(append(env, l.regionsEnv()...), profilingEnv()...)
}

// ownEnv is what one service is told beside what all are.
func (l *launcher) ownEnv(i int, region regions.Region, definition kit.Definition) []string {
	own := strings.ToUpper(definition.Name)
	env := []string{"MERIDIAN_PORT_" + own + "=" + strconv.Itoa(l.ports.Service(i, definition.Name))}
	if definition.Schema != nil {
		env = append(env, "MERIDIAN_SQL_URL_"+own+"="+l.sqlURL(i, definition.Name))
	}
	if definition.Broker != kit.None {
		env = append(env, "MERIDIAN_BROKERS="+strings.Join(l.brokers(i), ","))
	}
	if definition.Redis != kit.None {
		env = append(env, "MERIDIAN_REDIS_ADDRESS="+l.redisAddress(i), "MERIDIAN_REDIS_PASSWORD="+l.secrets.Redis[region.Name])
	}
	switch definition.Name {
	case contract.ServiceGateway:
		env = append(env, "MERIDIAN_EDGE_SECRET="+l.secrets.Edge, "MERIDIAN_PEERS="+l.peers(i))
	case contract.ServiceSearch:
		env = append(env, l.searchEnv(i)...)
	case contract.ServicePurge:
		env = append(env,
			"MERIDIAN_CLOUDFLARE_URL="+l.url(l.ports.EdgeAPI()), "MERIDIAN_CLOUDFLARE_TOKEN="+l.secrets.EdgeAPI,
			"MERIDIAN_CLOUDFLARE_ZONE="+edgeZone, "MERIDIAN_CLOUDFLARE_PLAN="+string(edgePlan))
	case contract.ServiceMirror:
		env = append(env, l.peerBrokers(i)...)
	case contract.ServiceOrder:
		env = append(env, "MERIDIAN_CUSTOMER_KEY="+l.secrets.Customers, "MERIDIAN_ORDER_ARCHIVE_DIR="+l.Home.Path("archive"))
	case contract.ServiceIdentity:
		env = append(env,
			"MERIDIAN_SIGNING_SEED="+hex.EncodeToString(l.secrets.SigningSeeds[region.Name]),
			"MERIDIAN_DIRECTORY_KEY="+l.secrets.Directory)
	}
	return env
}

// regionsEnv points a child at the same region files as this launcher's, when they are not the shipped ones.
func (l *launcher) regionsEnv() []string {
	if l.RegionsDir == "" {
		return nil
	}
	return []string{"MERIDIAN_REGIONS_DIR=" + l.RegionsDir}
}

// servicesReady asks every service of a process whether it is ready.
func (l *launcher) servicesReady(i int, services []string) func(context.Context) error {
	return func(ctx context.Context) error {
		for _, service := range services {
			if err := askReady(ctx, l.url(l.ports.Service(i, service))); err != nil {
				return fmt.Errorf("%s: %w", service, err)
			}
		}
		return nil
	}
}

// askEdge is nil when the edge can serve; while no region is started there is nothing behind it, and that it lives is enough.
func (s State) askEdge(ctx context.Context) error {
	admin := "http://" + address(Ports{Base: s.BasePort}.EdgeAdmin())
	if len(s.Started) == 0 {
		return askOK(ctx, admin+"/health")
	}
	return askReady(ctx, admin)
}

// askReady is nil when /ready at an address answers 200.
func askReady(ctx context.Context, url string) error { return askOK(ctx, url+"/ready") }

func askOK(ctx context.Context, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil) //nolint:gosec // on this machine, at a port of ours
	if err != nil {
		return err
	}
	response, err := httpclient.Default.Do(request) //nolint:gosec // as above
	if err != nil {
		return err
	}
	if err := response.Body.Close(); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %d", url, response.StatusCode)
	}
	return nil
}
