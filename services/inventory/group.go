package inventory

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/meridian-store/meridian/contract"
)

const (
	// parallelGroups is how many groups run at once: half of the pool, so that other work finds a connection.
	parallelGroups = 4
	// groupWeight bounds the lines of one group, and so its transaction.
	groupWeight = 1000
	// groupWaiting bounds the requests that wait for one; more are turned away.
	groupWaiting = 4096
	// groupTime bounds the work of a group, whose members' own deadlines it does not share.
	groupTime = 10 * time.Second
)

// group does requests together that would otherwise wait for one another. A request starts at once, alone, while nothing under
// way touches the same things; what comes meanwhile waits, and then goes in one transaction with all that waits: one commit for
// many sagas. So a group is as large as the demand makes it, and costs nobody time who meets no demand.
type group[In member, Out any] struct {
	run func(ctx context.Context, members []In) []result[Out]

	mu      sync.Mutex
	waiting []*entrant[In, Out]
	running int
	// busy are the things that groups under way touch; wanted counts those that wait for a thing.
	busy   map[string]bool
	wanted map[string]int
}

// member is a request that may be done together with others.
type member interface {
	// alone names what two requests of one group, or of two under way, must not share.
	alone() string
	// shared names what requests of one group may share and those of two groups under way must not.
	shared() []string
}

type result[Out any] struct {
	out Out
	err error
}

type entrant[In, Out any] struct {
	ctx  context.Context
	in   In
	done chan result[Out]
	// alone and shared are the member's.
	alone  string
	shared []string
}

// touches calls a function for each thing that a member touches, until it says no.
func (e *entrant[In, Out]) touches(each func(key string) bool) bool {
	return each(e.alone) && !slices.ContainsFunc(e.shared, func(key string) bool { return !each(key) })
}

func newGroup[In member, Out any](run func(context.Context, []In) []result[Out]) *group[In, Out] {
	return &group[In, Out]{run: run, busy: map[string]bool{}, wanted: map[string]int{}}
}

// do gives a request's own answer. A caller that leaves is not waited for; the group that it is in goes on without it.
func (g *group[In, Out]) do(ctx context.Context, in In) (Out, error) {
	e := &entrant[In, Out]{ctx: ctx, in: in, done: make(chan result[Out], 1), alone: in.alone(), shared: in.shared()}
	g.mu.Lock()
	if len(g.waiting) >= groupWaiting {
		g.mu.Unlock()
		var none Out
		return none, contract.Errorf(contract.CodeUnavailable, "too many requests wait for the same stock")
	}
	if g.running < parallelGroups && e.touches(func(key string) bool { return !g.busy[key] && g.wanted[key] == 0 }) {
		g.begin([]*entrant[In, Out]{e})
	} else {
		g.waiting = append(g.waiting, e)
		e.touches(func(key string) bool { g.wanted[key]++; return true })
	}
	g.mu.Unlock()
	select {
	case got := <-e.done:
		return got.out, got.err
	case <-ctx.Done():
		var none Out
		return none, ctx.Err()
	}
}

// start begins groups of those who wait while there is room and something that can go; the lock is held.
func (g *group[In, Out]) start() {
	for g.running < parallelGroups && len(g.waiting) > 0 {
		chosen := g.choose()
		if len(chosen) == 0 {
			return
		}
		g.begin(chosen)
	}
}

// begin lets a group go; the lock is held.
func (g *group[In, Out]) begin(chosen []*entrant[In, Out]) {
	for _, e := range chosen {
		e.touches(func(key string) bool { g.busy[key] = true; return true })
	}
	g.running++
	go g.work(chosen)
}

// choose takes from those who wait, first come first, all that touch nothing under way and nothing that an earlier one waits for.
func (g *group[In, Out]) choose() (chosen []*entrant[In, Out]) {
	blocked := map[string]bool{}
	rest := g.waiting[:0]
	weight := 0
	for _, e := range g.waiting {
		free := (weight == 0 || weight+len(e.shared) <= groupWeight) && e.touches(func(key string) bool { return !g.busy[key] && !blocked[key] })
		switch {
		case e.ctx.Err() != nil: // its caller has left already
		case free:
			chosen = append(chosen, e)
			weight += len(e.shared)
			blocked[e.alone] = true
		default:
			rest = append(rest, e)
			e.touches(func(key string) bool { blocked[key] = true; return true })
			continue
		}
		e.touches(g.unwant)
	}
	clear(g.waiting[len(rest):])
	g.waiting = rest
	return chosen
}

// unwant takes one who waits for a thing off the count.
func (g *group[In, Out]) unwant(key string) bool {
	if g.wanted[key]--; g.wanted[key] == 0 {
		delete(g.wanted, key)
	}
	return true
}

// work does a group and then lets others in. The first member's context gives the trace, and no deadline: one shopper who leaves
// takes nobody along.
func (g *group[In, Out]) work(entrants []*entrant[In, Out]) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(entrants[0].ctx), groupTime)
	defer cancel()
	members := make([]In, len(entrants))
	for i, e := range entrants {
		members[i] = e.in
	}
	results := g.run(ctx, members)
	g.mu.Lock()
	for _, e := range entrants {
		e.touches(func(key string) bool { delete(g.busy, key); return true })
	}
	g.running--
	g.start()
	g.mu.Unlock()
	for i, e := range entrants {
		e.done <- results[i]
	}
}
