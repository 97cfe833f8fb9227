package purge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/meridian-store/meridian/contract"
)

// diary notes, in order, what gateways and edge were told.
type diary struct {
	mu     sync.Mutex
	lines  []string
	failed error
	within int
	told   chan struct{}
}

func (d *diary) note(line string) {
	d.mu.Lock()
	d.lines = append(d.lines, line)
	d.mu.Unlock()
	select {
	case d.told <- struct{}{}:
	default:
	}
}

func (d *diary) all() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.lines)
}

func (d *diary) Tags(_ context.Context, tags ...string) error {
	if d.failed != nil {
		return d.failed
	}
	d.note("edge " + strings.Join(tags, " "))
	return nil
}

func (d *diary) Everything(context.Context) error {
	if d.failed != nil {
		return d.failed
	}
	d.note("edge everything")
	return nil
}

func (d *diary) Within(time.Duration) int { return d.within }

type dropped struct{ *diary }

func (d dropped) Drop(_ context.Context, what contract.AnswersPurge) {
	if what.Everything {
		d.note("gateways everything")
		return
	}
	d.note("gateways " + strings.Join(what.Tags, " "))
}

type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func open() (*purger, *diary, *clock) {
	d := &diary{within: 1000, told: make(chan struct{}, 100)}
	c := &clock{at: time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)}
	return &purger{edge: d, caches: dropped{d}, now: c.now, log: slog.New(slog.DiscardHandler), metrics: newMetrics(prometheus.NewRegistry()), second: newSecond()}, d, c
}

func change(t *testing.T, at time.Time, id string) contract.Event {
	t.Helper()
	data, err := json.Marshal(contract.ProductChange{ProductID: id})
	if err != nil {
		t.Fatal(err)
	}
	return contract.Event{ID: "evt-" + id, Type: contract.ProductUpdated, Time: at, Data: data}
}

func TestGatewaysComeFirstAndEachTagOnce(t *testing.T) {
	t.Parallel()
	p, d, c := open()
	sale := contract.Event{Type: contract.InventorySold, Time: c.now(), Data: []byte(`{}`)}
	if err := p.apply(t.Context(), []contract.Event{sale}); err != nil || len(d.all()) != 0 {
		t.Errorf("a sale purges %v (%v)", d.all(), err)
	}
	err := p.apply(t.Context(), []contract.Event{change(t, c.now(), "b"), sale, change(t, c.now(), "a"), change(t, c.now(), "b")})
	if want := []string{"gateways product:a product:b", "edge product:a product:b"}; err != nil || !slices.Equal(d.all(), want) {
		t.Errorf("got %q (%v), want %q", d.all(), err, want)
	}
}

func TestWhatTheEdgeDidNotDoIsAppliedAgain(t *testing.T) {
	t.Parallel()
	p, d, c := open()
	d.failed = errors.New("refused")
	if err := p.apply(t.Context(), []contract.Event{change(t, c.now(), "a")}); err == nil {
		t.Fatal("a purge that failed is taken for done")
	}
	if what, next := p.second.take(c.now().Add(time.Hour)); len(what.Tags) > 0 || !next.IsZero() {
		t.Errorf("what was not purged once is to be purged again: %v", what)
	}
	d.failed = nil
	if err := p.apply(t.Context(), []contract.Event{change(t, c.now(), "a")}); err != nil || !slices.Contains(d.all(), "edge product:a") {
		t.Errorf("got %q (%v)", d.all(), err)
	}
}

func TestItIsPurgedAgainTwoSecondsLater(t *testing.T) {
	t.Parallel()
	p, d, c := open()
	for _, id := range []string{"a", "b"} {
		if err := p.apply(t.Context(), []contract.Event{change(t, c.now(), id)}); err != nil {
			t.Fatal(err)
		}
		c.advance(time.Second)
	}
	if what, next := p.second.take(c.now().Add(-time.Millisecond)); len(what.Tags) != 0 || next.IsZero() {
		t.Errorf("before its time: %v, next %s", what, next)
	}
	if what, next := p.second.take(c.now()); !slices.Equal(what.Tags, []string{"product:a"}) || !next.Equal(c.now().Add(time.Second)) {
		t.Errorf("after 2 s: %v, next %s", what, next)
	}
	c.advance(time.Second)
	if got, want := repeated(t, p, d, 2), []string{"gateways product:b", "edge product:b"}; !slices.Equal(got, want) {
		t.Errorf("the second purge is %q, want %q", got, want)
	}
}

func TestAPurgeOfEverythingIsRepeatedToo(t *testing.T) {
	t.Parallel()
	p, d, c := open()
	if err := p.everything(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := p.apply(t.Context(), []contract.Event{change(t, c.now(), "a")}); err != nil {
		t.Fatal(err)
	}
	c.advance(2 * time.Second)
	if got, want := repeated(t, p, d, 2), []string{"gateways everything", "edge everything"}; !slices.Equal(got, want) {
		t.Errorf("the second purge is %q, want %q", got, want)
	}
}

// repeated gives what is told, in so many lines, when what is due is purged again.
func repeated(t *testing.T, p *purger, d *diary, lines int) []string {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	before := len(d.all())
	var running sync.WaitGroup
	running.Go(func() {
		if err := p.repeat(ctx); err != nil {
			t.Error(err)
		}
	})
	for len(d.all()) < before+lines {
		<-d.told
	}
	stop()
	running.Wait()
	return d.all()[before:]
}

func TestMoreThanCanBePurgedInTimeIsPurgedAsAWhole(t *testing.T) {
	t.Parallel()
	p, d, c := open()
	d.within = 5
	var many []contract.Event
	for i := range 6 {
		many = append(many, change(t, c.now(), fmt.Sprint(i)))
	}
	if err := p.apply(t.Context(), many); err != nil {
		t.Fatal(err)
	}
	if want := []string{"gateways everything", "edge everything"}; !slices.Equal(d.all(), want) {
		t.Errorf("got %q, want %q", d.all(), want)
	}
}

// After an outage thousands of old events come: they cost one purge, and none of them a second one.
func TestAnOutagesHeapCostsOnePurge(t *testing.T) {
	t.Parallel()
	p, d, c := open()
	old := c.now().Add(-time.Hour)
	for i := range 10 {
		if err := p.apply(t.Context(), []contract.Event{change(t, old.Add(time.Duration(i)*time.Minute), fmt.Sprint(i))}); err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{"gateways everything", "edge everything"}; !slices.Equal(d.all(), want) {
		t.Errorf("got %q, want %q", d.all(), want)
	}
	if err := p.apply(t.Context(), []contract.Event{change(t, c.now(), "new")}); err != nil || !slices.Contains(d.all(), "edge product:new") {
		t.Errorf("what is new is not purged: %q (%v)", d.all(), err)
	}
}

// A region's clock may be half a minute wrong: its events are neither old nor new for that.
func TestAWrongClockPurgesNoMoreAndNoLess(t *testing.T) {
	t.Parallel()
	p, d, c := open()
	for _, skew := range []time.Duration{-30 * time.Second, 30 * time.Second} {
		if err := p.apply(t.Context(), []contract.Event{change(t, c.now().Add(skew), "a")}); err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{"gateways product:a", "edge product:a", "gateways product:a", "edge product:a"}; !slices.Equal(d.all(), want) {
		t.Errorf("got %q, want %q", d.all(), want)
	}
}

func TestAnEventThatMakesNoSensePurgesEverything(t *testing.T) {
	t.Parallel()
	p, d, c := open()
	odd := contract.Event{ID: "odd", Type: contract.ProductUpdated, Time: c.now(), Data: []byte(`"?"`)}
	if err := p.apply(t.Context(), []contract.Event{odd}); err != nil || !slices.Contains(d.all(), "edge everything") {
		t.Errorf("got %q (%v)", d.all(), err)
	}
}
