package drill

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

const (
	// rerouteLimit is how soon the shoppers of a lost region have to be served by the next one.
	rerouteLimit = 5 * time.Second
	// slowdownLimit is how much longer the 99th percentile of the regions that were not broken may be than before; below
	// slowdownFloor nobody notices.
	slowdownLimit = 2
	slowdownFloor = 250 * time.Millisecond
)

// Event is a line of a drill's timeline.
type Event struct {
	AtMS int64  `json:"at_ms" doc:"Since the drill began"`
	What string `json:"what"`
}

// Stats are the requests of one region's shoppers in one phase.
type Stats struct {
	// Home is the region that serves these shoppers while all is well.
	Home     string  `json:"home"`
	Phase    string  `json:"phase"`
	Requests int     `json:"requests"`
	Failed   int     `json:"failed"`
	P50MS    float64 `json:"p50_ms"`
	P99MS    float64 `json:"p99_ms"`
}

// AuditResult is what the comparison of the books says.
type AuditResult struct {
	OK         bool     `json:"ok"`
	Violations []string `json:"violations"`
}

// Report is what a drill saw.
type Report struct {
	Drill  string   `json:"drill"`
	Region string   `json:"region,omitempty"`
	Peer   string   `json:"peer,omitempty"`
	Planes []string `json:"planes"`
	OK     bool     `json:"ok"`
	// Problems are why it is not ok.
	Problems []string `json:"problems"`

	// Offered counts the purchases that began, Acknowledged those whose shopper holds a confirmed order. Of these Found are in
	// the books exactly once, and Charged were captured exactly once.
	Offered      int `json:"offered"`
	Acknowledged int `json:"acknowledged"`
	Found        int `json:"found"`
	Charged      int `json:"charged"`
	SoldOut      int `json:"sold_out"`
	GaveUp       int `json:"gave_up"`
	// CartsLost counts the shoppers whose cart was gone with its region, before it was bought.
	CartsLost      int `json:"carts_lost"`
	FailedRequests int `json:"failed_requests"`
	// MissedSends counts the purchases that could not even begin, because too many were waiting.
	MissedSends int `json:"missed_sends"`
	// DetectedMS is from the break to the first answer that another region gave to a shopper of the broken one; ReroutedMS to that or to
	// the last failed request of such a shopper, whichever is later; RecoveredMS from the mending to the first answer of the region itself. Absent where nothing
	// of the kind happened.
	DetectedMS  *int64 `json:"detected_ms,omitempty"`
	ReroutedMS  *int64 `json:"rerouted_ms,omitempty"`
	RecoveredMS *int64 `json:"recovered_ms,omitempty"`

	// Lag has every pair of regions; LagSettledMS is from the last purchase's end to when no region was behind another.
	Lag          []Lag  `json:"lag"`
	LagSettledMS *int64 `json:"lag_settled_ms,omitempty"`

	Stats    []Stats     `json:"stats"`
	Timeline []Event     `json:"timeline"`
	Audit    AuditResult `json:"audit"`

	mu             sync.Mutex
	options        Options
	started        time.Time
	broken, mended time.Time
	requests       []request
	orders         []string
	logs           []*eventLog
}

// request is one exchange as its shopper saw it.
type request struct {
	begun       time.Time
	took        time.Duration
	home, phase string
	region      string
	status      int
	failed      bool
}

func newReport(options Options) *Report {
	return &Report{
		Drill: options.Drill.Name, Region: options.Scene.Region, Peer: options.Scene.Peer, Planes: options.Drill.Planes,
		Problems: []string{}, Timeline: []Event{}, Lag: []Lag{}, options: options, started: time.Now(),
	}
}

func (r *Report) event(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := Event{AtMS: time.Since(r.started).Milliseconds(), What: fmt.Sprintf(format, args...)}
	r.Timeline = append(r.Timeline, e)
	if r.options.Progress != nil {
		fmt.Fprintf(r.options.Progress, "%7.1f s  %s\n", float64(e.AtMS)/1000, e.What)
	}
}

