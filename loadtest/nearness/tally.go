package nearness

import (
	"slices"
	"sync"
	"time"
)

// Figures are those of one phase.
type Figures struct {
	Reads    int     `json:"reads"`
	HitRatio float64 `json:"hit_ratio"` // share of the reads that the city's own edge location had
	P50MS    float64 `json:"p50_ms"`
	P95MS    float64 `json:"p95_ms"`
	P99MS    float64 `json:"p99_ms"`
}

// tally counts a city's reads.
type tally struct {
	warmFrom   time.Time
	mu         sync.Mutex
	cold, warm phase
}

type phase struct {
	took         []time.Duration
	hits, failed int
}

// note counts a read that was due at a moment.
func (t *tally) note(due time.Time, took time.Duration, hit, failed bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := &t.cold
	if !due.Before(t.warmFrom) {
		p = &t.warm
	}
	if failed {
		p.failed++
		return
	}
	p.took = append(p.took, took)
	if hit {
		p.hits++
	}
}

func (p *phase) add(other phase) {
	p.took = append(p.took, other.took...)
	p.hits += other.hits
	p.failed += other.failed
}

func (p *phase) figures() Figures {
	if len(p.took) == 0 {
		return Figures{}
	}
	slices.Sort(p.took)
	at := func(share float64) float64 {
		return float64(p.took[min(int(share*float64(len(p.took))), len(p.took)-1)]) / float64(time.Millisecond)
	}
	return Figures{Reads: len(p.took), HitRatio: float64(p.hits) / float64(len(p.took)), P50MS: at(0.50), P95MS: at(0.95), P99MS: at(0.99)}
}
