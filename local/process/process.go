package process

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"syscall"
	"time"
)

const (
	readyPoll     = 25 * time.Millisecond
	healthEvery   = time.Second
	healthTimeout = 3 * time.Second
)

// ErrStopped is the cause when something was asked of a process or a supervisor that
// has been stopped.
var ErrStopped = errors.New("stopped")

// Config is what the processes of one running copy have in common.
type Config struct {
	// Home marks the children (see [Find]); usually the folder with the copy's state.
	Home string
	// Logger hears of ends and restarts; nil means the default logger.
	Logger *slog.Logger
	// OnChange is called after each change of a process's state, the start of its child
	// before all others. Calls for one process come one after another, and the process
	// waits for them.
	OnChange func(State)
}

// Process keeps one child alive from Start to Stop. Make it with [New].
type Process struct {
	spec   Spec
	config Config

	mu    sync.Mutex
	state State
	begun bool

	firstReady chan error // one value: how the first start went
	stopping   chan struct{}
	hurry      chan struct{} // a Stop's context has ended
	stopOnce   sync.Once
	hurryOnce  sync.Once
	done       chan struct{}
}

// New returns a process that is not started yet.
func New(spec Spec, config Config) (*Process, error) {
	if err := spec.Validate(); err != nil {
		return nil, err
	}
	spec = spec.withDefaults()
	if config.Logger == nil {
		config.Logger = slog.Default()
	}
	return &Process{
		spec:       spec,
		config:     config,
		state:      State{Name: spec.Name, StopSignal: spec.StopSignal},
		firstReady: make(chan error, 1),
		stopping:   make(chan struct{}),
		hurry:      make(chan struct{}),
		done:       make(chan struct{}),
	}, nil
}

// Start starts the child and returns when it is ready. When the child ends before, or
// is not ready in time, or the context ends, it is stopped again and the error carries
// the last lines of its log. A process can be started once.
func (p *Process) Start(ctx context.Context) error {
	p.mu.Lock()
	begun := p.begun
	p.begun = true
	p.mu.Unlock()
	if begun {
		select {
		case <-p.stopping:
			return fmt.Errorf("start %s: %w", p.spec.Name, ErrStopped)
		default:
			return fmt.Errorf("start %s: it was started before", p.spec.Name)
		}
	}

	go p.run() //nolint:gosec,contextcheck // the context bounds the start, and the process lives on
	select {
	case err := <-p.firstReady:
		if err != nil {
			<-p.done
			return fmt.Errorf("start %s: %w", p.spec.Name, err)
		}
		return nil
	case <-ctx.Done():
		p.halt(ctx)
		return fmt.Errorf("start %s: %w", p.spec.Name, ctx.Err())
	}
}

// Stop ends the child and waits until it is gone: by its stop signal, and by SIGKILL
// after its stop timeout or when the context ends. To stop twice, or before Start, is fine.
func (p *Process) Stop(ctx context.Context) {
	p.mu.Lock()
	begun := p.begun
	p.begun = true // a Start after this must fail
	if !begun {
		p.stopOnce.Do(func() { close(p.stopping); close(p.done) })
	}
	p.mu.Unlock()
	p.halt(ctx)
}

func (p *Process) halt(ctx context.Context) {
	p.stopOnce.Do(func() { close(p.stopping) })
	select {
	case <-p.done:
	case <-ctx.Done():
		p.hurryOnce.Do(func() { close(p.hurry) })
		<-p.done
	}
}

// Done is closed once the process has been stopped, or has failed to start, and no
// child of it is left.
func (p *Process) Done() <-chan struct{} { return p.done }

// State returns what is known now.
func (p *Process) State() State {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state
}

// Signal sends a signal to the child's group, for drills that kill or freeze it.
func (p *Process) Signal(sig syscall.Signal) error {
	id := p.State().Identity()
	if !id.Alive() {
		return fmt.Errorf("signal %s: %w", p.spec.Name, ErrStopped)
	}
	if err := signalGroup(id.PID, sig); err != nil {
		return fmt.Errorf("signal %s: %w", p.spec.Name, err)
	}
	return nil
}

// run is the life of the process: start the child, watch it, start it again.
func (p *Process) run() {
	defer close(p.done)
	if p.spec.DieWithParent {
		// The kernel means the parent *thread*: this one must live as long as the child.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		select {
		case <-p.stopping:
		case <-ctx.Done():
		}
		cancel()
	}()

	delay := newRestarts()
	for first := true; ; first = false {
		ready, err := p.runOnce(ctx, first)
		if ctx.Err() != nil {
			if first && ready == 0 {
				p.firstReady <- ErrStopped
			}
			return
		}
		if first && ready == 0 {
			p.firstReady <- err
			return
		}
		wait := delay.after(ready)
		p.config.Logger.Warn("A process ended and will be restarted.",
			"process", p.spec.Name, "error", err, "restart_in", wait)
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-p.stopping:
			timer.Stop()
			return
		}
	}
}

// runOnce starts the child and stays with it until it has ended. It returns for how
// long the child was up since it became ready, and why it ended.
func (p *Process) runOnce(ctx context.Context, first bool) (ready time.Duration, err error) {
	startCtx, cancel := context.WithTimeout(ctx, p.spec.ReadyTimeout)
	defer cancel()
	if p.spec.Prepare != nil {
		if err := p.spec.Prepare(startCtx); err != nil {
			p.update(func(s *State) { s.LastError = err.Error() })
			return 0, err
		}
	}
	c, err := startChild(p.spec, environKey+"="+p.config.Home+"|"+p.spec.Name)
	if err != nil {
		p.update(func(s *State) { s.LastError = err.Error() })
		return 0, err
	}
	p.update(func(s *State) {
		s.PID, s.StartTicks, s.Started = c.identity.PID, c.identity.StartTicks, c.started
		if !first {
			s.Restarts++
		}
	})
	defer func() {
		c.stop(p.spec, p.hurry)
		p.update(func(s *State) {
			s.PID, s.StartTicks, s.Started, s.Ready = 0, 0, time.Time{}, false
			if ctx.Err() == nil {
				s.LastError = err.Error()
			}
		})
	}()

	if err := p.awaitReady(startCtx, c); err != nil {
		if tail := logTail(p.spec.LogFile, c.logFrom); tail != "" {
			err = fmt.Errorf("%w; the end of %s:\n%s", err, p.spec.LogFile, tail)
		}
		return 0, err
	}
	since := time.Now()
	p.update(func(s *State) { s.Ready = true })
	if first {
		p.firstReady <- nil
	}
	err = p.watch(ctx, c)
	return max(time.Since(since), 1), err
}

// update changes the state and reports it when that made a difference.
func (p *Process) update(change func(*State)) {
	p.mu.Lock()
	before := p.state
	change(&p.state)
	after := p.state
	p.mu.Unlock()
	if before != after && p.config.OnChange != nil {
		p.config.OnChange(after)
	}
}