func (r *Report) request(p *purchase, made request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	made.home, made.phase = p.home, p.phase
	r.requests = append(r.requests, made)
}

func (r *Report) cartLost() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.CartsLost++
}

func (r *Report) miss() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Offered++
	r.MissedSends++
}

func (r *Report) ended(p *purchase, how outcome) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Offered++
	switch how {
	case acknowledged:
		r.Acknowledged++
		r.orders = append(r.orders, p.order)
	case soldOut:
		r.SoldOut++
	case gaveUp:
		r.GaveUp++
	}
}

// conclude compares the books and judges.
func (r *Report) conclude(ctx context.Context, options Options) error {
	r.event("the books are compared")
	found, charged, err := options.Books.Orders(ctx, r.orders, r.started)
	if err != nil {
		return fmt.Errorf("compare the books: %w", err)
	}
	for _, id := range r.orders {
		if found[id] == 1 {
			r.Found++
		}
		if charged[id] == 1 {
			r.Charged++
		}
	}
	if err := r.settle(ctx); err != nil {
		return err
	}
	violations, err := options.Books.Audit(ctx)
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	r.Audit = AuditResult{OK: len(violations) == 0, Violations: append([]string{}, violations...)}
	r.measure()
	r.judge(options.Drill)
	r.event("the drill is over")
	return nil
}

// settle waits for the mirrors to catch up.
func (r *Report) settle(ctx context.Context) error {
	begun := time.Now()
	r.event("the mirrors catch up")
	var err error
	if r.Lag, err = settle(ctx, r.logs); err != nil {
		return fmt.Errorf("compare the regions' events: %w", err)
	}
	for _, lag := range r.Lag {
		if lag.Behind > 0 {
			return nil
		}
	}
	took := time.Since(begun).Milliseconds()
	r.LagSettledMS = &took
	return nil
}

// measure sums the requests up.
func (r *Report) measure() {
	r.Stats = statsOf(r.requests)
	for _, made := range r.requests {
		if made.failed {
			r.FailedRequests++
		}
		if made.home != r.Region {
			continue
		}
		switch {
		case !made.failed && made.begun.After(r.broken) && made.region != r.Region && made.region != "":
			r.DetectedMS = earliest(r.DetectedMS, made.begun.Add(made.took).Sub(r.broken))
		case made.failed && made.begun.After(r.broken) && (r.mended.IsZero() || made.begun.Before(r.mended)):
			r.ReroutedMS = latest(r.ReroutedMS, made.begun.Add(made.took).Sub(r.broken))
		}
		if !made.failed && !r.mended.IsZero() && made.begun.After(r.mended) && made.region == r.Region {
			r.RecoveredMS = earliest(r.RecoveredMS, made.begun.Add(made.took).Sub(r.mended))
		}
	}
	if r.DetectedMS == nil {
		r.RecoveredMS = nil // it never went away
		return
	}
	if r.ReroutedMS == nil || *r.ReroutedMS < *r.DetectedMS {
		r.ReroutedMS = r.DetectedMS
	}
}

func earliest(known *int64, took time.Duration) *int64 {
	ms := took.Milliseconds()
	if known != nil && *known <= ms {
		return known
	}
	return &ms
}

func latest(known *int64, took time.Duration) *int64 {
	ms := took.Milliseconds()
	if known != nil && *known >= ms {
		return known
	}
	return &ms
}

