package command

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/meridian-store/meridian/edge/cloudflare"
	"github.com/meridian-store/meridian/edge/rule"
	"github.com/meridian-store/meridian/kit/secret"
)

// exitDiffers is what `edge plan` ends with when something would be changed.
const exitDiffers = 2

type edges struct {
	Plan  edgePlan  `cmd:"" help:"Show what apply would change. Exit code 0: nothing, 2: something."`
	Apply edgeApply `cmd:"" help:"Bring rules, pools and the load balancer to the edge, after showing what changes."`
	Purge edgePurge `cmd:"" help:"Drop what the edge has kept, by tag, by address, or all of it."`
}

// edgeTarget is a zone at Cloudflare, or without one the edge of the running copy.
type edgeTarget struct {
	Zone     string            `help:"Id of a zone at Cloudflare; ${no_zone}."`
	Account  string            `help:"Id of the zone's account."`
	Hostname string            `help:"Where the zone's shoppers come, such as shop.example.com."`
	Tier     string            `name:"plan" help:"The zone's plan, which bounds what rules can say." enum:"free,pro,business,enterprise" default:"free"`
	Origin   map[string]string `help:"A region's gateway as <region>=<https://host>; repeat for each region."`
	Token    string            `env:"CLOUDFLARE_API_TOKEN" help:"A token for the zone (better given by the environment): see docs/cloudflare.md for its permissions."`
	Secret   string            `env:"MERIDIAN_EDGE_SECRET" help:"What gateways believe the zone by (better given by the environment); no rule sends it when absent."`
	JSON     bool              `help:"Print one JSON document."`
}

// Validate is kong's hook.
func (t *edgeTarget) Validate() error {
	if t.Zone == "" {
		return nil
	}
	if t.Token == "" {
		return errors.New("a zone at Cloudflare needs a token in CLOUDFLARE_API_TOKEN")
	}
	return nil
}

// validateZone is what plan and apply need to know of a zone beyond what purge does.
func (t *edgeTarget) validateZone() error {
	if t.Zone == "" {
		return nil
	}
	if t.Account == "" {
		return errors.New("--account is missing: the pools of --zone are in its account")
	}
	if t.Hostname == "" {
		return errors.New("--hostname is missing: the rules of --zone are for one hostname, such as shop.example.com")
	}
	return t.Validate()
}

// resolve gives what to talk to, and what it is to hold.
func (t *edgeTarget) resolve(e *env) (cloudflare.Access, cloudflare.Shop, error) {
	if t.Zone == "" {
		return e.copy.edge()
	}
	access, err := t.access()
	if err != nil {
		return access, cloudflare.Shop{}, err
	}
	proof, err := secret.Parse(t.Secret)
	if err != nil {
		return access, cloudflare.Shop{}, fmt.Errorf("MERIDIAN_EDGE_SECRET: %w", err)
	}
	rules, err := rule.Default()
	if err != nil {
		return access, cloudflare.Shop{}, err
	}
	const probeEverySeconds = 60
	shop := cloudflare.Shop{Rules: rules, Hostname: t.Hostname, Plan: cloudflare.Plan(t.Tier), EdgeSecret: proof.Current(), ProbeEvery: probeEverySeconds}
	all, err := e.allRegions()
	if err != nil {
		return access, shop, err
	}
	for _, region := range all {
		origin := t.Origin[region.Name]
		if origin == "" {
			return access, shop, failure{exitUsage, fmt.Errorf("--origin %s=https://… is missing: a zone has a pool for each region", region.Name)}
		}
		shop.Regions = append(shop.Regions, cloudflare.Region{Region: region.Region.Region, Origin: origin})
	}
	return access, shop, nil
}

// access returns the API of a zone at Cloudflare.
func (t *edgeTarget) access() (cloudflare.Access, error) {
	token, err := secret.Parse(t.Token)
	if err != nil {
		return cloudflare.Access{}, fmt.Errorf("CLOUDFLARE_API_TOKEN: %w", err)
	}
	return cloudflare.Access{Token: token, Zone: t.Zone, Account: t.Account}, nil
}

