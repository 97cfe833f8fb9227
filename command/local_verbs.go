//go:build !production

package command

import (
	"fmt"

	"github.com/meridian-store/meridian/local/launcher"
	"github.com/meridian-store/meridian/regions"
)

const description = "A storefront that runs as equal, independent regions. `meridian up` starts three of them here."

// unreachable is the remedy for an audit that can not look.
const unreachable = "see `meridian doctor`"

// helpTexts are the parts of help texts that differ between this program and one for production.
func helpTexts() map[string]string {
	return map[string]string{
		"no_sql_address": "the running copy's when absent", "no_zone": "the edge of the running copy when absent",
		"edges":        "on this machine, or a zone at Cloudflare",
		"region_verbs": "Start, stop or show a region of the running copy, or run one in this process.",
	}
}

// localVerbs are the verbs that exist for one machine alone.
type localVerbs struct {
	Home string `help:"Folder of the running copy's state and logs." env:"MERIDIAN_HOME" default:".meridian" type:"path"`

	Up       up           `cmd:"" help:"Start the regions, the SQL server and the edge on this machine."`
	Down     down         `cmd:"" help:"Stop what up started."`
	Status   statusVerb   `cmd:"" help:"Show what runs, where it listens and how it is."`
	Doctor   checkup      `cmd:"" help:"Look for what is wrong and say what mends it."`
	Seed     seeder       `cmd:"" help:"Fill the running shop with a believable catalog."`
	Import   imports      `cmd:"" name:"import" help:"Read products from a Shopify product CSV export into the running shop."`
	Link     links        `cmd:"" help:"Delay or cut what passes between two regions."`
	Drill    driller      `cmd:"" help:"Break something on purpose while shoppers buy, and see whether every promise is kept."`
	Token    token        `cmd:"" help:"Print a bearer token for the running copy."`
	SQL      sources      `cmd:"" name:"sql" help:"Print the SQL that the source of Meridian sends, for another engine to parse."`
	Search   searches     `cmd:"" help:"Compare a region's search index with the catalog, or build it anew."`
	Engine   engines      `cmd:"" help:"Run one engine in this process."`
	Provider providerVerb `cmd:"" help:"Run the payment sandbox, which speaks Stripe's API, in this process."`
}

// attach gives the verbs the running copy.
func (v localVerbs) attach(e *env) {
	e.homeDir = v.Home
	e.copy = localCopy{e}
}

// localEnv is what verbs are given beside what every program gives them.
type localEnv struct {
	// homeDir is the folder of the running copy.
	homeDir string
}

func (e *env) home() (launcher.Home, error) { return launcher.OpenHome(e.homeDir) }

// place gives the home and what the region files say, which most verbs begin with.
func (e *env) place() (launcher.Home, []regions.Region, error) {
	home, err := e.home()
	if err != nil {
		return home, nil, err
	}
	all, err := e.allRegions()
	return home, all, err
}

// running reads the state of the copy that runs from the home.
func (e *env) running() (launcher.State, launcher.Home, error) {
	home, err := e.home()
	if err != nil {
		return launcher.State{}, home, err
	}
	state, found, err := launcher.ReadState(home)
	if err != nil {
		return launcher.State{}, home, err
	}
	if !found || !state.Running() {
		return launcher.State{}, home, failure{exitNotThere, fmt.Errorf("no copy runs from %s: start one with `meridian up`, or name its home with --home", home.Dir())}
	}
	return state, home, nil
}