// statsOf groups the requests by their shoppers' home and phase.
func statsOf(requests []request) []Stats {
	type group struct{ home, phase string }
	taken := map[group][]time.Duration{}
	failed := map[group]int{}
	for _, made := range requests {
		g := group{made.home, made.phase}
		taken[g] = append(taken[g], made.took)
		if made.failed {
			failed[g]++
		}
	}
	var all []Stats
	for g, times := range taken {
		slices.Sort(times)
		all = append(all, Stats{
			Home: g.home, Phase: g.phase, Requests: len(times), Failed: failed[g], P50MS: milliseconds(times[len(times)/2]), P99MS: milliseconds(times[len(times)*99/100]),
		})
	}
	order := []string{PhaseBefore, PhaseDuring, PhaseMending, PhaseAfter}
	slices.SortFunc(all, func(a, b Stats) int {
		if a.Home != b.Home {
			if a.Home < b.Home {
				return -1
			}
			return 1
		}
		return slices.Index(order, a.Phase) - slices.Index(order, b.Phase)
	})
	return all
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// The formats of the problems, which the tests fill in as judge does.
const (
	problemNothingSold = "nothing was sold"
	problemLost        = "%d of %d acknowledged orders are not in the books exactly once"
	problemUncharged   = "%d of %d acknowledged orders were not charged exactly once"
	problemAudit       = "the audit finds %d broken promises"
	problemBehind      = "%s has not %d events of %s, %s after the drill"
	problemOrder       = "of the events of %s, %s has %d twice and %d out of their order"
	problemGaveUp      = "%d shoppers had no final answer within %s"
	problemMissedSends = "%d purchases could not begin: the rate was not kept"
	problemNotRerouted = "the shoppers of %s were not served by another region within %s"
	problemFailed      = "%d requests of the shoppers of %s failed %s"
	problemSlow        = "the 99th percentile of %s's shoppers was %.0f ms %s, %.0f ms before"
)

// judge lists what the drill promises and did not keep.
func (r *Report) judge(d Drill) {
	problem := func(format string, args ...any) { r.Problems = append(r.Problems, fmt.Sprintf(format, args...)) }
	if r.Acknowledged == 0 {
		problem(problemNothingSold)
	}
	if r.Found != r.Acknowledged {
		problem(problemLost, r.Acknowledged-r.Found, r.Acknowledged)
	}
	if r.Charged != r.Acknowledged {
		problem(problemUncharged, r.Acknowledged-r.Charged, r.Acknowledged)
	}
	if !r.Audit.OK {
		problem(problemAudit, len(r.Audit.Violations))
	}
	for _, lag := range r.Lag {
		if lag.Behind > 0 {
			problem(problemBehind, lag.Target, lag.Behind, lag.Source, lagLimit)
		}
		if lag.Doubled > 0 || lag.Disordered > 0 {
			problem(problemOrder, lag.Source, lag.Target, lag.Doubled, lag.Disordered)
		}
	}
	if r.GaveUp > 0 {
		problem(problemGaveUp, r.GaveUp, patience)
	}
	if r.MissedSends > 0 {
		problem(problemMissedSends, r.MissedSends)
	}
	if d.NeedsRegion && !d.NeedsPeer && !d.Unaffected && d.StaysBroken && (r.ReroutedMS == nil || *r.ReroutedMS > rerouteLimit.Milliseconds()) {
		problem(problemNotRerouted, r.Region, rerouteLimit)
	}
	before := map[string]float64{}
	for _, s := range r.Stats {
		if s.Phase == PhaseBefore {
			before[s.Home] = s.P99MS
		}
		if s.Home == r.Region && !d.Unaffected {
			continue
		}
		if s.Failed > 0 {
			problem(problemFailed, s.Failed, s.Home, s.Phase)
		}
		// A region that starts does so on the same cores that the others sell on, as no two regions do in earnest.
		if s.Phase == PhaseBefore || s.Phase == PhaseMending || d.MovesAll && s.Phase == PhaseDuring {
			continue
		}
		if limit := max(slowdownLimit*before[s.Home], milliseconds(slowdownFloor)); s.P99MS > limit {
			problem(problemSlow, s.Home, s.P99MS, s.Phase, before[s.Home])
		}
	}
	r.OK = len(r.Problems) == 0
}
