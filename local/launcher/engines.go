package launcher

import (
	"context"
	"fmt"

	"github.com/meridian-store/meridian/local/engine/broker"
	"github.com/meridian-store/meridian/local/engine/consul"
	"github.com/meridian-store/meridian/local/engine/postgres"
	"github.com/meridian-store/meridian/local/engine/redis"
	"github.com/meridian-store/meridian/local/engine/search"
	"github.com/meridian-store/meridian/local/process"
	"github.com/meridian-store/meridian/regions"
)

// engineSpecs gives the engines that the region files do not say stand elsewhere.
func (l *launcher) engineSpecs(ctx context.Context) ([]process.Spec, error) {
	var specs []process.Spec
	if l.ownsSQL() {
		spec, err := postgres.Spec(postgres.Config{
			Name: "postgres", DataDir: l.Home.Path("data", "postgres"), Port: l.ports.SQL(), Password: l.secrets.SQLAdmin, LogFile: l.Home.Log("", "postgres"),
		})
		if err != nil {
			return nil, err
		}
		specs = append(specs, spec)
	}
	if OwnsProvider() {
		specs = append(specs, l.providerSpec())
	}
	state := l.snapshot()
	for i, region := range l.Regions {
		if !state.isStarted(region.Name) {
			continue
		}
		own, err := l.regionEngines(ctx, i, region)
		if err != nil {
			return nil, err
		}
		specs = append(specs, own...)
	}
	return specs, nil
}

func (l *launcher) regionEngines(ctx context.Context, i int, region regions.Region) ([]process.Spec, error) {
	var specs []process.Spec
	data := func(name string) string { return l.Home.Path("data", region.Name, name) }
	if region.Engines.Redis == "" {
		spec, err := redis.Spec(redis.Config{
			Name: region.Name + "/redis", DataDir: data("redis"), Port: l.ports.Redis(i), Password: l.secrets.Redis[region.Name], LogFile: l.Home.Log(region.Name, "redis"),
		})
		if err != nil {
			return nil, err
		}
		specs = append(specs, spec)
	}
	if region.Engines.Consul == "" {
		spec, err := consul.Spec(ctx, l.consulConfig(i, region))
		if err != nil {
			return nil, err
		}
		specs = append(specs, spec)
	}
	if len(region.Engines.Brokers) == 0 {
		specs = append(specs, broker.Process{
			Name: region.Name + "/broker", Meridian: l.Binary, Address: address(l.ports.Broker(i)), DataDir: data("broker"), LogFile: l.Home.Log(region.Name, "broker"),
		}.Spec())
	}
	if region.Engines.Typesense == "" {
		specs = append(specs, search.Process{
			Name: region.Name + "/" + searchEngine, Meridian: l.Binary, Address: address(l.ports.Search(i)), DataDir: data(searchEngine),
			AdminKey: l.secrets.Search[region.Name], LogFile: l.Home.Log(region.Name, searchEngine),
		}.Spec())
	}
	return specs, nil
}

// searchEngine is the engine's process, beside the service that is called search.
const searchEngine = "search-engine"

// searchEnv is where a region's search engine is, and what to present to it. One that stands elsewhere has its key in this process's
// environment, which the child inherits.
func (l *launcher) searchEnv(i int) []string {
	if outside := l.Regions[i].Engines.Typesense; outside != "" {
		return []string{"MERIDIAN_TYPESENSE_URL=" + outside}
	}
	return []string{"MERIDIAN_TYPESENSE_URL=" + l.url(l.ports.Search(i)), "MERIDIAN_TYPESENSE_KEY=" + l.secrets.Search[l.Regions[i].Name]}
}

func (l *launcher) consulConfig(i int, region regions.Region) consul.Config {
	config := consul.Config{
		Name: region.Name + "/consul", Datacenter: region.Name, LogFile: l.Home.Log(region.Name, "consul"),
		Ports: consul.Ports{HTTP: l.ports.ConsulHTTP(i), SerfLAN: l.ports.ConsulLAN(i), SerfWAN: l.ports.ConsulWAN(i), Server: l.ports.ConsulRPC(i)},
		// A datacenter remembers its ports, and holds nothing that the services do not tell it again.
		DataDir: l.Home.Path("data", region.Name, fmt.Sprintf("consul-%d", l.ports.Base)),
	}
	for j := range l.Regions {
		if j != i {
			config.JoinWAN = append(config.JoinWAN, address(l.ports.ConsulWAN(j)))
		}
	}
	return config
}

func (l *launcher) redisAddress(i int) string {
	if outside := l.Regions[i].Engines.Redis; outside != "" {
		return outside
	}
	return address(l.ports.Redis(i))
}

func (l *launcher) consulAddress(i int) string {
	if outside := l.Regions[i].Engines.Consul; outside != "" {
		return outside
	}
	return address(l.ports.ConsulHTTP(i))
}

func (l *launcher) brokers(i int) []string {
	if outside := l.Regions[i].Engines.Brokers; len(outside) > 0 {
		return outside
	}
	return []string{address(l.ports.Broker(i))}
}
