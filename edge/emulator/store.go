package emulator

import (
	"fmt"
	"math"
	"time"

	"github.com/maypok86/otter/v2"
)

// entryOverhead is about what an entry costs besides its texts: its node in the cache, its
// struct, its slices' headers.
const entryOverhead = 512

// store is the cache of all locations, bounded by bytes. A key is the location's IATA code
// followed by the canonical target.
type store struct {
	entries *otter.Cache[string, *entry]
}

func newStore(maxBytes int64) (*store, error) {
	entries, err := otter.New(&otter.Options[string, *entry]{
		MaximumWeight: uint64(maxBytes),
		Weigher:       weigh,
		// Freshness is judged at each read; this only frees what can no longer be shown at all.
		ExpiryCalculator: otter.ExpiryWritingFunc(func(e otter.Entry[string, *entry]) time.Duration {
			return max(e.Value.stale.Sub(e.Value.made), time.Millisecond)
		}),
	})
	if err != nil {
		return nil, fmt.Errorf("edge: cache: %w", err)
	}
	return &store{entries: entries}, nil
}

func weigh(key string, e *entry) uint32 {
	size := entryOverhead + len(key) + len(e.etag) + cap(e.body)
	for _, pair := range e.headers {
		size += len(pair[0]) + len(pair[1])
	}
	return uint32(min(size, math.MaxUint32))
}

func (s *store) get(key string) *entry {
	// A missing key gives nil.
	e, _ := s.entries.GetIfPresent(key)
	return e
}

func (s *store) put(key string, e *entry) { s.entries.Set(key, e) }

func (s *store) bytes() float64 { return float64(s.entries.WeightedSize()) }

func (s *store) close() {
	s.entries.InvalidateAll()
	s.entries.StopAllGoroutines()
}
