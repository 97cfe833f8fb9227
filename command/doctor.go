package command

import (
	"errors"
	"fmt"
	"io"

	"github.com/meridian-store/meridian/regions/engine"
	"github.com/meridian-store/meridian/regions/local"
)

type doctor struct {
	JSON bool `help:"Print one JSON document."`
}

// finding is one thing that is wrong and what mends it.
type finding struct {
	Part    string `json:"part"`
	Problem string `json:"problem"`
	Remedy  string `json:"remedy"`
}

// Run looks at the engines' programs and at the running copy; the exit code is 1 when something is wrong.
func (d *doctor) Run(e *env) error {
	findings := findPrograms()
	home, err := e.home()
	if err != nil {
		return err
	}
	all, err := e.allRegions()
	if err != nil {
		findings = append(findings, finding{"region files", err.Error(), "mend the named file"})
	}
	status, _, err := local.ReadStatus(e.ctx, home, all)
	if err != nil {
		return err
	}
	findings = append(findings, examine(home, status)...)
	if d.JSON {
		err = printJSON(e.out, map[string]any{"ok": len(findings) == 0, "findings": findings})
	} else {
		err = printFindings(e.out, findings)
	}
	if err == nil && len(findings) > 0 {
		err = errors.New("something is wrong: see above")
	}
	return err
}

func findPrograms() []finding {
	findings := []finding{}
	for _, name := range []engine.Name{engine.Postgres, engine.Redis, engine.Consul} {
		if _, err := engine.Find(name); err != nil {
			findings = append(findings, finding{string(name), err.Error(), "make engines"})
		}
	}
	return findings
}

func examine(home local.Home, status local.Status) []finding {
	if !status.Running {
		return []finding{{"meridian", "no copy runs from " + home.Dir(), "meridian up"}}
	}
	var findings []finding
	judge := func(region, name string, ready bool, pid, restarts int) {
		part := name
		if region != "" {
			part = region + "/" + name
		}
		switch {
		case !ready && pid == 0:
			findings = append(findings, finding{part, "its process has ended and has not come back", "read " + home.Log(region, name)})
		case !ready:
			findings = append(findings, finding{part, fmt.Sprintf("process %d runs but does not answer as ready", pid), "read " + home.Log(region, name)})
		case restarts > 3:
			findings = append(findings, finding{part, fmt.Sprintf("it has been restarted %d times", restarts), "read " + home.Log(region, name)})
		}
	}
	judge("", "edge", status.Edge.Ready, status.Edge.PID, status.Edge.Restarts)
	judge("", "postgres", status.SQL.Ready, status.SQL.PID, status.SQL.Restarts)
	for _, region := range status.Regions {
		for _, service := range region.Services {
			judge(region.Name, service.Name, service.Ready, service.PID, service.Restarts)
		}
		for _, engine := range region.Engines {
			judge(region.Name, engine.Name, engine.Ready, engine.PID, engine.Restarts)
		}
	}
	return findings
}

func printFindings(out io.Writer, findings []finding) error {
	if len(findings) == 0 {
		_, err := fmt.Fprintln(out, "Nothing is wrong.")
		return err
	}
	for _, f := range findings {
		if _, err := fmt.Fprintf(out, "%s: %s\n    %s\n", f.Part, f.Problem, f.Remedy); err != nil {
			return err
		}
	}
	return nil
}
