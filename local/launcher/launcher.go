package launcher

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/meridian-store/meridian/local/process"
	"github.com/meridian-store/meridian/regions"
	"github.com/meridian-store/meridian/regions/cluster"
)

// Options say what `up` starts.
type Options struct {
	Home Home
	// Binary is the meridian program that runs the regions, the brokers and the edge.
	Binary string
	// Regions are all that there are: ports, schema, edge and Consul know each of them, whichever run.
	Regions []regions.Region
	// Start names those to start with; the others can be started later.
	Start []string
	// RegionsDir is where they were read from, "" when they are the shipped ones; the children read them again.
	RegionsDir string
	BasePort   int
	// Split gives every service a process of its own.
	Split bool
	// Links says how the links between regions begin.
	Links LinkMode
	// Progress receives one line for each step.
	Progress io.Writer
}

// launcher is one `up`.
type launcher struct {
	Options
	ports   Ports
	secrets secrets
	jwks    string

	supervisor *process.Supervisor
	started    time.Time
	// joining is held, by a region's place, while that region is started or stopped.
	joining []sync.Mutex

	mu    sync.Mutex
	state State
}

const stopTimeout = 30 * time.Second

// Up starts everything, calls ready once it all serves, and keeps it running until the context ends; then it stops all in order.
func Up(ctx context.Context, options Options, ready func(context.Context, State) error) (err error) {
	lock, err := options.Home.Lock()
	if errors.Is(err, ErrRunning) {
		return alreadyRunning(options.Home)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	l, err := newLauncher(ctx, options)
	if err != nil {
		return err
	}
	var open *control
	ctx, cancel := context.WithCancel(ctx) // before anything is stopped, what is being started is given up
	defer cancel()
	defer func() {
		cancel()
		l.note("Stopping the edge, the regions and the engines")
		stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer cancel()
		if open != nil {
			err = errors.Join(err, open.stop(stopping))
		}
		l.supervisor.StopAll(stopping)
		err = errors.Join(err, l.finish(err))
	}()
	if err := l.start(ctx); err != nil {
		return err
	}
	if open, err = l.serveControl(ctx); err != nil {
		return err
	}
	if err := l.change(func(s *State) { s.Ready = true }); err != nil {
		return err
	}
	if err := ready(ctx, l.snapshot()); err != nil {
		return err
	}
	if err := l.change(func(s *State) { s.Announced = true }); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

func alreadyRunning(home Home) error {
	state, _, err := ReadState(home)
	if err != nil {
		return err
	}
	return fmt.Errorf("meridian already runs from %s (process %d, edge %s): see `meridian status`, or stop it with `meridian down`",
		home.Dir(), state.Up.PID, state.EdgeURL)
}

func newLauncher(ctx context.Context, options Options) (*launcher, error) {
	l := &launcher{Options: options, ports: Ports{Base: options.BasePort}, started: time.Now(), joining: make([]sync.Mutex, len(options.Regions))}
	if err := l.ports.Validate(len(options.Regions)); err != nil {
		return nil, err
	}
	if err := reapLeftovers(ctx, options.Home, l.note); err != nil {
		return nil, err
	}
	var err error
	if l.secrets, err = loadSecrets(options.Home, cluster.Names(), l.regionNames()); err != nil {
		return nil, err
	}
	if l.jwks, err = l.secrets.jwks(); err != nil {
		return nil, err
	}
	identity, err := self()
	if err != nil {
		return nil, err
	}
	l.state = State{Up: identity, BasePort: options.BasePort, Split: options.Split, Regions: l.regionNames(), EdgeURL: l.url(l.ports.Edge())}
	for _, name := range options.Start {
		if _, err := l.place(name); err != nil {
			return nil, err
		}
		l.state.setStarted(name, true)
	}
	for _, region := range options.Regions {
		// A drill that was killed may have left its clock wrong.
		if err := SkewClock(options.Home, region.Name, 0); err != nil {
			return nil, err
		}
	}
	l.supervisor = process.NewSupervisor(process.Config{Home: options.Home.Dir(), OnChange: l.childChanged})
	if err := l.checkPorts(ctx); err != nil {
		return nil, err
	}
	return l, l.change(func(*State) {})
}

// start brings the engines up together, then the schema, then the regions together, then the edge.
func (l *launcher) start(ctx context.Context) error {
	engines, err := l.engineSpecs(ctx)
	if err != nil {
		return err
	}
	if err := l.startAll(ctx, engines); err != nil {
		return err
	}
	if err := l.migrate(ctx); err != nil {
		return err
	}
	if err := l.startLinks(ctx); err != nil {
		return err
	}
	var shop []process.Spec
	state := l.snapshot()
	for i, region := range l.Regions {
		if state.isStarted(region.Name) {
			shop = append(shop, l.regionSpecs(i)...)
		}
	}
	if err := l.startAll(ctx, shop); err != nil {
		return err
	}
	if err := l.startAll(ctx, []process.Spec{l.edgeSpec()}); err != nil {
		return err
	}
	if err := l.applyEdge(ctx); err != nil {
		return err
	}
	for _, region := range l.Regions {
		if state.isStarted(region.Name) {
			if err := l.awaitSteering(ctx, region.Name); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *launcher) startAll(ctx context.Context, specs []process.Spec) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, spec := range specs {
		group.Go(func() error {
			begun := time.Now()
			if _, err := l.supervisor.Start(ctx, spec); err != nil {
				return fmt.Errorf("%w; its log is %s", err, spec.LogFile)
			}
			l.note("%-28s ready in %.1f s", spec.Name, time.Since(begun).Seconds())
			return nil
		})
	}
	return group.Wait()
}

// checkPorts finds out before anything starts whether another program listens where we want to.
func (l *launcher) checkPorts(ctx context.Context) error {
	wanted := append([]int{l.ports.Edge(), l.ports.EdgeAdmin(), l.ports.EdgeAPI(), l.ports.SQL(), l.ports.Provider()}, l.linkPorts()...)
	state := l.snapshot()
	for i, region := range l.Regions {
		if state.isStarted(region.Name) {
			wanted = append(wanted, l.regionPorts(i)...)
		}
	}
	return l.portsFree(ctx, wanted)
}

func (l *launcher) regionPorts(i int) []int {
	ports := []int{l.ports.Redis(i), l.ports.ConsulHTTP(i), l.ports.ConsulLAN(i), l.ports.ConsulWAN(i), l.ports.ConsulRPC(i), l.ports.Broker(i), l.ports.Search(i)}
	for _, service := range cluster.Names() {
		ports = append(ports, l.ports.Service(i, service))
	}
	return ports
}

func (l *launcher) portsFree(ctx context.Context, wanted []int) error {
	var config net.ListenConfig
	for _, port := range wanted {
		listener, err := config.Listen(ctx, "tcp", address(port))
		if err != nil {
			return fmt.Errorf("port %d is taken by another program (%w): choose other ports with --base-port, such as --base-port %d", port, err, l.BasePort+1000)
		}
		if err := listener.Close(); err != nil {
			return fmt.Errorf("try port %d: %w", port, err)
		}
	}
	return nil
}

// childChanged writes every start, death and change of health down, so that `status` and the next `up` know the children.
func (l *launcher) childChanged(child process.State) {
	if err := l.change(func(*State) {}); err != nil {
		l.note("warning: the state could not be written: %v", err)
	}
	if child.Restarts > 0 && child.Ready {
		l.note("%-28s is back (restart %d)", child.Name, child.Restarts)
	}
}

func (l *launcher) change(edit func(*State)) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	edit(&l.state)
	l.state.Processes = l.supervisor.States()
	return l.Home.writeJSON(stateFile, l.state)
}

func (l *launcher) snapshot() State {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state
}

// finish leaves a state that says that nothing runs, and why when it failed.
func (l *launcher) finish(cause error) error {
	return l.change(func(s *State) {
		s.Ready, s.Announced, s.Up = false, false, process.Identity{}
		if cause != nil {
			s.Failure = cause.Error()
		}
	})
}

func (l *launcher) note(format string, args ...any) {
	fmt.Fprintf(l.Progress, "%6.1f s  %s\n", time.Since(l.started).Seconds(), fmt.Sprintf(format, args...))
}

func (l *launcher) regionNames() []string {
	var names []string
	for _, region := range l.Regions {
		names = append(names, region.Name)
	}
	return names
}

func (l *launcher) url(port int) string { return "http://" + address(port) }

func address(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }
