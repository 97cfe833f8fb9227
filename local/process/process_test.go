package process_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/meridian-store/meridian/local/process"
)

func TestKilledChildComesBack(t *testing.T) {
	t.Parallel()
	p := start(t, orderly("one", upFile(t)), process.Config{})
	first := p.State()
	if !first.Ready || first.PID == 0 || first.Restarts != 0 || !first.Identity().Alive() {
		t.Fatalf("after start: %+v", first)
	}
	if err := p.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "another child is ready", func() bool {
		s := p.State()
		return s.Ready && s.PID != first.PID && s.Restarts == 1
	})
	if last := p.State().LastError; !strings.Contains(last, "killed") {
		t.Errorf("last error %q does not say how the child ended", last)
	}
	if first.Identity().Alive() {
		t.Error("the killed child still counts as alive")
	}
}

func TestStateChangesAreReportedInOrder(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var seen []process.State
	p := start(t, orderly("one", upFile(t)), process.Config{OnChange: func(s process.State) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, s)
	}})
	p.Stop(t.Context())
	mu.Lock()
	defer mu.Unlock()
	if len(seen) != 3 {
		t.Fatalf("got %d changes, want started, ready, stopped: %+v", len(seen), seen)
	}
	if s := seen[0]; s.PID == 0 || s.Ready {
		t.Errorf("first change should be a child that is not ready: %+v", s)
	}
	if s := seen[1]; s.PID != seen[0].PID || !s.Ready {
		t.Errorf("second change should be the ready child: %+v", s)
	}
	if s := seen[2]; s.PID != 0 || s.Ready || s.LastError != "" {
		t.Errorf("third change should be an end without error: %+v", s)
	}
}

