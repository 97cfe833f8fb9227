// Command loadtest lets shoppers of twenty cities into a shop on this machine and fails when a limit is missed: they browse and buy by
// k6 (browse-and-buy.js), or only read the catalog, from as far away as they are.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// exitCode is what a measurement ends with: 0 when all limits were kept.
type exitCode int

// measurement is one of the command's verbs.
type measurement interface {
	Run(ctx context.Context) (exitCode, error)
}

type options struct {
	Visits   visits   `cmd:"" help:"Browse and buy from twenty cities, through the edge, by k6."`
	Nearness nearness `cmd:"" help:"Read the catalog from twenty cities over realistic distances, while products change, from cold caches on."`
}

func main() {
	var o options
	parsed := kong.Parse(&o, kong.Name("loadtest"), kong.Description("Measure a shop on this machine as shoppers of twenty cities meet it."))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code, err := map[string]measurement{"visits": &o.Visits, "nearness": &o.Nearness}[parsed.Command()].Run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "loadtest:", err)
	}
	os.Exit(int(code))
}
