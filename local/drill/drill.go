// Package drill rehearses failures on a running shop: shoppers buy at a fixed rate before, during and after a part of it is broken,
// and at the end the books are compared. What it saw, and which promises were not kept, is in its Report.
package drill

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/meridian-store/meridian/local/launcher"
	"github.com/meridian-store/meridian/regions/status"
)

// Drill is one failure and what mends it.
type Drill struct {
	Name string
	// What says in a sentence what is broken, and how.
	What string
	// Planes are what is cut between regions, or taken from one.
	Planes []string
	// NeedsRegion and NeedsPeer say whose names it is given.
	NeedsRegion, NeedsPeer bool
	// Break breaks and Mend mends. Either may take long; the shoppers go on meanwhile.
	Break, Mend func(ctx context.Context, scene *Scene) error
	// StaysBroken leaves the shop as Break left it until the shoppers have ended.
	StaysBroken bool
	// Unaffected says that no shopper anywhere should see a failure, those of the broken region among them.
	Unaffected bool
	// MovesAll says that each region's shoppers are served from further away for a while. How long they wait then is told and not judged:
	// it is the distance to the next region, which no shop can promise away.
	MovesAll bool
}

// Scene is the shop that is rehearsed on.
type Scene struct {
	Home   launcher.Home
	Status status.Shop
	// Region is the one that is broken; Peer the one that it is cut off from, in a partition.
	Region, Peer string
	// During is how long the shop is to be broken.
	During time.Duration
	// note adds to the report's timeline.
	note func(format string, args ...any)
}

// check refuses a region that is not there: nothing would be broken, and all would seem well.
func (s Scene) check(d Drill) error {
	started := func(name string) bool {
		return slices.ContainsFunc(s.Status.Regions, func(r status.Region) bool { return r.Name == name })
	}
	switch {
	case d.NeedsRegion && !started(s.Region):
		return fmt.Errorf("the region %q is not started: `meridian status` shows those that are", s.Region)
	case d.NeedsPeer && (!started(s.Peer) || s.Peer == s.Region):
		return fmt.Errorf("the peer %q is not another region that is started: `meridian status` shows those that are", s.Peer)
	}
	return nil
}

// Phases of a drill. Mending is the part of the time after in which what was broken is not whole yet.
const (
	PhaseBefore  = "before"
	PhaseDuring  = "during"
	PhaseMending = "mending"
	PhaseAfter   = "after"
)

// Options say how hard and how long.
type Options struct {
	Drill Drill
	Scene Scene
	// Rate is how many shoppers begin in a second, whether or not the shop keeps up.
	Rate float64
	// Before, During and After are how long each phase lasts.
	Before, During, After time.Duration
	// SignIn gives the Authorization header of a user of a region, as fresh as one who signs in gets. Every other shopper has one, of the
	// region that serves them while all is well.
	SignIn func(region string) (string, error)
	// Books compares the books of the shop and of the payment provider.
	Books Books
	// Progress gets a line for each thing that happens; nil for none.
	Progress io.Writer
}

// Books is what the shop's owner knows for certain.
type Books interface {
	// Orders counts, for each of some order ids, the confirmed orders and the captured charges.
	Orders(ctx context.Context, ids []string, since time.Time) (found, charged map[string]int, err error)
	// Audit gives a line for each promise that is broken.
	Audit(ctx context.Context) (violations []string, err error)
}

// Find gives the drill of a name.
func Find(name string) (Drill, error) {
	all := Drills()
	i := slices.IndexFunc(all, func(d Drill) bool { return d.Name == name })
	if i < 0 {
		var names []string
		for _, d := range all {
			names = append(names, d.Name)
		}
		return Drill{}, fmt.Errorf("there is no drill %q; there are %s", name, strings.Join(names, ", "))
	}
	return all[i], nil
}

// Run rehearses. The error says that the drill could not be held; what it found is in the report.
func Run(ctx context.Context, options Options) (*Report, error) {
	if err := options.Scene.check(options.Drill); err != nil {
		return nil, err
	}
	r := newReport(options)
	crowd, err := newCrowd(ctx, options, r)
	if err != nil {
		return nil, err
	}
	if r.logs, err = openLogs(ctx, options.Scene); err != nil {
		return nil, err
	}
	scene := options.Scene
	scene.During, scene.note = options.During, r.event
	phase := func(name string, length time.Duration, meanwhile func(context.Context, *Scene) error) error {
		crowd.enter(name)
		r.event("%s: shoppers buy for %s", name, length)
		if meanwhile == nil {
			return crowd.buy(ctx, length, nil)
		}
		return crowd.buy(ctx, length, func(ctx context.Context) error { return meanwhile(ctx, &scene) })
	}
	if err := phase(PhaseBefore, options.Before, nil); err != nil {
		return nil, err
	}
	r.broken = time.Now()
	if err := phase(PhaseDuring, options.During, options.Drill.Break); err != nil {
		// Whoever gives a drill up does not want what it broke.
		return nil, errors.Join(err, options.Drill.Mend(context.WithoutCancel(ctx), &scene))
	}
	mend := func(ctx context.Context, scene *Scene) error {
		crowd.enter(PhaseMending)
		defer crowd.enter(PhaseAfter)
		return options.Drill.Mend(ctx, scene)
	}
	if options.Drill.StaysBroken {
		mend = nil
	} else {
		r.mended = time.Now()
	}
	err = phase(PhaseAfter, options.After, mend)
	crowd.wait()
	if options.Drill.StaysBroken {
		r.mended = time.Now()
	}
	if options.Drill.StaysBroken || err != nil {
		err = errors.Join(err, options.Drill.Mend(context.WithoutCancel(ctx), &scene))
	}
	if err != nil {
		return nil, err
	}
	return r, r.conclude(ctx, options)
}