func (t *edgeTarget) diff(e *env) (*cloudflare.Client, *cloudflare.Diff, error) {
	access, shop, err := t.resolve(e)
	if err != nil {
		return nil, nil, err
	}
	for _, lack := range shop.Plan.Lacks() {
		fmt.Fprintln(e.err, lack)
	}
	desired, err := cloudflare.Desired(shop)
	if err != nil {
		return nil, nil, err
	}
	client, err := cloudflare.NewClient(access)
	if err != nil {
		return nil, nil, err
	}
	diff, err := client.Diff(e.ctx, desired)
	return client, diff, err
}

type edgePlan struct {
	edgeTarget `embed:""`
}

// Validate is kong's hook.
func (p *edgePlan) Validate() error { return p.validateZone() }

// Run shows and changes nothing.
func (p *edgePlan) Run(e *env) error {
	_, diff, err := p.diff(e)
	if err != nil {
		return err
	}
	if err := p.show(e.out, diff); err != nil {
		return err
	}
	if !diff.Empty() {
		return failure{exitDiffers, errors.New("the edge is not as it should be: `meridian edge apply` makes it so")}
	}
	return nil
}

// show prints every change, or that there is none.
func (t *edgeTarget) show(out io.Writer, diff *cloudflare.Diff) error {
	if t.JSON {
		return printJSON(out, diff)
	}
	for _, change := range diff.Changes {
		if change.Action != cloudflare.Unchanged {
			fmt.Fprintln(out, change)
		}
	}
	var err error
	if diff.Empty() {
		_, err = fmt.Fprintf(out, "Nothing changes: %d rules, pools and settings are as they should be.\n", len(diff.Changes))
	}
	return err
}

type edgeApply struct {
	edgeTarget `embed:""`
}

// Validate is kong's hook.
func (a *edgeApply) Validate() error { return a.validateZone() }

// Run shows what changes and changes it.
func (a *edgeApply) Run(e *env) error {
	client, diff, err := a.diff(e)
	if err != nil {
		return err
	}
	if err := a.show(e.out, diff); err != nil || diff.Empty() {
		return err
	}
	return client.Apply(e.ctx, diff)
}

type edgePurge struct {
	edgeTarget `embed:""`
	Tag        []string `help:"A tag, such as product:prd_use_01K…; repeat for more."`
	URL        []string `name:"url" help:"An address as shoppers ask for it; repeat for more."`
	Everything bool     `help:"All of it: every location begins cold."`
}

// Run purges and returns once the edge has said that it did.
func (p *edgePurge) Run(e *env) error {
	if given := len(p.Tag) + len(p.URL); (given == 0) != p.Everything {
		return failure{exitUsage, errors.New("say what to purge: --tag, --url, or --everything alone")}
	}
	var access cloudflare.Access
	plan := cloudflare.Plan(p.Tier)
	if p.Zone != "" {
		var err error
		if access, err = p.access(); err != nil {
			return err
		}
	} else {
		resolved, shop, err := p.resolve(e)
		if err != nil {
			return err
		}
		access, plan = resolved, shop.Plan
	}
	purger, err := cloudflare.NewPurger(access, plan, 1, cloudflare.NewPurgeMetrics(prometheus.NewRegistry()))
	if err != nil {
		return err
	}
	if p.Everything {
		err = purger.Everything(e.ctx)
	} else {
		err = errors.Join(purger.Tags(e.ctx, p.Tag...), purger.URLs(e.ctx, p.URL...))
	}
	if err != nil {
		return err
	}
	if p.JSON {
		return printJSON(e.out, map[string]any{"tags": p.Tag, "urls": p.URL, "everything": p.Everything})
	}
	_, err = fmt.Fprintln(e.out, "Purged: "+strings.TrimSpace(strings.Join(append(p.Tag, p.URL...), " ")+map[bool]string{true: "everything", false: ""}[p.Everything]))
	return err
}
