package launcher

import (
	"context"
	"slices"
	"sync"

	"github.com/meridian-store/meridian/local/process"
	"github.com/meridian-store/meridian/regions"
	"github.com/meridian-store/meridian/regions/cluster"
)

// Status is what `meridian status --json` prints.
type Status struct {
	// Running says whether the launcher lives; Ready whether all that it started answers.
	Running bool         `json:"running"`
	Ready   bool         `json:"ready"`
	PID     int          `json:"pid"`
	Home    string       `json:"home"`
	Edge    EdgeStatus   `json:"edge"`
	SQL     EngineStatus `json:"sql"`
	// Provider is the payment sandbox; pid 0 is a provider that stands elsewhere.
	Provider EngineStatus   `json:"provider"`
	Links    LinksStatus    `json:"links"`
	Regions  []RegionStatus `json:"regions"`
}

// EdgeStatus is the state of the edge.
type EdgeStatus struct {
	URL      string `json:"url"`
	Ready    bool   `json:"ready"`
	PID      int    `json:"pid"`
	Restarts int    `json:"restarts"`
}

// RegionStatus is the state of one region: ready when each of its services and engines is.
type RegionStatus struct {
	Name       string          `json:"name"`
	GatewayURL string          `json:"gateway_url"`
	ConsulURL  string          `json:"consul_url"`
	Ready      bool            `json:"ready"`
	Services   []ServiceStatus `json:"services"`
	Engines    []EngineStatus  `json:"engines"`
}

// Engine finds an engine by its name, such as "broker".
func (r RegionStatus) Engine(name string) (EngineStatus, bool) {
	i := slices.IndexFunc(r.Engines, func(e EngineStatus) bool { return e.Name == name })
	if i < 0 {
		return EngineStatus{}, false
	}
	return r.Engines[i], true
}

// ServiceStatus is the state of one service; services of one process share its pid.
type ServiceStatus struct {
	Name     string `json:"name"`
	URL      string `json:"url"`
	Ready    bool   `json:"ready"`
	PID      int    `json:"pid"`
	Restarts int    `json:"restarts"`
}

// EngineStatus is the state of one engine; pid 0 is an engine that stands elsewhere.
type EngineStatus struct {
	Name     string `json:"name"`
	Address  string `json:"address"`
	Ready    bool   `json:"ready"`
	PID      int    `json:"pid"`
	Restarts int    `json:"restarts"`
}

// ReadStatus asks every service of the copy of a home, and reads of its engines what the launcher last wrote. false: none runs.
func ReadStatus(ctx context.Context, home Home, all []regions.Region) (Status, bool, error) {
	state, found, err := ReadState(home)
	if err != nil || !found {
		return Status{Home: home.Dir()}, false, err
	}
	status := state.Layout(home, all)
	var wait sync.WaitGroup
	ask := func(url string, alive bool, ready *bool) {
		wait.Go(func() {
			*ready = alive && patiently(ctx, func(ctx context.Context) error { return askReady(ctx, url) }) == nil
		})
	}
	wait.Go(func() { status.Edge.Ready = status.Edge.PID != 0 && patiently(ctx, state.askEdge) == nil })
	for i := range status.Regions {
		for j := range status.Regions[i].Services {
			service := &status.Regions[i].Services[j]
			ask(service.URL, service.PID != 0, &service.Ready)
		}
	}
	wait.Wait()
	if status.Links, err = state.links(home); err != nil {
		return status, true, err
	}
	status.judge()
	return status, true, nil
}

// Layout says where everything is, with the pids of what lives.
func (s State) Layout(home Home, all []regions.Region) Status {
	ports := Ports{Base: s.BasePort}
	status := Status{Running: s.Running(), Home: home.Dir(), SQL: s.engine("postgres", "postgres", address(ports.SQL())), Provider: s.engine(providerName, providerName, address(ports.Provider()))}
	if status.Running {
		status.PID = s.Up.PID
	}
	edge := s.child("edge")
	status.Edge = EdgeStatus{URL: s.EdgeURL, PID: edge.PID, Restarts: edge.Restarts}
	for i, name := range s.Regions {
		if !s.isStarted(name) {
			continue
		}
		region := RegionStatus{Name: name, GatewayURL: "http://" + address(ports.Gateway(i)), ConsulURL: "http://" + address(ports.ConsulHTTP(i)) + "/ui/"}
		for _, service := range cluster.Names() {
			process := name + "/region"
			if s.Split {
				process = name + "/" + service
			}
			child := s.child(process)
			region.Services = append(region.Services, ServiceStatus{
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
		status.Regions = append(status.Regions, region)
	}
	return status
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

func (s State) engine(process, name, address string) EngineStatus {
	child := s.child(process)
	return EngineStatus{Name: name, Address: address, Ready: child.Ready, PID: child.PID, Restarts: child.Restarts}
}

// judge says whether each region, and the whole, is ready.
func (s *Status) judge() {
	s.Ready = s.Running && s.Edge.Ready && s.SQL.Ready && (s.Provider.Ready || !OwnsProvider()) && s.Links.ok()
	for i := range s.Regions {
		region := &s.Regions[i]
		region.Ready = !slices.ContainsFunc(region.Services, func(x ServiceStatus) bool { return !x.Ready }) &&
			!slices.ContainsFunc(region.Engines, func(x EngineStatus) bool { return !x.Ready && x.PID != 0 })
		s.Ready = s.Ready && region.Ready
	}
}
