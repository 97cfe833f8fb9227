//go:build !production

package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/meridian-store/meridian/local/launcher"
	"github.com/meridian-store/meridian/regions"
)

type up struct {
	BasePort int      `help:"The edge's port; everything else listens above it." default:"8080"`
	Split    bool     `help:"Run every service as a process of its own."`
	Detach   bool     `help:"Return when everything is ready and leave it running."`
	Links    string   `help:"How slow the links between regions are: none, or realistic as the distance asks." default:"none" enum:"none,realistic"`
	Region   []string `help:"Start with this region; repeat for more. Every region when absent." xor:"which"`
	Bare     bool     `help:"Start with no region: the SQL server and the edge alone, for 'meridian region start'." xor:"which"`
	Seed     bool     `help:"Fill the shop with the default catalog when it is empty."`
}

// Run starts the shop and keeps it until it is interrupted.
func (u *up) Run(e *env) error {
	if u.Detach {
		return u.detach(e)
	}
	home, all, err := e.place()
	if err != nil {
		return err
	}
	binary, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	start, err := u.startWith(all)
	if err != nil {
		return err
	}
	options := launcher.Options{Home: home, Binary: binary, Regions: all, Start: start, RegionsDir: e.regionsDir, BasePort: u.BasePort, Split: u.Split, Links: launcher.LinkMode(u.Links), Progress: e.out}
	return launcher.Up(e.ctx, options, func(ctx context.Context, state launcher.State) error {
		if u.Seed {
			if err := seedWhenEmpty(ctx, e, home, state); err != nil {
				return err
			}
		}
		return printTable(e.out, home, state, all)
	})
}

// startWith gives the regions that were asked for.
func (u *up) startWith(all []regions.Region) ([]string, error) {
	if u.Bare && u.Seed {
		return nil, errors.New("--seed needs a region to give the catalog to, and --bare starts none: seed later, with `meridian seed`")
	}
	if u.Bare || len(u.Region) > 0 {
		return u.Region, nil
	}
	var names []string
	for _, region := range all {
		names = append(names, region.Name)
	}
	return names, nil
}

// detach starts the same command in a session of its own and shows its progress until it is ready.
func (u *up) detach(e *env) error {
	home, err := e.home()
	if err != nil {
		return err
	}
	if state, found, err := launcher.ReadState(home); err == nil && found && state.Running() {
		return fmt.Errorf("meridian already runs from %s (process %d, edge %s): see `meridian status`, or stop it with `meridian down`", home.Dir(), state.Up.PID, state.EdgeURL)
	}
	log, err := os.Create(home.Path("up.log"))
	if err != nil {
		return fmt.Errorf("open the log of up: %w", err)
	}
	defer log.Close()
	shown, err := os.Open(log.Name())
	if err != nil {
		return fmt.Errorf("read the log of up: %w", err)
	}
	defer shown.Close()
	child := exec.Command(os.Args[0], u.childArgs(e, home)...) //nolint:noctx // it outlives this command on purpose
	if binary, err := os.Executable(); err == nil {
		child.Path = binary
	}
	child.Stdout, child.Stderr = log, log
	child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := child.Start(); err != nil {
		return fmt.Errorf("start up in the background: %w", err)
	}
	return awaitDetached(e, home, child, shown)
}

func (u *up) childArgs(e *env, home launcher.Home) []string {
	args := []string{"--home", home.Dir(), "up", "--base-port", strconv.Itoa(u.BasePort), "--links", u.Links}
	if e.regionsDir != "" {
		args = append([]string{"--regions-dir", e.regionsDir}, args...)
	}
	if u.Split {
		args = append(args, "--split")
	}
	for _, name := range u.Region {
		args = append(args, "--region", name)
	}
	if u.Bare {
		args = append(args, "--bare")
	}
	if u.Seed {
		args = append(args, "--seed")
	}
	return args
}

// awaitDetached copies the child's progress until its state says that it is ready. An interrupt stops the child too.
func awaitDetached(e *env, home launcher.Home, child *exec.Cmd, shown io.Reader) error {
	ended := make(chan error, 1)
	go func() { ended <- child.Wait() }()
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		if _, err := io.Copy(e.out, shown); err != nil {
			return fmt.Errorf("show the progress: %w", err)
		}
		state, found, err := launcher.ReadState(home)
		if err == nil && found && state.Announced && state.Up.PID == child.Process.Pid {
			_, err := io.Copy(e.out, shown)
			return err
		}
		select {
		case err := <-ended:
			if _, copying := io.Copy(e.err, shown); copying != nil {
				return errors.Join(err, copying)
			}
			if err == nil {
				err = errors.New("it was stopped")
			}
			return fmt.Errorf("up ended before it was ready (%w); its log is %s", err, home.Path("up.log"))
		case <-e.ctx.Done():
			if err := child.Process.Signal(syscall.SIGTERM); err != nil {
				return err
			}
			return <-ended
		case <-ticker.C:
		}
	}
}

func printTable(out io.Writer, home launcher.Home, state launcher.State, all []regions.Region) error {
	status := state.Layout(home, all)
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	if len(status.Regions) > 0 {
		fmt.Fprintf(w, "\nThe shop is open.\n\n")
	} else {
		fmt.Fprintf(w, "\nNo region is started yet: `meridian region start NAME` does.\n\n")
	}
	fmt.Fprintf(w, "  edge\t%s\t(nearest region by X-Edge-Location, such as DUB)\n", status.Edge.URL)
	for _, region := range status.Regions {
		fmt.Fprintf(w, "  %s\tgateway %s\tConsul %s\n", region.Name, region.GatewayURL, region.ConsulURL)
	}
	fmt.Fprintf(w, "  API\t%s/api/docs\n  logs\t%s\n\n", status.Edge.URL, home.Path("logs"))
	fmt.Fprintf(w, "  curl -s -H 'X-Edge-Location: DUB' '%s/api/v1/products?limit=3'\n\n", status.Edge.URL)
	fmt.Fprintf(w, "Stop with Ctrl-C, or `meridian down`.\n")
	return w.Flush()
}
