package cart

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/local/engine/enginetest"
)

// watched is a connection on which Redis tells all that it does.
type watched struct {
	t     testing.TB
	lines *bufio.Scanner
}

func watch(t testing.TB) watched {
	t.Helper()
	address, password := enginetest.Redis(t)
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() }) // nothing was written on it that could be lost
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	greeting := "MONITOR\r\n"
	if password != "" {
		greeting = "AUTH " + password + "\r\n" + greeting
	}
	if _, err := fmt.Fprint(conn, greeting); err != nil {
		t.Fatal(err)
	}
	w := watched{t: t, lines: bufio.NewScanner(conn)}
	w.lines.Buffer(nil, 1<<20)
	for range strings.Count(greeting, "\n") {
		if !w.lines.Scan() || w.lines.Text() != "+OK" {
			t.Fatalf("Redis answers %q, %v", w.lines.Text(), w.lines.Err())
		}
	}
	return w
}

// until gives the commands about some keys that Redis did until one that names the end, which is not among them.
func (w watched) until(keys, end string) []string {
	w.t.Helper()
	var done []string
	for w.lines.Scan() {
		line := w.lines.Text()
		if strings.Contains(line, end) {
			return done
		}
		if _, command, found := strings.Cut(line, "] "); found && strings.Contains(command, keys) {
			name, _, _ := strings.Cut(command, " ")
			done = append(done, strings.Trim(name, `"`))
		}
	}
	w.t.Fatalf("Redis stopped telling: %v", w.lines.Err())
	return nil
}

// A cart must not slow down with its lines: the last line that fits costs what the first one did.
func TestTheLastLineCostsWhatTheFirstDid(t *testing.T) {
	t.Parallel()
	s, redis := openStore(t)
	who := newCart(t, s, "SKU-000")
	costs := func(what string, do func() error) (trips int64, commands []string) {
		t.Helper()
		w := watch(t)
		before := redis.trips.Load()
		if err := do(); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		trips = redis.trips.Load() - before
		end := "end-of-" + geo.NewID("test", "use")
		if err := redis.Client.Do(t.Context(), redis.B().Echo().Message(end).Build()).Error(); err != nil {
			t.Fatal(err)
		}
		return trips, w.until(s.keys.namespace, end)
	}
	add := func(n int) func() error {
		return func() error {
			_, err := s.putShown(t.Context(), who, "", modeAdd, fmt.Sprintf("SKU-%03d", n), 1, "500|low")
			return err
		}
	}
	read := func() error { _, err := s.find(t.Context(), who.id); return err }
	addTrips, addCommands := costs("the second line", add(1))
	readTrips, readCommands := costs("reading two lines", read)
	for n := 2; n < contract.MaxCartLines-1; n++ {
		if err := add(n)(); err != nil {
			t.Fatal(err)
		}
	}
	lastTrips, lastCommands := costs("the last line", add(contract.MaxCartLines-1))
	fullTrips, fullCommands := costs("reading all lines", read)
	if addTrips != 1 || lastTrips != 1 || readTrips != 1 || fullTrips != 1 {
		t.Errorf("round trips: %d and %d for a line, %d and %d for a read", addTrips, lastTrips, readTrips, fullTrips)
	}
	if len(addCommands) == 0 || fmt.Sprint(addCommands) != fmt.Sprint(lastCommands) || fmt.Sprint(readCommands) != fmt.Sprint(fullCommands) {
		t.Errorf("commands: %v and %v for a line, %v and %v for a read", addCommands, lastCommands, readCommands, fullCommands)
	}
	t.Logf("line 2 and line %d: 1 round trip, %d commands %v; reading 2 and %d lines: 1 round trip, %v",
		contract.MaxCartLines, len(lastCommands), lastCommands, contract.MaxCartLines, fullCommands)
}

func BenchmarkAdd(b *testing.B) {
	for _, lines := range []int{1, 20, contract.MaxCartLines} {
		b.Run(fmt.Sprintf("lines=%d", lines), func(b *testing.B) {
			s, _ := openStore(b)
			who := newCart(b, s, "SKU-000")
			for n := range lines {
				if _, err := s.put(b.Context(), who, "", modeSet, fmt.Sprintf("SKU-%03d", n), 1); err != nil {
					b.Fatal(err)
				}
			}
			for quantity := int64(0); b.Loop(); quantity++ {
				if _, err := s.putShown(b.Context(), who, "", modeSet, "SKU-000", 1+quantity%900, "500|low"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
