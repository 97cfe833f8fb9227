package emulator

import (
	"testing"
	"time"
)

// watched drives a vigil with injected probes, one a second.
type watched struct {
	vigil
	health health
	now    time.Time
}

func newWatched() *watched {
	return &watched{vigil: vigil{returnProbes: 3, steadyAfter: time.Minute}, now: time.Unix(1_000_000, 0)}
}

func (w *watched) probe(ok bool) health {
	w.now = w.now.Add(time.Second)
	w.health = w.judge(w.health, ok, w.now)
	return w.health
}

func (w *watched) expect(t *testing.T, when string, ok bool, want ...health) {
	t.Helper()
	for i, h := range want {
		if got := w.probe(ok); got != h {
			t.Fatalf("%s, probe %d: %s, want %s", when, i+1, got, h)
		}
	}
}

func TestOneGoodProbeIsEnoughAtFirst(t *testing.T) {
	t.Parallel()
	w := newWatched()
	w.expect(t, "not there yet", false, down, down, down)
	w.expect(t, "there", true, up)
}

func TestLeavingTakesTwoBadProbesAndReturningThreeGoodOnes(t *testing.T) {
	t.Parallel()
	w := newWatched()
	w.expect(t, "at first", true, up)
	w.expect(t, "one lost probe", false, up)
	w.expect(t, "and a good one", true, up)
	w.expect(t, "lost", false, up, down)
	w.expect(t, "back for a moment", true, returning, returning)
	w.expect(t, "lost again", false, down)
	w.expect(t, "back to stay", true, returning, returning, up)
}

func TestASuspectIsJudgedByOneProbe(t *testing.T) {
	t.Parallel()
	w := newWatched()
	w.expect(t, "at first", true, up)
	w.health = suspect
	w.expect(t, "cleared", true, up)
	w.health = suspect
	w.expect(t, "confirmed", false, down)
	w.expect(t, "back", true, returning, returning, up)
}

func TestReturningTakesLongerAfterEachFallAndIsForgivenInTime(t *testing.T) {
	t.Parallel()
	w := newWatched()
	w.expect(t, "at first", true, up)
	for fall, probes := range []int{3, 6, 12, 12} {
		w.expect(t, "fall", false, up, down)
		for range probes - 1 {
			w.expect(t, "return", true, returning)
		}
		if got := w.probe(true); got != up {
			t.Fatalf("fall %d: %s after %d good probes", fall+1, got, probes)
		}
	}
	for range 60 {
		w.expect(t, "steady", true, up)
	}
	w.expect(t, "a fall after a steady minute", false, up, down)
	w.expect(t, "is the first again", true, returning, returning, up)
}

// An origin that is well every other second must not pull its shoppers to and fro.
func TestAFlappingOriginDoesNotThrash(t *testing.T) {
	t.Parallel()
	w := newWatched()
	w.expect(t, "at first", true, up)
	changes, before := 0, w.health
	for second := range 600 {
		now := w.probe(second%4 < 2) // two good probes, two bad ones
		if (now == up) != (before == up) {
			changes++
		}
		before = now
	}
	if changes != 1 || w.health == up {
		t.Errorf("shoppers were moved %d times in ten minutes, want once, away; it ends %s", changes, w.health)
	}
}
