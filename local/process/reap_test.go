package process_test

import (
	"encoding/json"
	"os/exec"
	"testing"
	"time"

	"github.com/meridian-store/meridian/local/process"
)

// orphan runs a child that no supervisor watches, as a killed launcher leaves behind.
// Its role needs no file: it is `sleep`, which ends on SIGTERM.
func orphan(t *testing.T, home, name string) (process.Identity, *exec.Cmd) {
	t.Helper()
	cmd := exec.Command("sleep", "3600")
	cmd.Env = []string{"MERIDIAN_PROCESS=" + home + "|" + name}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// It may have ended already, which is what most tests are about.
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return identify(t, cmd.Process.Pid), cmd
}

func TestReapEndsTheVeryProcess(t *testing.T) {
	t.Parallel()
	id, _ := orphan(t, t.TempDir(), "redis")
	kept, err := json.Marshal([]process.Identity{id})
	if err != nil {
		t.Fatal(err)
	}
	var read []process.Identity
	if err := json.Unmarshal(kept, &read); err != nil {
		t.Fatal(err)
	}
	if err := process.Reap(t.Context(), read, time.Minute); err != nil {
		t.Fatal(err)
	}
	if id.Alive() {
		t.Error("it still runs")
	}
	if err := process.Reap(t.Context(), read, time.Minute); err != nil {
		t.Errorf("to reap what is gone should be fine: %v", err)
	}
}

func TestReapLeavesARecycledPIDAlone(t *testing.T) {
	t.Parallel()
	id, _ := orphan(t, t.TempDir(), "redis")
	stale := id
	stale.StartTicks--
	if err := process.Reap(t.Context(), []process.Identity{stale, {}, {PID: 1}}, 0); err != nil {
		t.Fatal(err)
	}
	if !id.Alive() {
		t.Error("a process that merely has the same pid was killed")
	}
}

func TestReapKillsTheStubborn(t *testing.T) {
	t.Parallel()
	spec := child("stubborn", "deaf", upFile(t))
	p := start(t, spec, process.Config{})
	id := p.State().Identity()
	if err := process.Reap(t.Context(), []process.Identity{id}, 10*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if id.Alive() {
		t.Error("it still runs")
	}
}

func TestFindSeesOnlyThisHome(t *testing.T) {
	t.Parallel()
	mine, other := t.TempDir(), t.TempDir()
	want, _ := orphan(t, mine, "us-east/redis")
	orphan(t, other, "us-east/redis")
	var got []process.Identity
	// The child's environment shows only once it has executed its program.
	eventually(t, "the child is found", func() bool {
		var err error
		if got, err = process.Find(mine); err != nil {
			t.Fatal(err)
		}
		return len(got) == 1
	})
	want.Name = "us-east/redis"
	if got[0] != want {
		t.Errorf("got %+v, want %+v", got[0], want)
	}
}
