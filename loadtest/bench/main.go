// Command bench measures what a shopper's requests cost, each beside a bare program that does the least that they must: the same
// bytes from a plain handler, one Redis write, the durable commits. Both run in the same minute on the same machine, in turns, so
// that their ratio means something even where the figures alone do not.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"github.com/meridian-store/meridian/loadtest/standing"
)

type options struct {
	Measure measureOptions `cmd:"" default:"withargs" help:"Measure every path, or those named."`
	Bare    bareOptions    `cmd:"" hidden:"" help:"Serve the bytes of the baselines; bench starts this itself."`
}

type measureOptions struct {
	standing.Options
	Paths   []string      `arg:"" optional:"" help:"Names of paths, such as checkout; all when absent."`
	Clients int           `help:"Clients that each send one request after another." default:"16"`
	Rounds  int           `help:"How often each path and its baseline take turns." default:"5"`
	Length  time.Duration `help:"How long one turn is." default:"2s"`
	Short   bool          `help:"Check that it runs: one round of 1s, whatever --rounds and --length are. The ratios mean little."`
	JSON    bool          `name:"json" help:"Print one JSON document instead of the table."`
	Profile string        `help:"Write CPU profiles into this folder: of this program, and of the shop's processes when it was started with MERIDIAN_PPROF=1." type:"path"`
}

func main() {
	var o options
	parsed := kong.Parse(&o, kong.Name("bench"), kong.Description("Measure paths through a shop on this machine as ratios to bare baselines."), kong.UsageOnError())
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	parsed.BindTo(ctx, (*context.Context)(nil))
	err := parsed.Run()
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// Run measures.
func (o *measureOptions) Run(ctx context.Context) (err error) {
	if o.Short {
		o.Rounds, o.Length = 1, time.Second
	}
	if o.Clients < 1 || o.Rounds < 1 || o.Length < 100*time.Millisecond {
		return fmt.Errorf("--clients %d --rounds %d --length %s: at least one client, one round and 100ms", o.Clients, o.Rounds, o.Length)
	}
	if o.Profile != "" {
		// A shop that has to be started is started with its profiles on.
		if err := errors.Join(os.Setenv("MERIDIAN_PPROF", "1"), os.MkdirAll(o.Profile, 0o700)); err != nil {
			return fmt.Errorf("prepare for profiles: %w", err)
		}
	}
	shop, err := standing.Open(ctx, o.Options, os.Stderr)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, shop.Close()) }()
	world, err := newWorld(ctx, shop, o.Clients)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, world.close()) }()
	paths, err := choose(world.paths(), o.Paths)
	if err != nil {
		return err
	}
	results := make([]comparison, 0, len(paths))
	for _, path := range paths {
		fmt.Fprintf(os.Stderr, "Measuring %s: %d rounds of %s each way, %d clients\n", path.Name, o.Rounds, o.Length, o.Clients)
		result, err := world.compare(ctx, path, *o)
		if err != nil {
			return fmt.Errorf("%s: %w", path.Name, err)
		}
		results = append(results, result)
	}
	if o.JSON {
		return writeJSON(os.Stdout, *o, results)
	}
	return writeTable(os.Stdout, results)
}

func choose(all []path, names []string) ([]path, error) {
	if len(names) == 0 {
		return all, nil
	}
	var known, unknown []string
	for _, p := range all {
		known = append(known, p.Name)
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) > 0 {
		return nil, fmt.Errorf("there is no path %s; there are %s", strings.Join(unknown, ", "), strings.Join(known, ", "))
	}
	return slices.DeleteFunc(all, func(p path) bool { return !slices.Contains(names, p.Name) }), nil
}
