package emulator

import (
	"fmt"
	"math"
	"strings"
	"sync"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/meridian-store/meridian/geo"
)

// entryOverhead is about what an entry costs besides its texts: its node in the cache, its
// struct, its slices' headers. tagOverhead is what each of its tags costs in the index.
const (
	entryOverhead = 512
	tagOverhead   = 64
)

// store is the cache of all locations, bounded by bytes, with an index of what bears which tag. A key is the location's IATA code
// followed by the canonical target.
type store struct {
	entries *otter.Cache[string, *entry]

	mu     sync.Mutex
	tagged map[string]map[string]*entry // by tag, then by key
	purges purgeLog
}

func newStore(maxBytes int64) (*store, error) {
	s := &store{tagged: make(map[string]map[string]*entry)}
	entries, err := otter.New(&otter.Options[string, *entry]{
		MaximumWeight: uint64(maxBytes),
		Weigher:       weigh,
		// Freshness is judged at each read; this only frees what can no longer be shown at all.
		ExpiryCalculator: otter.ExpiryWritingFunc(func(e otter.Entry[string, *entry]) time.Duration {
			return max(e.Value.stale.Sub(e.Value.made), time.Millisecond)
		}),
		OnDeletion: func(gone otter.DeletionEvent[string, *entry]) { s.forget(gone.Key, gone.Value) },
	})
	if err != nil {
		return nil, fmt.Errorf("edge: cache: %w", err)
	}
	s.entries = entries
	return s, nil
}

func weigh(key string, e *entry) uint32 {
	size := entryOverhead + len(key) + len(e.etag) + cap(e.body) + e.variants.bytes()
	for _, pair := range e.headers {
		size += len(pair[0]) + len(pair[1])
	}
	for _, tag := range e.tags {
		size += tagOverhead + len(tag)
	}
	return uint32(min(size, math.MaxUint32))
}

func (s *store) get(key string) *entry {
	// A missing key gives nil.
	e, _ := s.entries.GetIfPresent(key)
	return e
}

// moment is a point in the order of purges. A fill takes it before it asks.
func (s *store) moment() uint64 { return s.purges.moment.Load() }

// put keeps an answer that was asked for at a moment, unless something purged it since: what the origin said before a change must not
// outlive the purge that tells of the change.
func (s *store) put(key string, e *entry, asked uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.purges.since(asked, key, e.tags) {
		return false
	}
	for _, tag := range e.tags {
		if s.tagged[tag] == nil {
			s.tagged[tag] = make(map[string]*entry)
		}
		s.tagged[tag][key] = e
	}
	s.entries.Set(key, e)
	return true
}

// reweigh counts what an entry has grown by.
func (s *store) reweigh(key string, e *entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if current, there := s.entries.GetEntryQuietly(key); there && current.Value == e {
		s.entries.Set(key, e)
	}
}

// purgedSince says whether an answer that was asked for at a moment has been purged since.
func (s *store) purgedSince(asked uint64, key string, e *entry) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.purges.since(asked, key, e.tags)
}

// forget takes an entry that the cache let go of out of the index.
func (s *store) forget(key string, e *entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	// An entry that was only weighed again is still there.
	if current, there := s.entries.GetEntryQuietly(key); there && current.Value == e {
		return
	}
	for _, tag := range e.tags {
		if s.tagged[tag][key] != e {
			continue
		}
		if delete(s.tagged[tag], key); len(s.tagged[tag]) == 0 {
			delete(s.tagged, tag)
		}
	}
}

// purgeTags drops every answer that bears one of the tags, and tells how many.
func (s *store) purgeTags(tags []string) int {
	s.mu.Lock()
	now := s.purges.next()
	keys := make(map[string]bool)
	for _, tag := range tags {
		tag = strings.ToLower(tag)
		s.purges.note(tagMark+tag, now)
		for key := range s.tagged[tag] {
			keys[key] = true
		}
	}
	s.mu.Unlock()
	for key := range keys {
		s.entries.Invalidate(key)
	}
	return len(keys)
}

// purgeTargets drops the answers to canonical targets at every location.
func (s *store) purgeTargets(targets []string) int {
	s.mu.Lock()
	now := s.purges.next()
	for _, target := range targets {
		s.purges.note(targetMark+target, now)
	}
	s.mu.Unlock()
	gone := 0
	for _, target := range targets {
		for _, location := range geo.Cities() {
			if _, there := s.entries.Invalidate(location.IATA + target); there {
				gone++
			}
		}
	}
	return gone
}

// purgePrefixes drops every answer whose target begins so, at every location.
func (s *store) purgePrefixes(prefixes []string) int {
	s.forgetFills()
	gone := 0
	for key := range s.entries.All() {
		for _, prefix := range prefixes {
			if strings.HasPrefix(targetOf(key), prefix) {
				s.entries.Invalidate(key)
				gone++
				break
			}
		}
	}
	return gone
}

func (s *store) purgeEverything() int {
	s.forgetFills()
	gone := s.entries.EstimatedSize()
	s.entries.InvalidateAll()
	return gone
}

// forgetFills lets nothing be kept that was asked for before now.
func (s *store) forgetFills() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.purges.all(s.purges.next())
}

func (s *store) bytes() float64 { return float64(s.entries.WeightedSize()) }

func (s *store) close() {
	s.entries.InvalidateAll()
	s.entries.StopAllGoroutines()
}

func targetOf(key string) string { return key[len("IAD"):] }
