package emulator

import "time"

// health is what we think of an origin, the worse the smaller.
type health uint32

const (
	down      health = iota // not probed yet, or failed twice in a row
	returning               // answers again after it was down, but not yet for long enough
	suspect                 // refused a connection since its last good probe
	up
)

func (h health) String() string { return [...]string{"down", "returning", "suspect", "up"}[h] }

const (
	// failuresToDown is how many probes in a row must fail before an origin is down: one lost probe
	// moves nobody to a farther region.
	failuresToDown = 2
	// maxDoublings keeps the wait of one that falls again and again bounded: four times the first.
	maxDoublings = 2
)

// vigil turns an origin's probes into its health. It forgets slowly: leaving an origin takes two
// bad probes, coming back takes more good ones, and twice as many each time that it falls again
// soon after. Else one that comes and goes would drag its shoppers, and their connections, along.
type vigil struct {
	returnProbes int           // good probes in a row that the first return takes
	steadyAfter  time.Duration // up for so long, an origin's falls are forgotten

	seen      bool // it was up once: the first good probe after our own start is enough
	good, bad int  // probes in a row
	falls     int  // since it was last steady
	upSince   time.Time
}

// judge gives the health after one more probe, of an origin that was thought to be before.
func (v *vigil) judge(before health, ok bool, now time.Time) health {
	if ok {
		return v.judgeGood(before, now)
	}
	v.good = 0
	v.bad++
	switch {
	case before == up && v.bad < failuresToDown:
		return up
	case before == up || before == suspect: // a suspect has failed a request already
		v.fall(now)
	}
	return down
}

func (v *vigil) judgeGood(before health, now time.Time) health {
	v.bad = 0
	v.good++
	if before == up || before == suspect {
		return up
	}
	if v.seen && v.good < v.needed() {
		return returning
	}
	v.seen, v.upSince = true, now
	return up
}

func (v *vigil) fall(now time.Time) {
	if now.Sub(v.upSince) >= v.steadyAfter {
		v.falls = 0
	}
	v.falls++
}

// needed is how many good probes in a row bring the origin back.
func (v *vigil) needed() int { return v.returnProbes << min(max(v.falls-1, 0), maxDoublings) }
