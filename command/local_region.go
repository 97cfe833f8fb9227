//go:build !production

package command

import (
	"errors"
	"fmt"
	"strings"

	"github.com/meridian-store/meridian/local/launcher"
)

// localRegionVerbs are the verbs about a region of the running copy.
type localRegionVerbs struct {
	Start   regionStart   `cmd:"" help:"Have the running copy start a region, or mend one that is broken."`
	Stop    regionStop    `cmd:"" help:"Have the running copy stop a region; its data stays."`
	Restart regionRestart `cmd:"" help:"Have the running copy restart every process of a region; the other regions serve its shoppers meanwhile."`
	Show    regionShow    `cmd:"" help:"Ask every part of a region how it is."`
}

type regionStart struct {
	Name string `arg:"" help:"The region's name, such as eu-west."`
}

// Run returns when all of the region is ready.
func (r *regionStart) Run(e *env) error {
	_, home, err := e.running()
	if err != nil {
		return err
	}
	if _, err := launcher.StartRegion(e.ctx, home, r.Name); err != nil {
		return err
	}
	_, err = fmt.Fprintf(e.out, "%s is started and ready.\n", r.Name)
	return err
}

type regionStop struct {
	Name string `arg:"" help:"The region's name, such as eu-west."`
}

// Run returns when no process of the region is left.
func (r *regionStop) Run(e *env) error {
	_, home, err := e.running()
	if err != nil {
		return err
	}
	if _, err := launcher.StopRegion(e.ctx, home, r.Name); err != nil {
		return err
	}
	_, err = fmt.Fprintf(e.out, "%s is stopped; its data stays.\n", r.Name)
	return err
}

type regionRestart struct {
	Name string `arg:"" help:"The region's name, such as eu-west."`
}

// Run returns when all of the region is ready and has its shoppers back.
func (r *regionRestart) Run(e *env) error {
	_, home, err := e.running()
	if err != nil {
		return err
	}
	if _, err := launcher.RestartRegion(e.ctx, home, r.Name); err != nil {
		return err
	}
	_, err = fmt.Fprintf(e.out, "%s was restarted and is ready.\n", r.Name)
	return err
}

type regionShow struct {
	Name string `arg:"" help:"The region's name, such as eu-west."`
	JSON bool   `help:"Print one JSON document."`
}

// Run shows a region; the exit code is 1 when it is not started or not ready and 3 when no copy runs.
func (r *regionShow) Run(e *env) error {
	if _, _, err := e.regionNamed(r.Name); err != nil {
		return err
	}
	home, all, err := e.place()
	if err != nil {
		return err
	}
	health, err := launcher.ExamineRegion(e.ctx, home, all, r.Name)
	if err != nil {
		return err
	}
	if r.JSON {
		if err := printJSON(e.out, health); err != nil {
			return err
		}
	}
	switch {
	case !health.Running:
		return failure{exitNotThere, fmt.Errorf("no copy runs from %s: start one with `meridian up`", home.Dir())}
	case !health.Started:
		return fmt.Errorf("%s is not started: `meridian region start %s` does", r.Name, r.Name)
	case !health.Ready:
		return errors.New(r.Name + " is not ready: " + strings.Join(health.Problems, "; "))
	}
	if !r.JSON {
		_, err = fmt.Fprintf(e.out, "%s is ready: gateway %s, Consul %s\n", r.Name, health.GatewayURL, health.ConsulURL)
	}
	return err
}
