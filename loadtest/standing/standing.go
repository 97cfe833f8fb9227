// Package standing gives a shop on this machine to measure: the copy that runs from a home, or one that is started for the while.
package standing

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/meridian-store/meridian/local/launcher"
)

// downTimeout bounds how long a copy of our own may take to stop.
const downTimeout = time.Minute

// Options name a copy. They are flags of every program that measures.
type Options struct {
	Meridian string `help:"The meridian program." default:"bin/meridian" type:"path"`
	Home     string `help:"Home of the copy to measure; one is started there when none runs, and taken down afterwards." env:"MERIDIAN_HOME" default:".meridian" type:"path"`
	BasePort int    `help:"Where a copy that has to be started listens." env:"MERIDIAN_BASE_PORT" default:"8080"`
	// Up are further arguments of "up" for a copy that has to be started.
	Up []string `kong:"-"`
}

// Shop is a copy that runs.
type Shop struct {
	Home  launcher.Home
	State launcher.State

	options Options
	started bool
}

// Open gives the copy that runs from the home, else starts one there, filled with the default catalog, which
// every service has indexed. Progress goes to out.
func Open(ctx context.Context, options Options, out io.Writer) (*Shop, error) {
	home, err := launcher.OpenHome(options.Home)
	if err != nil {
		return nil, err
	}
	s := &Shop{Home: home, options: options}
	if s.State, err = readRunning(home); err == nil {
		fmt.Fprintf(out, "Measuring the shop that runs from %s (edge %s)\n", home.Dir(), s.State.EdgeURL)
		return s, nil
	}
	if !errors.Is(err, errNotRunning) {
		return nil, err
	}
	fmt.Fprintf(out, "No shop runs from %s: starting one on port %d and above\n", home.Dir(), options.BasePort)
	up := s.command(ctx, append([]string{"up", "--detach", "--seed", "--base-port", strconv.Itoa(options.BasePort)}, options.Up...)...)
	up.Stdout, up.Stderr = out, os.Stderr
	if err := up.Run(); err != nil {
		return nil, fmt.Errorf("start a shop with %s (build it with `make build`): %w", options.Meridian, err)
	}
	s.started = true
	if s.State, err = readRunning(home); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if err := s.settle(ctx, out); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Close takes the copy down when Open started it. Closing twice is fine.
func (s *Shop) Close() error {
	if !s.started {
		return nil
	}
	s.started = false
	// Not the caller's context: an interrupted measurement leaves nothing running either.
	ctx, cancel := context.WithTimeout(context.Background(), downTimeout)
	defer cancel()
	if output, err := s.command(ctx, "down").CombinedOutput(); err != nil {
		return fmt.Errorf("take the shop down again: %w: %s", err, output)
	}
	return nil
}

// Do has the copy's own program do something.
func (s *Shop) Do(ctx context.Context, args ...string) error {
	if output, err := s.command(ctx, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("meridian %s: %w: %s", strings.Join(args, " "), err, output)
	}
	return nil
}

func (s *Shop) command(ctx context.Context, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, s.options.Meridian, append([]string{"--home", s.Home.Dir()}, args...)...)
}

var errNotRunning = errors.New("no copy runs")

func readRunning(home launcher.Home) (launcher.State, error) {
	state, found, err := launcher.ReadState(home)
	switch {
	case err != nil:
		return state, err
	case !found || !state.Running():
		return state, errNotRunning
	case !state.Announced:
		return state, fmt.Errorf("the shop of %s is still starting: look at it with `meridian --home %s status`", home.Dir(), home.Dir())
	case len(state.Started) == 0:
		return state, fmt.Errorf("no region is started in the shop of %s: start one with `meridian --home %s region start us-east`", home.Dir(), home.Dir())
	default:
		return state, nil
	}
}
