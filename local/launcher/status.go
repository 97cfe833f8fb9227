package launcher

import (
	"context"
	"slices"
	"sync"

	"github.com/meridian-store/meridian/local/process"
	"github.com/meridian-store/meridian/regions"
	"github.com/meridian-store/meridian/regions/cluster"
	"github.com/meridian-store/meridian/regions/status"
)

// ReadStatus asks every service of the copy of a home, and reads of its engines what the launcher last wrote. false: none runs.
func ReadStatus(ctx context.Context, home Home, all []regions.Region) (status.Shop, bool, error) {
	state, found, err := ReadState(home)
	if err != nil || !found {
		return status.Shop{Home: home.Dir()}, false, err
	}
	shop := state.Layout(home, all)
	var wait sync.WaitGroup
	ask := func(url string, alive bool, ready *bool) {
		wait.Go(func() {
			*ready = alive && patiently(ctx, func(ctx context.Context) error { return askReady(ctx, url) }) == nil
		})
	}
	wait.Go(func() { shop.Edge.Ready = shop.Edge.PID != 0 && patiently(ctx, state.askEdge) == nil })
	for i := range shop.Regions {
		for j := range shop.Regions[i].Services {
			service := &shop.Regions[i].Services[j]
			ask(service.URL, service.PID != 0, &service.Ready)
		}
	}
	wait.Wait()
	if shop.Links, err = state.links(home); err != nil {
		return shop, true, err
	}
	judge(&shop)
	return shop, true, nil
}

// Layout says where everything is, with the pids of what lives.
func (s State) Layout(home Home, all []regions.Region) status.Shop {
	ports := Ports{Base: s.BasePort}
	shop := status.Shop{
		Running: s.Running(), Home: home.Dir(), SQL: s.engine("postgres", "postgres", address(ports.SQL())),
		Provider: s.engine(providerName, providerName, address(ports.Provider())),
	}
	if shop.Running {
		shop.PID = s.Up.PID
	}
	edge := s.child("edge")
	shop.Edge = status.Edge{URL: s.EdgeURL, PID: edge.PID, Restarts: edge.Restarts}
	for i, name := range s.Regions {
		if !s.isStarted(name) {
			continue
		}
		region := status.Region{
			Name: name, GatewayURL: "http://" + address(ports.Gateway(i)), ConsulURL: "http://" + address(ports.ConsulHTTP(i)) + "/ui/",
		}
		for _, service := range cluster.Names() {
			process := name + "/region"
			if s.Split {
				process = name + "/" + service
			}
			child := s.child(process)
			region.Services = append(region.Services, status.Service{
				Name: service, URL: "http://" + address(ports.Service(i, service)), PID: child.PID, Restarts: child.Restarts,
			})
		}
		addresses := map[string]string{"redis": address(ports.Redis(i)), "consul": address(ports.ConsulHTTP(i)), "broker": address(ports.Broker(i)), searchEngine: address(ports.Search(i))}
		if j := slices.IndexFunc(all, func(r regions.Region) bool { return r.Name == name }); j >= 0 {
			outside(addresses, all[j].Engines)
		}
		for _, engine := range []string{"redis", "consul", "broker", searchEngine} {
			region.Engines = append(region.Engines, s.engine(name+"/"+engine, engine, addresses[engine]))
		}
		shop.Regions = append(shop.Regions, region)
	}
	return shop
}

// outside replaces the addresses of engines that the region's file names.
func outside(addresses map[string]string, engines regions.Engines) {
	if engines.Redis != "" {
		addresses["redis"] = engines.Redis
	}
	if engines.Consul != "" {
		addresses["consul"] = engines.Consul
	}
	if len(engines.Brokers) > 0 {
		addresses["broker"] = engines.Brokers[0]
	}
	if engines.Typesense != "" {
		addresses[searchEngine] = engines.Typesense
	}
}

// child gives what is known of a process; one that has ended has pid 0 and is not ready.
func (s State) child(name string) process.State {
	for _, child := range s.Processes {
		if child.Name == name {
			if child.PID == 0 || !child.Identity().Alive() {
				child.PID, child.Ready = 0, false
			}
			return child
		}
	}
	return process.State{Name: name}
}

func (s State) engine(process, name, address string) status.Engine {
	child := s.child(process)
	return status.Engine{Name: name, Address: address, Ready: child.Ready, PID: child.PID, Restarts: child.Restarts}
}

// judge decides whether each region, and the whole, is ready.
func judge(shop *status.Shop) {
	shop.Ready = shop.Running && shop.Edge.Ready && shop.SQL.Ready && (shop.Provider.Ready || !OwnsProvider()) &&
		shop.Links.OK()
	for i := range shop.Regions {
		region := &shop.Regions[i]
		region.Ready = !slices.ContainsFunc(region.Services, func(x status.Service) bool { return !x.Ready }) &&
			!slices.ContainsFunc(region.Engines, func(x status.Engine) bool { return !x.Ready && x.PID != 0 })
		shop.Ready = shop.Ready && region.Ready
	}
}
