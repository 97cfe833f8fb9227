//go:build !production

package command

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"

	"github.com/meridian-store/meridian/local/launcher"
	"github.com/meridian-store/meridian/regions/doctor"
)

type checkup struct {
	JSON bool `help:"Print one JSON document."`
}

// Run examines the engines' programs and the running copy. The exit code is 1 when something is wrong and 3 when nothing runs.
func (d *checkup) Run(e *env) error {
	home, all, err := e.place()
	if err != nil {
		return err
	}
	subject, err := launcher.Subject(e.ctx, home, all)
	if err != nil {
		return err
	}
	report := doctor.Examine(e.ctx, subject)
	if d.JSON {
		err = printJSON(e.out, report)
	} else {
		err = printReport(e.out, report)
	}
	switch {
	case err != nil:
		return err
	case !report.Running:
		return failure{exitNotThere, fmt.Errorf("no copy runs from %s: start one with `meridian up`", home.Dir())}
	case !report.OK:
		return errors.New("something is wrong: see above")
	}
	return nil
}

// printReport shows what was measured, and below it, where a terminal stands at the end, what is wrong.
func printReport(out io.Writer, report doctor.Report) error {
	if len(report.Facts) > 0 {
		w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
		fmt.Fprintln(w, "PART\tFACT\tVALUE")
		for _, fact := range report.Facts {
			fmt.Fprintf(w, "%s\t%s\t%s\n", fact.Part, fact.Name, readable(fact))
		}
		if err := w.Flush(); err != nil {
			return err
		}
		fmt.Fprintln(out)
	}
	if report.OK {
		_, err := fmt.Fprintln(out, "Nothing is wrong.")
		return err
	}
	for _, f := range report.Findings {
		if _, err := fmt.Fprintf(out, "%s: %s\n    known by: %s\n    remedy:   %s\n", f.Part, f.Problem, f.Evidence, f.Remedy); err != nil {
			return err
		}
	}
	return nil
}

// readable writes a fact for people; bytes as a person reads them.
func readable(fact doctor.Fact) string {
	if fact.Unit == "bytes" {
		for _, scale := range []struct {
			size float64
			name string
		}{{1e9, "GB"}, {1e6, "MB"}, {1e3, "KB"}} {
			if fact.Value >= scale.size {
				return strconv.FormatFloat(fact.Value/scale.size, 'f', 1, 64) + " " + scale.name
			}
		}
	}
	return strconv.FormatFloat(fact.Value, 'f', -1, 64) + " " + fact.Unit
}
