package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/meridian-store/meridian/loadtest/standing"
)

// shoppersAddresses give each k6 user an address of its own on this machine. Gateways limit requests by address, and twenty cities
// behind one address would be measured as one greedy client.
const shoppersAddresses = "127.0.0.2-127.0.3.250"

// stopTimeout is how long k6 may take to print its summary after an interrupt.
const stopTimeout = 20 * time.Second

// shortDuration is for how long visits begin in a short run.
const shortDuration = 5 * time.Second

// visits lets shoppers browse and buy, by k6.
type visits struct {
	standing.Options
	K6       string        `name:"k6" help:"The k6 program." required:"" type:"existingfile"`
	Script   string        `help:"The visits." default:"loadtest/browse-and-buy.js" type:"existingfile"`
	Rate     int           `help:"Visits that begin in a second." env:"LOADTEST_RATE" default:"10"`
	Duration time.Duration `help:"For how long visits begin." env:"LOADTEST_DURATION" default:"30s"`
	Short    bool          `help:"Check that it runs: visits begin for 5s, whatever --duration is. Only failures are judged, no times."`
	JSON     string        `name:"json" help:"Also write k6's whole summary to this file." env:"LOADTEST_JSON" type:"path"`
}

// Run gives k6's exit code: 0 when every threshold held, 99 when one was missed.
func (o *visits) Run(ctx context.Context) (code exitCode, err error) {
	if o.Short {
		o.Duration = shortDuration
	}
	if o.Rate < 1 || o.Duration < time.Second {
		return 1, fmt.Errorf("--rate %d and --duration %s: at least one visit a second for one second", o.Rate, o.Duration)
	}
	shop, err := standing.Open(ctx, o.Options, os.Stdout)
	if err != nil {
		return 1, err
	}
	defer func() {
		if closing := shop.Close(); closing != nil {
			code, err = max(code, 1), errors.Join(err, closing)
		}
	}()
	fmt.Printf("%d visits a second for %s, from %d regions' nearest cities\n", o.Rate, o.Duration, len(shop.State.Started))
	command := exec.CommandContext(ctx, o.K6, "run", "--quiet", "--no-usage-report", "--address", "", "--local-ips", shoppersAddresses, filepath.Base(o.Script))
	command.Dir = filepath.Dir(o.Script)
	command.Env = append(os.Environ(),
		"EDGE_URL="+shop.State.EdgeURL, "REGIONS="+strings.Join(shop.State.Started, ","),
		"RATE="+strconv.Itoa(o.Rate), "SECONDS="+strconv.Itoa(int(o.Duration.Seconds())), "JSON_FILE="+o.JSON,
		"SHORT="+strconv.FormatBool(o.Short))
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	// The summary of what was measured so far is worth having after Ctrl-C too.
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = stopTimeout
	var ended *exec.ExitError
	switch err := command.Run(); {
	case errors.As(err, &ended):
		return exitCode(max(ended.ExitCode(), 1)), nil
	case err != nil:
		return 1, fmt.Errorf("run k6: %w", err)
	default:
		return 0, nil
	}
}
