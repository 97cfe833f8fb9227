package launcher

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/meridian-store/meridian/local/process"
	"github.com/meridian-store/meridian/regions"
)

// idleLauncher is an `up --bare` without its processes, in a home whose path is longer than a socket's may be.
func idleLauncher(t *testing.T) *launcher {
	t.Helper()
	home, err := OpenHome(filepath.Join(t.TempDir(), strings.Repeat("long", 40)))
	if err != nil {
		t.Fatal(err)
	}
	all, err := regions.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	l := &launcher{Options: Options{Home: home, Regions: all, Progress: io.Discard}, joining: make([]sync.Mutex, len(all))}
	l.state.Regions = l.regionNames()
	l.supervisor = process.NewSupervisor(process.Config{Home: home.Dir()})
	return l
}

func (l *launcher) open(t *testing.T) *control {
	t.Helper()
	c, err := l.serveControl(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestControlNamesTheRegionsThatThereAre(t *testing.T) {
	t.Parallel()
	l := idleLauncher(t)
	c := l.open(t)
	for _, ask := range []string{"atlantis", "../eu-west", "eu-west/redis"} {
		if _, err := StartRegion(t.Context(), l.Home, ask); err == nil {
			t.Errorf("a region %q was started", ask)
		}
	}
	_, err := StartRegion(t.Context(), l.Home, "atlantis")
	if err == nil || !strings.Contains(err.Error(), "us-east, eu-west, ap-southeast") {
		t.Errorf("the error is %v", err)
	}
	if err := c.stop(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestStoppingARegionThatIsNotStartedIsFine(t *testing.T) {
	t.Parallel()
	l := idleLauncher(t)
	c := l.open(t)
	answer, err := StopRegion(t.Context(), l.Home, "eu-west")
	if err != nil || answer != (Membership{Name: "eu-west"}) {
		t.Errorf("answer %+v, error %v", answer, err)
	}
	if err := c.stop(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestControlSocketIsItsOwnersAloneAndReplacesOneThatWasLeft(t *testing.T) {
	t.Parallel()
	l := idleLauncher(t)
	if err := os.WriteFile(l.Home.Path(controlSocket), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	c := l.open(t)
	info, err := os.Stat(l.Home.Path(controlSocket))
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != os.ModeSocket|0o600 {
		t.Errorf("its mode is %v", info.Mode())
	}
	if err := c.stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(l.Home.Path(controlSocket)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("after the stop there is still one: %v", err)
	}
	if _, err := StopRegion(t.Context(), l.Home, "eu-west"); err == nil {
		t.Error("it still answers")
	}
}

func TestStartedRegionsKeepTheirPlaces(t *testing.T) {
	t.Parallel()
	l := idleLauncher(t)
	state := State{BasePort: 9000, Regions: l.regionNames()}
	for _, name := range []string{"ap-southeast", "us-east", "ap-southeast"} {
		state.setStarted(name, true)
	}
	before := state
	state.setStarted("us-east", false)
	if want := []string{"us-east", "ap-southeast"}; !slices.Equal(before.Started, want) {
		t.Errorf("started are %v, not %v", before.Started, want)
	}
	if want := []string{"ap-southeast"}; !slices.Equal(state.Started, want) {
		t.Errorf("started are %v, not %v", state.Started, want)
	}
	layout := state.Layout(l.Home, l.Regions)
	if len(layout.Regions) != 1 || layout.Regions[0].GatewayURL != "http://127.0.0.1:9023" || state.GatewayURL(0) != "http://127.0.0.1:9023" {
		t.Errorf("the third region is alone, and is laid out as %+v", layout.Regions)
	}
}
