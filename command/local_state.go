//go:build !production

package command

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/meridian-store/meridian/local/launcher"
	"github.com/meridian-store/meridian/regions/status"
)

type down struct{}

// Run stops the copy and returns when no process of it is left.
func (d *down) Run(e *env) error {
	home, err := e.home()
	if err != nil {
		return err
	}
	err = launcher.Down(e.ctx, home, func(format string, args ...any) { fmt.Fprintf(e.out, format+"\n", args...) })
	if errors.Is(err, launcher.ErrNotRunning) {
		fmt.Fprintf(e.out, "Nothing runs from %s.\n", home.Dir())
		return nil
	}
	return err
}

type statusVerb struct {
	JSON bool `help:"Print one JSON document."`
}

// Run shows the copy's state; the exit code is 1 when something is not ready and 3 when none runs.
func (s *statusVerb) Run(e *env) error {
	home, all, err := e.place()
	if err != nil {
		return err
	}
	shop, found, err := launcher.ReadStatus(e.ctx, home, all)
	if err != nil {
		return err
	}
	if s.JSON {
		err = printJSON(e.out, shop)
	} else if found {
		err = printStatus(e.out, shop)
	}
	switch {
	case err != nil:
		return err
	case !shop.Running:
		return failure{exitNotThere, fmt.Errorf("no copy runs from %s: start one with `meridian up`", home.Dir())}
	case !shop.Ready:
		return errors.New("not everything is ready: see above, and `meridian doctor`")
	}
	return nil
}

func printStatus(out io.Writer, shop status.Shop) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	row := func(region, name, address string, ready bool, pid, restarts int) {
		word := "ready"
		if !ready {
			word = "NOT READY"
		}
		process := "-" // ended, or an engine that stands elsewhere
		if pid != 0 {
			process = strconv.Itoa(pid)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\n", region, name, address, word, process, restarts)
	}
	fmt.Fprintln(w, "REGION\tPART\tADDRESS\tSTATE\tPROCESS\tRESTARTS")
	row("", "edge", shop.Edge.URL, shop.Edge.Ready, shop.Edge.PID, shop.Edge.Restarts)
	row("", "provider", shop.Provider.Address, shop.Provider.Ready, shop.Provider.PID, shop.Provider.Restarts)
	row("", "sql", shop.SQL.Address, shop.SQL.Ready, shop.SQL.PID, shop.SQL.Restarts)
	if len(shop.Links.Items) > 0 {
		row("", "links", shop.Links.API, shop.Links.Ready, shop.Links.PID, shop.Links.Restarts)
	}
	for _, region := range shop.Regions {
		for _, service := range region.Services {
			row(region.Name, service.Name, service.URL, service.Ready, service.PID, service.Restarts)
		}
		for _, engine := range region.Engines {
			row(region.Name, engine.Name, engine.Address, engine.Ready, engine.PID, engine.Restarts)
		}
	}
	return w.Flush()
}

type token struct {
	Role     string        `help:"shopper, support, merchandiser or admin." default:"admin" enum:"shopper,support,merchandiser,admin"`
	Lifetime time.Duration `help:"How long it is good for." default:"1h"`
}

// Run prints the token and nothing else, for use in a shell's $(…).
func (t *token) Run(e *env) error {
	_, home, err := e.running()
	if err != nil {
		return err
	}
	token, err := launcher.Token(home, t.Role, t.Lifetime)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(e.out, token)
	return err
}
