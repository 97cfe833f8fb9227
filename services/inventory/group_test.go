package inventory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/sqldb"
	"github.com/meridian-store/meridian/local/kittest"
)

// gated runs groups that wait for the test, and remembers them.
type gated struct {
	*group[ask, string]
	gate chan struct{}
	mu   sync.Mutex
	runs [][]string
}

func newGated() *gated {
	g := &gated{gate: make(chan struct{})}
	g.group = newGroup(func(_ context.Context, asks []ask) []result[string] {
		<-g.gate
		results := make([]result[string], len(asks))
		var names []string
		for i, a := range asks {
			names = append(names, a.saga)
			results[i] = result[string]{out: "for " + a.saga}
			if a.saga == "bad" {
				results[i].err = errors.New("bad")
			}
		}
		g.mu.Lock()
		defer g.mu.Unlock()
		g.runs = append(g.runs, names)
		return results
	})
	return g
}

func (g *gated) queued(t *testing.T, want int) {
	t.Helper()
	kittest.Eventually(t, func() error {
		g.group.mu.Lock()
		defer g.group.mu.Unlock()
		if len(g.waiting) != want {
			return fmt.Errorf("%d wait, want %d", len(g.waiting), want)
		}
		return nil
	})
}

func wanting(saga string, skus ...string) ask {
	a := ask{saga: saga}
	for _, sku := range skus {
		a.lines = append(a.lines, line(sku, 1))
	}
	return a
}

func TestWhatWaitsForTheSameStockGoesTogether(t *testing.T) {
	t.Parallel()
	g := newGated()
	var group sync.WaitGroup
	enter := func(ctx context.Context, a ask, want error) {
		group.Go(func() {
			got, err := g.do(ctx, a)
			if (err == nil) != (want == nil) || want == nil && got != "for "+a.saga {
				t.Errorf("%s got %q, %v", a.saga, got, err)
			}
		})
	}
	enter(t.Context(), wanting("first", "A"), nil)
	kittest.Eventually(t, func() error {
		g.group.mu.Lock()
		defer g.group.mu.Unlock()
		if g.running != 1 {
			return errors.New("the first has not begun")
		}
		return nil
	})
	leaving, leave := context.WithCancel(t.Context())
	enter(leaving, wanting("leaver", "A"), context.Canceled)
	g.queued(t, 1)
	for i, saga := range []string{"second", "third", "bad", "both"} {
		var refused error
		if saga == "bad" {
			refused = errors.New("its own")
		}
		skus := []string{"A"}
		if saga == "both" {
			skus = []string{"A", "B"}
		}
		enter(t.Context(), wanting(saga, skus...), refused)
		g.queued(t, 2+i)
	}
	enter(t.Context(), wanting("second", "A"), nil) // the same saga again is never in one group with itself
	g.queued(t, 6)
	enter(t.Context(), wanting("behind both", "B"), nil) // B is free, but who came before is waiting for it
	g.queued(t, 7)
	leave()
	for range 3 {
		g.gate <- struct{}{}
	}
	group.Wait()
	for _, run := range g.runs {
		slices.Sort(run)
	}
	if want := [][]string{{"first"}, {"bad", "behind both", "both", "second", "third"}, {"second"}}; !slices.EqualFunc(g.runs, want, slices.Equal) {
		t.Errorf("the groups were %v, want %v", g.runs, want)
	}
	if len(g.busy) != 0 || len(g.wanted) != 0 || g.running != 0 {
		t.Errorf("%d groups with %v and %v are left", g.running, g.busy, g.wanted)
	}
}

func TestAQueueThatIsFullTurnsAway(t *testing.T) {
	t.Parallel()
	g := newGated()
	g.waiting = make([]*entrant[ask, string], groupWaiting)
	if _, err := g.do(t.Context(), wanting("late", "A")); contract.CodeOf(err) != contract.CodeUnavailable {
		t.Errorf("got %v, want unavailable", err)
	}
}

// However many sagas are held together, it takes one read and one transaction; each gets its own answer.
func TestAGroupCostsWhatOneDoes(t *testing.T) {
	t.Parallel()
	shop := start(t)
	shop.count(t, stock("A", iad, 30), stock("B", dub, 100))
	service := shop.service()
	repeat := newSaga()
	if _, _, err := service.reserve(t.Context(), request(repeat, "US", line("A", 1))); err != nil {
		t.Fatal(err)
	}
	var asks []ask
	for i := range 60 {
		saga := newSaga()
		if i == 7 {
			saga = repeat
		}
		a, err := service.prepare(t.Context(), request(saga, "US", line("A", 1), line("B", 1)))
		if err != nil {
			t.Fatal(err)
		}
		asks = append(asks, a)
	}
	ctx, counter := sqldb.Count(t.Context())
	codes := map[contract.Code]int{}
	for _, got := range service.reserveAll(ctx, asks) {
		codes[contract.CodeOf(got.err)]++
	}
	if counter.RoundTrips() != 4 || counter.Commits() != 1 {
		t.Errorf("60 sagas took %d round trips and %d commits, want 4 and 1", counter.RoundTrips(), counter.Commits())
	}
	// The repeat asks for other lines than the saga holds.
	if codes[""] != 29 || codes[contract.CodeOutOfStock] != 30 || codes[contract.CodeConflict] != 1 {
		t.Errorf("the answers were %v", codes)
	}
	shop.audit(t)
}
