//go:build !production

package command

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/meridian-store/meridian/local/launcher"
	"github.com/meridian-store/meridian/local/link"
)

type links struct {
	List  linkList  `cmd:"" help:"Show every link between regions: its delay, and whether it is cut."`
	Cut   linkCut   `cmd:"" help:"Let nothing pass between two regions, as a partition does."`
	Delay linkDelay `cmd:"" help:"Slow the way between two regions down."`
	Heal  linkHeal  `cmd:"" help:"Undo cuts and delays between two regions: back to how up began."`
}

// pair names the two ends of a link.
type pair struct {
	A      string `arg:"" help:"The region that opens the connections."`
	B      string `arg:"" help:"The region that they lead to."`
	OneWay bool   `help:"Only the connections that A opens to B, not those from B to A."`
}

// change edits the pair's links and shows what became of them.
func (p pair) change(e *env, edit func(*link.Entry)) error {
	_, home, err := e.running()
	if err != nil {
		return err
	}
	changed, err := launcher.ChangeLinks(e.ctx, home, p.A, p.B, !p.OneWay, edit)
	if err != nil {
		return err
	}
	return printLinks(e.out, changed)
}

type linkCut struct {
	pair `embed:""`
}

// Run cuts.
func (l *linkCut) Run(e *env) error { return l.change(e, func(x *link.Entry) { x.Now.Cut = true }) }

type linkHeal struct {
	pair `embed:""`
}

// Run heals.
func (l *linkHeal) Run(e *env) error { return l.change(e, func(x *link.Entry) { x.Now = x.Usual }) }

type linkDelay struct {
	pair    `embed:""`
	Latency *time.Duration `help:"What a round trip takes longer, half of it each way; what the distance explains when absent."`
}

// Run delays.
func (l *linkDelay) Run(e *env) error {
	return l.change(e, func(x *link.Entry) {
		x.Now.RoundTripMS = x.ModelMS
		if l.Latency != nil {
			x.Now.RoundTripMS = l.Latency.Milliseconds()
		}
	})
}

type linkList struct {
	JSON bool `help:"Print one JSON document."`
}

// Run shows the links.
func (l *linkList) Run(e *env) error {
	_, home, err := e.running()
	if err != nil {
		return err
	}
	entries, err := launcher.ReadLinks(home)
	if err != nil {
		return err
	}
	if l.JSON {
		return printJSON(e.out, map[string]any{"links": entries})
	}
	return printLinks(e.out, entries)
}

func printLinks(out io.Writer, entries []link.Entry) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "FROM\tTO\tPLANE\tADDRESS\tROUND TRIP\tBY DISTANCE\tSTATE")
	for _, entry := range entries {
		state := "whole"
		switch {
		case entry.Now.Cut:
			state = "CUT"
		case entry.Disturbed():
			state = "delayed"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d ms\t%d ms\t%s\n", entry.From, entry.To, entry.Plane, entry.Listen, entry.Now.RoundTripMS, entry.ModelMS, state)
	}
	return w.Flush()
}
