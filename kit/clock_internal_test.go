package kit

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestAClockFollowsItsFileAndReturns(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	path := filepath.Join(t.TempDir(), "clock")
	clock := &skewed{now: func() time.Time { return noon }, path: path, log: slog.New(slog.DiscardHandler)}
	for _, step := range []struct {
		text string
		want time.Duration
	}{{"30s", 30 * time.Second}, {"-30s\n", -30 * time.Second}, {"", 0}, {"1m", time.Minute}} {
		if err := os.WriteFile(path, []byte(step.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := clock.follow(t.Context()); err != nil || clock.Now().Sub(noon) != step.want {
			t.Errorf("%q: %s, %v", step.text, clock.Now().Sub(noon), err)
		}
	}
	if err := os.WriteFile(path, []byte("soon"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := clock.follow(t.Context()); err == nil || clock.Now().Sub(noon) != time.Minute {
		t.Errorf("what is no duration changed the clock to %s (%v)", clock.Now().Sub(noon), err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := clock.follow(t.Context()); err != nil || !clock.Now().Equal(noon) {
		t.Errorf("without its file the clock is %s wrong (%v)", clock.Now().Sub(noon), err)
	}
}
