package process

import (
	"strings"
	"testing"
	"time"
)

// FuzzParseStat checks that no line makes the parser panic, and that whatever it
// accepts is read the same when the command is another.
func FuzzParseStat(f *testing.F) {
	f.Add("42 (redis server) S 1 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 1 2")
	f.Add("42 (a) b) Z 1 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 5")
	f.Add("42 (x")
	f.Fuzz(func(t *testing.T, line string) {
		got, err := parseStat(line)
		if err != nil {
			return
		}
		again, err := parseStat("1 (some other) name" + line[strings.LastIndexByte(line, ')'):])
		if err != nil || again != got {
			t.Errorf("%q: %+v, and with another command %+v, %v", line, got, again, err)
		}
	})
}

func TestParseStatCountsFromTheLastBracket(t *testing.T) {
	t.Parallel()
	got, err := parseStat("42 (a) S 7 (b) Z 1 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 1 2")
	if err != nil || got != (procStat{startTicks: 987654, ended: true}) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestBackoffGrowsIsCappedAndForgives(t *testing.T) {
	t.Parallel()
	b := newRestarts()
	last := time.Duration(0)
	for range 12 {
		next := b.after(time.Second)
		if next < last || next > lastRestartDelay {
			t.Fatalf("delay went from %s to %s", last, next)
		}
		last = next
	}
	if last != lastRestartDelay {
		t.Errorf("delay ends at %s, want %s", last, lastRestartDelay)
	}
	if got := b.after(healthyRun); got != firstRestartDelay {
		t.Errorf("after a healthy run the delay is %s, want %s", got, firstRestartDelay)
	}
}
