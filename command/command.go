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

	"github.com/meridian-store/meridian/kit/httpx"
	"github.com/meridian-store/meridian/regions"
)

// Exit codes, which scripts may rely on.
const (
	exitOK       = 0
	exitFailed   = 1
	exitNotThere = 3 // no copy is running
	exitUsage    = 80
)

// verbs is the command line. A program that is built with the tag production has no localVerbs.
type verbs struct {
	localVerbs
	RegionsDir string `help:"Folder of region files; the shipped ones when absent." env:"MERIDIAN_REGIONS_DIR" type:"existingdir"`

	Audit   auditor `cmd:"" help:"Check that every order, charge and unit of stock is where it should be."`
	Migrate migrate `cmd:"" help:"Bring every service's database to the newest schema."`
	Geo     globe   `cmd:"" help:"Explain which region serves whom."`
	Edge    edges   `cmd:"" help:"Show, apply and purge what the edge holds: ${edges}."`
	Region  region  `cmd:"" help:"${region_verbs}"`
	Service service `cmd:"" help:"Run one service of a region in this process."`
	Version version `cmd:"" help:"Print the version."`
}

// env is what every verb is given.
type env struct {
	ctx        context.Context
	out, err   io.Writer
	regionsDir string
	// copy is what verbs work on that are given no address.
	copy     runningCopy
	localEnv //nolint:unused // empty in production
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
	parser, err := newParser(&cli, out, errOut, func(code int) { exited = code })
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
	e := &env{ctx: ctx, out: out, err: errOut, regionsDir: cli.RegionsDir}
	cli.attach(e)
	return report(parsed.Run(e), errOut)
}

func report(err error, errOut io.Writer) int {
	if err == nil || errors.Is(err, context.Canceled) {
		return exitOK
	}
	fmt.Fprintln(errOut, "meridian:", strings.TrimSpace(httpx.ErrorChain(err)))
	var typed failure
	if errors.As(err, &typed) {
		return typed.code
	}
	return exitFailed
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

// lookup reads one variable of the environment, "" when it is not set.
func (e *env) lookup(name string) string { return os.Getenv(name) }
