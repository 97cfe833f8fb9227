package main

import (
	"context"
	_ "embed" // carries cities.json
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"text/tabwriter"
	"time"

	near "github.com/meridian-store/meridian/loadtest/nearness"
	"github.com/meridian-store/meridian/loadtest/standing"
)

//go:embed cities.json
var citiesJSON []byte

// missed is the exit code when a limit was missed, as k6 has it.
const missed = 99

// nearness reads the catalog from where shoppers are.
type nearness struct {
	standing.Options
	Rate int           `help:"Reads that begin in a second, over all cities." env:"NEARNESS_RATE" default:"4000"`
	Cold time.Duration `help:"How long from empty caches." env:"NEARNESS_COLD" default:"60s"`
	Warm time.Duration `help:"How long after that; these figures are judged." env:"NEARNESS_WARM" default:"90s"`
	// Short is for CI, where neither the caches get warm nor the machine is idle.
	Short bool `help:"Check that it runs: 400 reads a second, 10s cold and 10s warm, whatever the settings are. Only failed reads are judged."`
	JSON  bool `help:"Print one JSON document."`
}

// Settings of a short run.
const (
	shortRate  = 400
	shortPhase = 10 * time.Second
)

// Run gives 0 when every city was near and 99 when one was not; with --short, 0 when no read failed.
func (o *nearness) Run(ctx context.Context) (code exitCode, err error) {
	var cities []near.City
	if err := json.Unmarshal(citiesJSON, &cities); err != nil {
		return 1, fmt.Errorf("read cities.json: %w", err)
	}
	o.Up = []string{"--links", "realistic"}
	if o.Short {
		o.Rate, o.Cold, o.Warm = shortRate, shortPhase, shortPhase
	}
	shop, err := standing.Open(ctx, o.Options, os.Stderr)
	if err != nil {
		return 1, err
	}
	defer func() {
		if closing := shop.Close(); closing != nil {
			code, err = max(code, 1), errors.Join(err, closing)
		}
	}()
	edge, err := url.Parse(shop.State.EdgeURL)
	if err != nil {
		return 1, err
	}
	editor, err := near.NewEditor(shop.Home, shop.State.EdgeURL)
	if err != nil {
		return 1, err
	}
	report, err := near.Run(ctx, near.Options{
		Edge: edge.Host, Cities: cities, Rate: o.Rate, Cold: o.Cold, Warm: o.Warm, Progress: os.Stderr,
		Chill:  func(ctx context.Context) error { return shop.Do(ctx, "edge", "purge", "--everything") },
		Change: editor.Touch,
	})
	if err != nil {
		return 1, err
	}
	if o.Short {
		report.JudgeFailures()
	}
	if err := o.print(os.Stdout, report); err != nil {
		return 1, err
	}
	if !report.OK {
		return missed, nil
	}
	return 0, nil
}

func (o *nearness) print(out io.Writer, report *near.Report) error {
	if o.JSON {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(report)
	}
	table := tabwriter.NewWriter(out, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "CITY\tCOLD READS\tHITS\tP50\tP95\tP99\tWARM READS\tHITS\tP50\tP95\tP99\t")
	row := func(name string, cold, warm near.Figures) {
		fmt.Fprintf(table, "%s\t", name)
		for _, f := range []near.Figures{cold, warm} {
			fmt.Fprintf(table, "%d\t%.1f%%\t%.1f\t%.1f\t%.1f ms\t", f.Reads, f.HitRatio*100, f.P50MS, f.P95MS, f.P99MS)
		}
		fmt.Fprintln(table)
	}
	for _, city := range report.Cities {
		row(city.City, city.Cold, city.Warm)
	}
	row("all", report.Cold, report.Warm)
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(out, "%d products were changed meanwhile; %d reads failed; each read counts a last mile of %s\n", report.Changes, report.Failed, near.LastMile)
	for _, problem := range report.Problems {
		fmt.Fprintln(out, "MISSED ", problem)
	}
	switch {
	case report.OK && o.Short:
		fmt.Fprintln(out, "Short run: only failed reads are judged.")
	case report.OK:
		fmt.Fprintln(out, "Every city was near.")
	}
	return nil
}
