// Package command holds the verbs of the meridian program, a file each.
package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/meridian-store/meridian/local/launcher"
	"github.com/meridian-store/meridian/regions"
)

// Exit codes, which scripts may rely on.
const (
	exitOK       = 0
	exitFailed   = 1
	exitNotThere = 3 // no copy is running
	exitUsage    = 80
)

// verbs is the command line.
type verbs struct {
	Home       string `help:"Folder of the running copy's state and logs." env:"MERIDIAN_HOME" default:".meridian" type:"path"`
	RegionsDir string `help:"Folder of region files; the shipped ones when absent." env:"MERIDIAN_REGIONS_DIR" type:"existingdir"`

	Up       up           `cmd:"" help:"Start the regions, the SQL server and the edge on this machine."`
	Down     down         `cmd:"" help:"Stop what up started."`
	Status   statusVerb   `cmd:"" help:"Show what runs, where it listens and how it is."`
	Doctor   checkup      `cmd:"" help:"Look for what is wrong and say what mends it."`
	Audit    auditor      `cmd:"" help:"Check that every order, charge and unit of stock is where it should be."`
	Seed     seeder       `cmd:"" help:"Fill the running shop with a believable catalog."`
	Import   imports      `cmd:"" name:"import" help:"Read products from a Shopify product CSV export into the running shop."`
	Link     links        `cmd:"" help:"Delay or cut what passes between two regions."`
	Drill    driller      `cmd:"" help:"Break something on purpose while shoppers buy, and see whether every promise is kept."`
	Token    token        `cmd:"" help:"Print a bearer token for the running copy."`
	Migrate  migrate      `cmd:"" help:"Bring every service's database to the newest schema."`
	SQL      sources      `cmd:"" name:"sql" help:"Print the SQL that the source of Meridian sends, for another engine to parse."`
	Geo      globe        `cmd:"" help:"Explain which region serves whom."`
	Edge     edges        `cmd:"" help:"Show, apply and purge what the edge holds: on this machine, or a zone at Cloudflare."`
	Search   searches     `cmd:"" help:"Compare a region's search index with the catalog, or build it anew."`
	Region   region       `cmd:"" help:"Start, stop or show a region of the running copy, or run one in this process."`
	Service  service      `cmd:"" help:"Run one service of a region in this process."`
	Engine   engines      `cmd:"" help:"Run one engine in this process."`
	Provider providerVerb `cmd:"" help:"Run the payment sandbox, which speaks Stripe's API, in this process."`
	Version  version      `cmd:"" help:"Print the version."`
}

// env is what every verb is given.
type env struct {
	ctx        context.Context
	out, err   io.Writer
	homeDir    string
	regionsDir string
}

// failure carries an exit code of its own.
type failure struct {
	code  int
	cause error
}

func (f failure) Error() string { return f.cause.Error() }
func (f failure) Unwrap() error { return f.cause }

// Main runs the program and gives its exit code. Errors are one line; there is never a stack trace.
func Main(args []string, out, errOut io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var cli verbs
	exited := -1
	parser, err := kong.New(&cli, kong.Name("meridian"),
		kong.Description("A storefront that runs as equal, independent regions. `meridian up` starts three of them here."),
		kong.Writers(out, errOut), kong.Exit(func(code int) { exited = code }), kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	if err != nil {
		fmt.Fprintln(errOut, "meridian:", err)
		return exitFailed
	}
	parsed, err := parser.Parse(args)
	if exited >= 0 {
		return exited // --help
	}
	if err != nil {
		fmt.Fprintf(errOut, "meridian: %v (see `meridian --help`)\n", err)
		return exitUsage
	}
	err = parsed.Run(&env{ctx: ctx, out: out, err: errOut, homeDir: cli.Home, regionsDir: cli.RegionsDir})
	return report(err, errOut)
}

func report(err error, errOut io.Writer) int {
	if err == nil || errors.Is(err, context.Canceled) {
		return exitOK
	}
	fmt.Fprintln(errOut, "meridian:", strings.TrimSpace(err.Error()))
	var typed failure
	if errors.As(err, &typed) {
		return typed.code
	}
	return exitFailed
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

// allRegions reads the region files.
func (e *env) allRegions() ([]regions.Region, error) {
	if e.regionsDir == "" {
		return regions.Shipped()
	}
	return regions.Load(os.DirFS(e.regionsDir))
}

// regionNamed finds one region among all.
func (e *env) regionNamed(name string) (regions.Region, []regions.Region, error) {
	all, err := e.allRegions()
	if err != nil {
		return regions.Region{}, nil, err
	}
	var names []string
	for _, region := range all {
		if region.Name == name {
			return region, all, nil
		}
		names = append(names, region.Name)
	}
	return regions.Region{}, nil, fmt.Errorf("there is no region %q; there are %s", name, strings.Join(names, ", "))
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

// lookup reads one variable of the environment, "" when it is not set.
func (e *env) lookup(name string) string { return os.Getenv(name) }