func TestFailureToStartCarriesTheLog(t *testing.T) {
	t.Parallel()
	spec := child("fail", "broken", upFile(t))
	spec.LogFile = filepath.Join(t.TempDir(), "logs", "broken.log")
	if err := os.MkdirAll(filepath.Dir(spec.LogFile), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(spec.LogFile, []byte("from an earlier run\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := process.New(spec, process.Config{})
	if err != nil {
		t.Fatal(err)
	}
	err = p.Start(t.Context())
	if err == nil {
		t.Fatal("a child that ends at once counted as started")
	}
	for _, want := range []string{"broken", "exit status 3", "the disk is made of cheese", spec.LogFile} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error lacks %q: %v", want, err)
		}
	}
	if strings.Contains(err.Error(), "earlier run") {
		t.Errorf("error shows the log of an earlier run: %v", err)
	}
	<-p.Done()
}

func TestNotReadyInTimeIsAnErrorAndStopsTheChild(t *testing.T) {
	t.Parallel()
	spec := orderly("late", upFile(t))
	spec.ReadyTimeout = 200 * time.Millisecond
	errLoading := errors.New("the index is still loading")
	spec.Ready = func(context.Context) error { return errLoading }
	var pid atomic.Int64
	p, err := process.New(spec, process.Config{OnChange: func(s process.State) {
		if s.PID != 0 {
			pid.Store(int64(s.PID))
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	err = p.Start(t.Context())
	if !errors.Is(err, errLoading) {
		t.Fatalf("got %v, want the readiness check's error", err)
	}
	if _, err := process.Identify(int(pid.Load())); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("the child was left running: %v", err)
	}
}

func TestStartEndsWithItsContext(t *testing.T) {
	t.Parallel()
	spec := orderly("late", upFile(t))
	ctx, cancel := context.WithCancel(t.Context())
	spec.Ready = func(context.Context) error { cancel(); return errors.New("never") }
	p, err := process.New(spec, process.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want the context's error", err)
	}
	if s := p.State(); s.PID != 0 {
		t.Errorf("a child was left: %+v", s)
	}
}

func TestStubbornChildIsKilled(t *testing.T) {
	t.Parallel()
	t.Run("after the stop timeout", func(t *testing.T) {
		t.Parallel()
		spec := child("stubborn", "deaf", upFile(t))
		spec.StopTimeout = 50 * time.Millisecond
		p := start(t, spec, process.Config{})
		id := p.State().Identity()
		p.Stop(t.Context())
		if id.Alive() {
			t.Error("it still runs")
		}
	})
	t.Run("when the context ends", func(t *testing.T) {
		t.Parallel()
		spec := child("stubborn", "deaf", upFile(t))
		spec.StopTimeout = time.Hour
		p := start(t, spec, process.Config{})
		id := p.State().Identity()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		p.Stop(ctx)
		if id.Alive() {
			t.Error("it still runs")
		}
	})
}

func TestWhatTheLeaderLeftBehindIsKilled(t *testing.T) {
	t.Parallel()
	childUp := filepath.Join(t.TempDir(), "child-up")
	p := start(t, child("parent", "family", upFile(t), childUp), process.Config{})
	eventually(t, "the leader's child is up", func() bool { _, err := os.Stat(childUp); return err == nil })
	left := identify(t, readPID(t, childUp))
	p.Stop(t.Context())
	eventually(t, "the leader's child is gone", func() bool { return !left.Alive() })
}

func TestReadinessIsKeptUpToDate(t *testing.T) {
	t.Parallel()
	var sick atomic.Bool
	spec := orderly("one", upFile(t))
	up := spec.Ready
	spec.Ready = func(ctx context.Context) error {
		if sick.Load() {
			return errors.New("too many connections")
		}
		return up(ctx)
	}
	p := start(t, spec, process.Config{})
	pid := p.State().PID
	sick.Store(true)
	eventually(t, "the state says not ready", func() bool {
		s := p.State()
		return !s.Ready && s.LastError == "too many connections"
	})
	sick.Store(false)
	eventually(t, "the state says ready", func() bool { return p.State().Ready })
	if s := p.State(); s.PID != pid || s.Restarts != 0 {
		t.Errorf("a sick child was restarted though nobody asked for that: %+v", s)
	}
}

func TestLongUnreadyChildIsRestartedWhenAskedFor(t *testing.T) {
	t.Parallel()
	var sick atomic.Bool
	spec := orderly("one", upFile(t))
	up := spec.Ready
	spec.Ready = func(ctx context.Context) error {
		if sick.Load() {
			return errors.New("hung")
		}
		return up(ctx)
	}
	prepare := spec.Prepare
	var starts atomic.Int64
	spec.Prepare = func(ctx context.Context) error {
		if starts.Add(1) > 1 {
			sick.Store(false) // a restart cures it
		}
		return prepare(ctx)
	}
	spec.RestartUnready = time.Millisecond
	p := start(t, spec, process.Config{})
	sick.Store(true)
	eventually(t, "it is restarted and ready", func() bool { s := p.State(); return s.Ready && s.Restarts == 1 })
}

func TestChildDiesWithItsParent(t *testing.T) {
	t.Parallel()
	grandchildUp := filepath.Join(t.TempDir(), "grandchild-up")
	p := start(t, child("launcher", "launcher", upFile(t), grandchildUp), process.Config{})
	grandchild := identify(t, readPID(t, grandchildUp))
	if err := p.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the grandchild is gone", func() bool { return !grandchild.Alive() })
}

func TestStopIsSafeAtAnyMoment(t *testing.T) {
	t.Parallel()
	for range 20 {
		p, err := process.New(orderly("one", upFile(t)), process.Config{})
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			// Either it became ready before a Stop came, or Stop's error is in the chain.
			err := p.Start(t.Context())
			if err != nil && !errors.Is(err, process.ErrStopped) {
				t.Errorf("start: %v", err)
			}
		})
		for range 3 {
			wg.Go(func() { p.Stop(t.Context()) })
		}
		wg.Wait()
		p.Stop(t.Context())
		<-p.Done()
		if s := p.State(); s.PID != 0 || s.Ready {
			t.Fatalf("after stop: %+v", s)
		}
	}
}

func TestStartTwiceIsAnError(t *testing.T) {
	t.Parallel()
	p := start(t, orderly("one", upFile(t)), process.Config{})
	if err := p.Start(t.Context()); err == nil {
		t.Error("a second start was accepted")
	}
}

func TestBigLogIsMovedAside(t *testing.T) {
	t.Parallel()
	spec := orderly("chatty", upFile(t))
	spec.LogFile = filepath.Join(t.TempDir(), "chatty.log")
	if err := os.WriteFile(spec.LogFile, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(spec.LogFile, 65<<20); err != nil {
		t.Fatal(err)
	}
	p := start(t, spec, process.Config{})
	p.Stop(t.Context())
	old, err := os.Stat(spec.LogFile + ".1")
	if err != nil || old.Size() != 65<<20 {
		t.Errorf("old log: %v, %v", old, err)
	}
	fresh, err := os.ReadFile(spec.LogFile)
	if err != nil || string(fresh) != "hello from orderly\n" {
		t.Errorf("new log holds %q, %v", fresh, err)
	}
}

func TestBadSpecsAreRefused(t *testing.T) {
	t.Parallel()
	for _, spec := range []process.Spec{{}, {Name: "a|b", Path: "/bin/true"}, {Name: "a", Path: "true"}} {
		if _, err := process.New(spec, process.Config{}); err == nil {
			t.Errorf("accepted %+v", spec)
		}
	}
}
