//go:build !production

package command

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/local/drill"
	"github.com/meridian-store/meridian/local/launcher"
	"github.com/meridian-store/meridian/regions"
)

// signedIn is how long a drill's shopper stays signed in: longer than anyone waits for one purchase.
const signedIn = time.Minute

type driller struct {
	Name   string        `arg:"" help:"Which drill; see below."`
	Region string        `help:"The region that is broken." default:"eu-west"`
	Peer   string        `help:"The region that it is cut off from, in a partition." default:"us-east"`
	Rate   float64       `help:"Shoppers that begin in a second, whether or not the shop keeps up." default:"20"`
	Before time.Duration `help:"How long they buy before anything is broken." default:"60s"`
	During time.Duration `help:"How long while it is." default:"60s"`
	After  time.Duration `help:"How long afterwards." default:"60s"`
	Settle time.Duration `help:"How long something has to stay amiss before the audit at the end calls it broken." default:"15s"`
	JSON   bool          `help:"Print one JSON document."`
}

// Validate is kong's hook.
func (d *driller) Validate() error {
	const fastest = 1000
	if d.Rate <= 0 || d.Rate > fastest {
		return fmt.Errorf("--rate %g is not above 0 and at most %d", d.Rate, fastest)
	}
	for name, length := range map[string]time.Duration{"before": d.Before, "during": d.During, "after": d.After} {
		if length <= 0 || length > time.Hour {
			return fmt.Errorf("--%s %s is not above 0 and at most 1h", name, length)
		}
	}
	return nil
}

// Help is kong's hook: it explains every drill.
func (d *driller) Help() string {
	var text strings.Builder
	text.WriteString("Shoppers buy at a fixed rate before, during and after something is broken; then all books are compared. The exit code is 0 when every promise was " +
		"kept, 1 when one was broken, 3 when nothing runs. The drills:\n\n")
	for _, each := range drill.Drills() {
		fmt.Fprintf(&text, "  %-14s %s\n", each.Name, each.What)
	}
	return text.String()
}

// Run rehearses on the running copy.
func (d *driller) Run(e *env) error {
	chosen, err := drill.Find(d.Name)
	if err != nil {
		return err
	}
	home, all, err := e.place()
	if err != nil {
		return err
	}
	if _, _, err := e.running(); err != nil {
		return err
	}
	status, _, err := launcher.ReadStatus(e.ctx, home, all)
	if err != nil {
		return err
	}
	auditing := auditor{Settle: d.Settle}
	config, _, err := auditing.config(e, all)
	if err != nil {
		return failure{exitNotThere, err}
	}
	defer closeAudited(config)
	options := drill.Options{
		Drill: chosen, Scene: drill.Scene{Home: home, Status: status}, Rate: d.Rate, Before: d.Before, During: d.During, After: d.After,
		SignIn: func(region string) (string, error) {
			i := slices.IndexFunc(all, func(r regions.Region) bool { return r.Name == region })
			if i < 0 {
				return "", fmt.Errorf("no file tells of the region %q", region)
			}
			// A user who has no account yet, and so nothing personal anywhere.
			token, err := launcher.TokenFor(home, geo.NewID(contract.KindUser, all[i].Code), contract.RoleShopper, signedIn)
			return "Bearer " + token, err
		},
		Books: drill.Audited(config), Progress: e.err,
	}
	if chosen.NeedsRegion {
		options.Scene.Region = d.Region
	}
	if chosen.NeedsPeer {
		options.Scene.Peer = d.Peer
	}
	report, err := drill.Run(e.ctx, options)
	if err != nil {
		return err
	}
	if d.JSON {
		err = printJSON(e.out, report)
	} else {
		err = printDrill(e.out, report)
	}
	if err == nil && !report.OK {
		err = fmt.Errorf("the drill %s was not passed: %s", report.Drill, strings.Join(report.Problems, "; "))
	}
	return err
}

func printDrill(out io.Writer, r *drill.Report) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "SHOPPERS OF\tPHASE\tREQUESTS\tFAILED\tP50\tP99")
	for _, s := range r.Stats {
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%.0f ms\t%.0f ms\n", s.Home, s.Phase, s.Requests, s.Failed, s.P50MS, s.P99MS)
	}
	fmt.Fprintln(w)
	fmt.Fprintf(w, "orders\toffered %d\tacknowledged %d\tfound %d\tcharged %d\n", r.Offered, r.Acknowledged, r.Found, r.Charged)
	fmt.Fprintf(w, "shoppers\tsold out %d\tgave up %d\tcarts lost %d\tmissed sends %d\n", r.SoldOut, r.GaveUp, r.CartsLost, r.MissedSends)
	fmt.Fprintf(w, "times\tdetected %s\trerouted %s\trecovered %s\n", inMS(r.DetectedMS), inMS(r.ReroutedMS), inMS(r.RecoveredMS))
	fmt.Fprintf(w, "mirrors\tsettled %s", inMS(r.LagSettledMS))
	for _, lag := range r.Lag {
		if lag.Behind+lag.Doubled+lag.Disordered > 0 {
			fmt.Fprintf(w, "\t%s→%s behind %d, twice %d, out of order %d", lag.Source, lag.Target, lag.Behind, lag.Doubled, lag.Disordered)
		}
	}
	fmt.Fprintln(w)
	if err := w.Flush(); err != nil {
		return err
	}
	for _, v := range r.Audit.Violations {
		fmt.Fprintln(out, v)
	}
	if r.OK {
		fmt.Fprintln(out, "Every promise was kept.")
	}
	return nil
}

func inMS(ms *int64) string {
	if ms == nil {
		return "–"
	}
	return fmt.Sprintf("%d ms", *ms)
}
