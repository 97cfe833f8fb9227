package doctor

import "fmt"

// parts judges every process of a shop by its status.
func parts(s Subject) []Finding {
	shop := s.Status
	if !shop.Running {
		return []Finding{{Part: "meridian", Problem: "no copy runs", Evidence: "nothing holds " + shop.Home, Remedy: "meridian up"}}
	}
	var found []Finding
	judge := func(region, name string, ready bool, pid, restarts int) {
		part := name
		if region != "" {
			part = region + "/" + name
		}
		if s.outside(region, name) {
			return // it has no process here; its examination says whether it answers
		}
		log := "read " + s.log(region, name)
		switch {
		case !ready && pid == 0:
			found = append(found, Finding{part, ProblemEnded, fmt.Sprintf("%d restarts so far", restarts), log})
		case !ready:
			found = append(found, Finding{part, ProblemNotReady, fmt.Sprintf("process %d runs", pid), log})
		case restarts > manyRestarts:
			found = append(found, Finding{part, ProblemRestarts, fmt.Sprintf("it has been restarted %d times", restarts), log})
		}
	}
	judge("", "edge", shop.Edge.Ready, shop.Edge.PID, shop.Edge.Restarts)
	judge("", partSQL, shop.SQL.Ready, shop.SQL.PID, shop.SQL.Restarts)
	if s.Sandbox {
		judge("", "provider", shop.Provider.Ready, shop.Provider.PID, shop.Provider.Restarts)
	}
	if len(shop.Links.Items) > 0 {
		judge("", "links", shop.Links.Ready, shop.Links.PID, shop.Links.Restarts)
	}
	for _, region := range shop.Regions {
		for _, service := range region.Services {
			judge(region.Name, service.Name, service.Ready, service.PID, service.Restarts)
		}
		for _, engine := range region.Engines {
			judge(region.Name, engine.Name, engine.Ready, engine.PID, engine.Restarts)
		}
	}
	return found
}
