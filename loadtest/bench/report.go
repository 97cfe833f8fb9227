package main

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"text/tabwriter"
	"time"
)

// writeTable prints two lines a path: the shop's and its baseline's.
func writeTable(out io.Writer, results []comparison) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "path\thops\tRedis\tSQL\tcommits\tops/s\tp50\tp99\tratio\t(least–most)\t")
	for _, r := range results {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%.0f\t%s\t%s\t%.1f\t(%.1f–%.1f)\t\n", r.Name, r.Cost.Hops, r.Cost.Redis, r.Cost.SQL, r.Cost.Commits,
			r.Shop.PerSecond, millis(r.Shop.P50), millis(r.Shop.P99), r.Ratio, r.Least, r.Most)
		fmt.Fprintf(w, "bare\t\t\t\t\t%.0f\t%s\t%s\t1.0\t\t\n", r.Bare.PerSecond, millis(r.Bare.P50), millis(r.Bare.P99))
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("print the table: %w", err)
	}
	fmt.Fprintln(out)
	for _, r := range results {
		fmt.Fprintf(out, "%s: %s. Bare: %s.\n", r.Name, r.What, r.Baseline)
	}
	_, err := fmt.Fprintln(out, "A ratio is how many times as many operations a second the bare one does. Redis and SQL count round trips, hops HTTP requests.")
	return err
}

func millis(d time.Duration) string {
	return fmt.Sprintf("%.2f ms", float64(d)/float64(time.Millisecond))
}

// document is what --json prints.
type document struct {
	At      time.Time     `json:"at"`
	CPUs    int           `json:"cpus"`
	Go      string        `json:"go"`
	Clients int           `json:"clients"`
	Rounds  int           `json:"rounds"`
	Length  time.Duration `json:"length_ns"`
	Paths   []comparison  `json:"paths"`
}

func writeJSON(out io.Writer, o measureOptions, results []comparison) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(document{
		At: time.Now().UTC(), CPUs: runtime.NumCPU(), Go: runtime.Version(), Clients: o.Clients, Rounds: o.Rounds, Length: o.Length, Paths: results,
	})
}
