package launcher

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/meridian-store/meridian/local/process"
)

const (
	// unhealthyStop is how long one that is not may take to end in order: it may be frozen, and cannot.
	unhealthyStop = 3 * time.Second
)

// ErrNoSuchRegion says that no region file has the name that was asked for.
var ErrNoSuchRegion = errors.New("there is no such region")

// startRegion starts a region and returns when all of it is ready. What of it already is stays as it is, so that the same call
// mends a region that is broken.
func (l *launcher) startRegion(ctx context.Context, name string) error {
	i, err := l.place(name)
	if err != nil {
		return err
	}
	l.joining[i].Lock()
	defer l.joining[i].Unlock()
	begun, was := time.Now(), l.snapshot().isStarted(name)
	if !was {
		if err := l.portsFree(ctx, l.regionPorts(i)); err != nil {
			return err
		}
	}
	if err = l.startParts(ctx, i); err == nil {
		err = l.awaitSteering(ctx, name)
	}
	if err != nil {
		if !was {
			l.stopParts(context.WithoutCancel(ctx), name)
		}
		return fmt.Errorf("start the region %s: %w", name, err)
	}
	l.note("%-28s serves, started in %.1f s", name, time.Since(begun).Seconds())
	return l.change(func(s *State) { s.setStarted(name, true) })
}

// startParts starts the engines of a region together, then its services.
func (l *launcher) startParts(ctx context.Context, i int) error {
	engines, err := l.regionEngines(ctx, i, l.Regions[i])
	if err != nil {
		return err
	}
	for _, specs := range [][]process.Spec{engines, l.regionSpecs(i)} {
		if err := l.startAll(ctx, l.unhealthy(ctx, specs)); err != nil {
			return err
		}
	}
	return nil
}

// unhealthy gives the specs of which no process serves, after it has stopped the processes that should.
func (l *launcher) unhealthy(ctx context.Context, specs []process.Spec) []process.Spec {
	serves := make([]bool, len(specs))
	var asked sync.WaitGroup
	for i, spec := range specs {
		asked.Go(func() {
			running, exists := l.supervisor.Process(spec.Name)
			if exists && running.State().Ready && (spec.Ready == nil || patiently(ctx, spec.Ready) == nil) {
				serves[i] = true
				return
			}
			if exists {
				stopping, cancel := context.WithTimeout(ctx, unhealthyStop)
				running.Stop(stopping)
				cancel()
			}
		})
	}
	asked.Wait()
	var missing []process.Spec
	for i, spec := range specs {
		if !serves[i] {
			missing = append(missing, spec)
		}
	}
	return missing
}

// stopRegion sends a region's shoppers elsewhere, stops it in order and leaves its data. To stop one that is not started is fine.
func (l *launcher) stopRegion(ctx context.Context, name string) error {
	return l.endRegion(ctx, name, "stopped", func(ctx context.Context, name string) {
		if i, err := l.place(name); err == nil && l.hasProcess(name) {
			l.drain(ctx, i)
		}
		l.stopParts(ctx, name)
	})
}

// restartRegion stops every process of a region in order and starts it again, while the other regions serve its shoppers.
func (l *launcher) restartRegion(ctx context.Context, name string) error {
	if err := l.stopRegion(ctx, name); err != nil {
		return err
	}
	return l.startRegion(ctx, name)
}

// hasProcess says whether any process of a region is kept up.
func (l *launcher) hasProcess(name string) bool {
	return slices.ContainsFunc(l.parts(name), func(p *process.Process) bool { return p.State().PID != 0 })
}

// parts gives the processes of a region, in the order in which they were started.
func (l *launcher) parts(name string) []*process.Process {
	var parts []*process.Process
	for _, state := range l.supervisor.States() {
		if part, exists := l.supervisor.Process(state.Name); exists && strings.HasPrefix(state.Name, name+"/") {
			parts = append(parts, part)
		}
	}
	return parts
}

// loseRegion kills every process of a region at once, as a power cut does, and leaves its data.
func (l *launcher) loseRegion(ctx context.Context, name string) error {
	return l.endRegion(ctx, name, "lost", l.killParts)
}

func (l *launcher) endRegion(ctx context.Context, name, how string, end func(context.Context, string)) error {
	i, err := l.place(name)
	if err != nil {
		return err
	}
	l.joining[i].Lock()
	defer l.joining[i].Unlock()
	if !l.snapshot().isStarted(name) {
		return nil
	}
	begun := time.Now()
	// First, so that nobody takes the stopping for a failure.
	if err := l.change(func(s *State) { s.setStarted(name, false) }); err != nil {
		return err
	}
	end(ctx, name)
	l.note("%-28s %s in %.1f s", name, how, time.Since(begun).Seconds())
	return nil
}

// killParts kills the processes of a region together.
func (l *launcher) killParts(ctx context.Context, name string) {
	hurried, cancel := context.WithCancel(ctx)
	cancel()
	var killed sync.WaitGroup
	for _, part := range l.parts(name) {
		killed.Go(func() { part.Stop(hurried) })
	}
	killed.Wait()
}

// stopParts stops the processes of a region, the last started first: the services drain while their engines still are there.
func (l *launcher) stopParts(ctx context.Context, name string) {
	ctx, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	for _, part := range slices.Backward(l.parts(name)) {
		part.Stop(ctx)
	}
}

// place is a region's index among all region files; its ports hang on it, whichever regions run.
func (l *launcher) place(name string) (int, error) {
	names := l.regionNames()
	i := slices.Index(names, name)
	if i < 0 {
		return 0, fmt.Errorf("%w %q; there are %s", ErrNoSuchRegion, name, strings.Join(names, ", "))
	}
	return i, nil
}
