package process

import (
	"context"
	"fmt"
	"slices"
	"sync"
)

// Supervisor keeps a set of processes, in the order in which their starts were asked
// for. Its methods may be called from several goroutines. Make it with [NewSupervisor].
type Supervisor struct {
	config Config

	mu        sync.Mutex
	processes []*Process
	stopped   bool

	notify sync.Mutex
}

// NewSupervisor returns a supervisor without processes. Unlike that of a single
// process, its OnChange is called for all processes one call at a time; the callback
// may call States but must not stop or start.
func NewSupervisor(config Config) *Supervisor {
	s := &Supervisor{config: config}
	if onChange := config.OnChange; onChange != nil {
		s.config.OnChange = func(state State) {
			s.notify.Lock()
			defer s.notify.Unlock()
			onChange(state)
		}
	}
	return s
}

// Start adds a process and returns when it is ready, as [Process.Start] does; one that
// fails is not kept. A process of that name which was stopped is replaced in its place;
// one that was not is an error.
func (s *Supervisor) Start(ctx context.Context, spec Spec) (*Process, error) {
	p, err := New(spec, s.config)
	if err != nil {
		return nil, err
	}
	if err := s.add(p); err != nil {
		return nil, err
	}
	if err := p.Start(ctx); err != nil {
		s.remove(p)
		return nil, err
	}
	return p, nil
}

func (s *Supervisor) add(p *Process) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return fmt.Errorf("start %s: supervisor: %w", p.spec.Name, ErrStopped)
	}
	at := s.index(p.spec.Name)
	if at < 0 {
		s.processes = append(s.processes, p)
		return nil
	}
	select {
	case <-s.processes[at].Done():
		s.processes[at] = p
		return nil
	default:
		return fmt.Errorf("start %s: a process of that name exists", p.spec.Name)
	}
}

func (s *Supervisor) remove(p *Process) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.processes = slices.DeleteFunc(s.processes, func(other *Process) bool { return other == p })
}

func (s *Supervisor) index(name string) int {
	return slices.IndexFunc(s.processes, func(p *Process) bool { return p.spec.Name == name })
}

// Process returns the process of that name.
func (s *Supervisor) Process(name string) (*Process, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at := s.index(name); at >= 0 {
		return s.processes[at], true
	}
	return nil, false
}

// States returns the state of every process, stopped ones included, in start order.
func (s *Supervisor) States() []State {
	s.mu.Lock()
	defer s.mu.Unlock()
	states := make([]State, len(s.processes))
	for i, p := range s.processes {
		states[i] = p.State()
	}
	return states
}

// StopAll stops every process, the last started first, and refuses further starts.
// When the context ends, what still runs is killed. It returns when no child is left;
// to call it twice is fine.
func (s *Supervisor) StopAll(ctx context.Context) {
	s.mu.Lock()
	s.stopped = true
	processes := slices.Clone(s.processes)
	s.mu.Unlock()
	for _, p := range slices.Backward(processes) {
		p.Stop(ctx)
	}
}
