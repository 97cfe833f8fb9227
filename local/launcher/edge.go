package launcher

import (
	"context"
	"errors"
	"fmt"

	"github.com/meridian-store/meridian/edge/cloudflare"
	"github.com/meridian-store/meridian/edge/rule"
	"github.com/meridian-store/meridian/kit/secret"
	"github.com/meridian-store/meridian/local/process"
	"github.com/meridian-store/meridian/regions"
)

// The zone that the edge on this machine stands for: ids in the form of Cloudflare's, which name nothing there.
const (
	edgeZone     = "6d6572696469616e206c6f63616c207a"
	edgeAccount  = "6d6572696469616e206c6f63616c2061"
	edgeHostname = "shop.meridian.localhost"
	edgePlan     = cloudflare.Enterprise
	// edgeProbes is what the monitor is told, in seconds; the edge on this machine looks each second, whatever it is told.
	edgeProbes = 60
	edgeState  = "edge.json"
)

// edgeSpec gives the process of the edge. It is told its rules and origins afterwards, as Cloudflare is.
func (l *launcher) edgeSpec() process.Spec {
	args := []string{
		"engine", "edge", "--listen", address(l.ports.Edge()), "--admin", address(l.ports.EdgeAdmin()), "--api", address(l.ports.EdgeAPI()),
		"--state", l.Home.Path("data", edgeState), "--zone", edgeZone, "--account", edgeAccount, "--plan", string(edgePlan),
	}
	for i, region := range l.Regions {
		for j, other := range l.Regions {
			if i != j {
				args = append(args, "--link", region.Name+"="+other.Name+"="+address(l.ports.Link(i, j)))
			}
		}
	}
	if l.Links != "" {
		args = append(args, "--links", string(l.Links))
	}
	return process.Spec{
		Name: "edge", Path: l.Binary, Args: args,
		Env:     append(append(l.regionsEnv(), "MERIDIAN_EDGE_SECRET="+l.secrets.Edge, "MERIDIAN_EDGE_API_TOKEN="+l.secrets.EdgeAPI), profilingEnv()...),
		LogFile: l.Home.Log("", "edge"),
		// It may not have been told anything yet, and so is not ready for shoppers; applyEdge follows.
		Ready: func(ctx context.Context) error { return askOK(ctx, l.url(l.ports.EdgeAdmin())+"/health") },
	}
}

// applyEdge tells the edge the shipped rules and every region's gateway, whether or not it runs yet.
func (l *launcher) applyEdge(ctx context.Context) error {
	shop, err := edgeShop(l.Regions, l.ports)
	if err != nil {
		return err
	}
	desired, err := cloudflare.Desired(shop)
	if err != nil {
		return err
	}
	client, err := cloudflare.NewClient(edgeAccess(l.ports, l.secrets))
	if err != nil {
		return err
	}
	diff, err := client.Diff(ctx, desired)
	if err != nil {
		return fmt.Errorf("tell the edge its rules: %w", err)
	}
	if err := client.Apply(ctx, diff); err != nil {
		return fmt.Errorf("tell the edge its rules: %w", err)
	}
	return nil
}

func edgeShop(all []regions.Region, ports Ports) (cloudflare.Shop, error) {
	rules, err := rule.Default()
	if err != nil {
		return cloudflare.Shop{}, err
	}
	shop := cloudflare.Shop{Rules: rules, Hostname: edgeHostname, Plan: edgePlan, ProbeEvery: edgeProbes}
	for i, region := range all {
		shop.Regions = append(shop.Regions, cloudflare.Region{Region: region.Region.Region, Origin: "http://" + address(ports.Gateway(i))})
	}
	return shop, nil
}

func edgeAccess(ports Ports, s secrets) cloudflare.Access {
	return cloudflare.Access{URL: "http://" + address(ports.EdgeAPI()), Token: secret.New(s.EdgeAPI), Zone: edgeZone, Account: edgeAccount}
}

// Edge gives what `meridian edge` works on by default: the API of the edge that runs from a home, and what it is to be told.
func Edge(home Home, state State, all []regions.Region) (cloudflare.Access, cloudflare.Shop, error) {
	var s secrets
	found, err := home.readJSON(secretsFile, &s)
	if err != nil {
		return cloudflare.Access{}, cloudflare.Shop{}, err
	}
	if !found || s.EdgeAPI == "" {
		return cloudflare.Access{}, cloudflare.Shop{}, errors.New("the edge's token is not in " + home.Dir() + ": run `meridian up`")
	}
	ports := Ports{Base: state.BasePort}
	shop, err := edgeShop(all, ports)
	return edgeAccess(ports, s), shop, err
}
