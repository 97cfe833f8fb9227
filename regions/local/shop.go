package local

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/meridian-store/meridian/regions"
	"github.com/meridian-store/meridian/regions/cluster"
	"github.com/meridian-store/meridian/regions/process"
)

// regionSpecs gives the processes of every region: one each, or with --split one for each service.
func (l *launcher) regionSpecs() []process.Spec {
	var specs []process.Spec
	for i, region := range l.Regions {
		if !l.Split {
			specs = append(specs, l.shopSpec(i, region, "region", []string{"region", region.Name}, cluster.Names()))
			continue
		}
		for _, service := range cluster.Names() {
			specs = append(specs, l.shopSpec(i, region, service, []string{"service", service, "--region", region.Name}, []string{service}))
		}
	}
	return specs
}

func (l *launcher) shopSpec(i int, region regions.Region, name string, args, services []string) process.Spec {
	return process.Spec{
		Name: region.Name + "/" + name, Path: l.Binary, Args: args, Env: l.serviceEnv(i, region, services),
		LogFile: l.Home.Log(region.Name, name), StopTimeout: 15 * time.Second,
		Ready: l.servicesReady(i, services),
	}
}

// serviceEnv is what the services of one process find in their environment, and no more: a process of one service is not told
// the other services' passwords.
func (l *launcher) serviceEnv(i int, region regions.Region, services []string) []string {
	env := []string{
		"MERIDIAN_LISTEN_HOST=127.0.0.1",
		"MERIDIAN_LOG_DIR=" + l.Home.Path("logs", region.Name),
		"MERIDIAN_REDIS_ADDRESS=" + l.redisAddress(i), "MERIDIAN_REDIS_PASSWORD=" + l.secrets.Redis[region.Name],
		"MERIDIAN_BROKERS=" + strings.Join(l.brokers(i), ","), "MERIDIAN_CONSUL_ADDRESS=" + l.consulAddress(i),
		"MERIDIAN_JWKS=" + l.jwks, "MERIDIAN_INTERNAL_SECRET=" + l.secrets.Internal, "MERIDIAN_EDGE_SECRET=" + l.secrets.Edge,
	}
	for _, service := range services {
		own := strings.ToUpper(service)
		env = append(env,
			"MERIDIAN_PORT_"+own+"="+strconv.Itoa(l.ports.Service(i, service)),
			"MERIDIAN_SQL_URL_"+own+"="+l.sqlURL(i, service))
	}
	return append(env, l.regionsEnv()...)
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

// edgeSpec gives the process of the edge, which knows every region's gateway.
func (l *launcher) edgeSpec() process.Spec {
	args := []string{"engine", "edge", "--listen", address(l.ports.Edge()), "--admin", address(l.ports.EdgeAdmin())}
	for i, region := range l.Regions {
		args = append(args, "--origin", region.Name+"="+l.url(l.ports.Gateway(i)))
	}
	return process.Spec{
		Name: "edge", Path: l.Binary, Args: args, Env: append(l.regionsEnv(), "MERIDIAN_EDGE_SECRET="+l.secrets.Edge),
		LogFile: l.Home.Log("", "edge"),
		Ready:   func(ctx context.Context) error { return askReady(ctx, l.url(l.ports.EdgeAdmin())) },
	}
}

// askReady is nil when /ready at an address answers 200.
func askReady(ctx context.Context, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/ready", nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	if err := response.Body.Close(); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s/ready answers %d", url, response.StatusCode)
	}
	return nil
}
