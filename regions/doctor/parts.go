package doctor

import (
	"fmt"

	"github.com/meridian-store/meridian/local/engine"
	"github.com/meridian-store/meridian/local/launcher"
	"github.com/meridian-store/meridian/regions"
)

// programs looks for the engines' programs on this machine.
func programs() []Finding {
	var found []Finding
	for _, name := range []engine.Name{engine.Postgres, engine.Redis, engine.Consul} {
		if _, err := engine.Find(name); err != nil {
			found = append(found, Finding{Part: string(name), Problem: "its program is missing", Evidence: err.Error(), Remedy: "make engines"})
		}
	}
	return found
}

// parts judges every process of a copy by what the status says of it.
func parts(home launcher.Home, status launcher.Status, all []regions.Region) []Finding {
	if !status.Running {
		return []Finding{{Part: "meridian", Problem: "no copy runs", Evidence: "nothing holds " + home.Dir(), Remedy: "meridian up"}}
	}
	var found []Finding
	judge := func(region, name string, ready bool, pid, restarts int) {
		part := name
		if region != "" {
			part = region + "/" + name
		}
		if outside(all, region, name) {
			return // it has no process here; its examination says whether it answers
		}
		log := "read " + home.Log(region, name)
		switch {
		case !ready && pid == 0:
			found = append(found, Finding{part, "its process has ended and has not come back", fmt.Sprintf("%d restarts so far", restarts), log})
		case !ready:
			found = append(found, Finding{part, "it does not answer as ready", fmt.Sprintf("process %d runs", pid), log})
		case restarts > manyRestarts:
			found = append(found, Finding{part, "it keeps dying", fmt.Sprintf("it has been restarted %d times", restarts), log})
		}
	}
	judge("", "edge", status.Edge.Ready, status.Edge.PID, status.Edge.Restarts)
	judge("", partSQL, status.SQL.Ready, status.SQL.PID, status.SQL.Restarts)
	if launcher.OwnsProvider() {
		judge("", "provider", status.Provider.Ready, status.Provider.PID, status.Provider.Restarts)
	}
	if len(status.Links.Items) > 0 {
		judge("", "links", status.Links.Ready, status.Links.PID, status.Links.Restarts)
	}
	for _, region := range status.Regions {
		for _, service := range region.Services {
			judge(region.Name, service.Name, service.Ready, service.PID, service.Restarts)
		}
		for _, engine := range region.Engines {
			judge(region.Name, engine.Name, engine.Ready, engine.PID, engine.Restarts)
		}
	}
	return found
}

// outside says whether an engine stands elsewhere, by the region files. The SQL server has no region.
func outside(all []regions.Region, region, engine string) bool {
	for _, r := range all {
		switch {
		case region == "" && engine == partSQL && r.Engines.SQL != "",
			r.Name == region && engine == "redis" && r.Engines.Redis != "",
			r.Name == region && engine == "consul" && r.Engines.Consul != "",
			r.Name == region && engine == "broker" && len(r.Engines.Brokers) > 0,
			r.Name == region && engine == "search-engine" && r.Engines.Typesense != "":
			return true
		}
	}
	return false
}
