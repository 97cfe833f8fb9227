package process_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meridian-store/meridian/local/process"
)

func TestStopAllGoesBackwards(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ends := filepath.Join(dir, "ends")
	s := process.NewSupervisor(process.Config{})
	for _, name := range []string{"sql", "redis", "region"} {
		if _, err := s.Start(t.Context(), orderly(name, filepath.Join(dir, name), ends, name)); err != nil {
			t.Fatal(err)
		}
	}
	for i, want := range []string{"sql", "redis", "region"} {
		if got := s.States()[i]; got.Name != want || !got.Ready {
			t.Errorf("state %d is %+v, want %s ready", i, got, want)
		}
	}
	s.StopAll(t.Context())
	s.StopAll(t.Context())
	got, err := os.ReadFile(ends)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("region\nredis\nsql\n", string(got)); diff != "" {
		t.Error(diff)
	}
	if _, err := s.Start(t.Context(), orderly("late", filepath.Join(dir, "late"))); !errors.Is(err, process.ErrStopped) {
		t.Errorf("start after StopAll: got %v", err)
	}
}

func TestNamesAreUniqueAndCanBeReplacedOnceStopped(t *testing.T) {
	t.Parallel()
	s := process.NewSupervisor(process.Config{})
	defer s.StopAll(t.Context())
	first, err := s.Start(t.Context(), orderly("redis", upFile(t)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Start(t.Context(), orderly("redis", upFile(t))); err == nil {
		t.Fatal("two processes of one name")
	}
	first.Stop(t.Context())
	second, err := s.Start(t.Context(), orderly("redis", upFile(t)))
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := s.Process("redis"); !ok || got != second || len(s.States()) != 1 {
		t.Errorf("the stopped process was not replaced: %+v", s.States())
	}
}

func TestFailedStartIsNotKept(t *testing.T) {
	t.Parallel()
	s := process.NewSupervisor(process.Config{})
	defer s.StopAll(t.Context())
	if _, err := s.Start(t.Context(), child("fail", "broken", upFile(t))); err == nil {
		t.Fatal("a child that ends at once counted as started")
	}
	if len(s.States()) != 0 {
		t.Errorf("kept: %+v", s.States())
	}
}

func TestManyStartsWhileStopping(t *testing.T) {
	t.Parallel()
	var persisted int // guarded by the supervisor's promise of one callback at a time
	s := process.NewSupervisor(process.Config{OnChange: func(process.State) { persisted++ }})
	var wg sync.WaitGroup
	begun := make(chan struct{}, 12)
	for i := range cap(begun) {
		spec := orderly(fmt.Sprint("p", i), upFile(t))
		wg.Go(func() {
			begun <- struct{}{}
			if _, err := s.Start(t.Context(), spec); err != nil && !errors.Is(err, process.ErrStopped) {
				t.Error(err)
			}
		})
	}
	for range cap(begun) / 2 {
		<-begun
	}
	wg.Go(func() { s.StopAll(t.Context()) })
	wg.Wait()
	for _, state := range s.States() {
		if state.PID != 0 {
			t.Errorf("left running: %+v", state)
		}
	}
}
