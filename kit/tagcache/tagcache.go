// Package tagcache keeps answers in memory, bounded by bytes, until their time is over or something purges them by a tag. It is what the
// edge and the gateways keep their answers in, so that both mean the same by a purge:
//
// When a purge has returned, nothing that it names is there any more, and nothing that was asked for before it will be. An answer takes
// its moment before it is asked for, and is put with it: what was true before a change can not come in behind the purge that tells of it.
package tagcache

import (
	"fmt"
	"math"
	"strings"
	"sync"
	"time"

	"github.com/maypok86/otter/v2"
)

// Entry is what a cache keeps: a pointer.
type Entry interface {
	comparable
	// Tags name what the entry shows, in lower case. They never change.
	Tags() []string
	// Weight is how many bytes the entry takes, beside its key and tags.
	Weight() int
	// Keep is how long the entry may be of use, counted from when it is put.
	Keep() time.Duration
}

// What an entry costs beside its texts, about: its node in the cache and its struct; each of its tags in the index.
const (
	entryOverhead = 512
	tagOverhead   = 64
)

// Cache is safe for concurrent use.
type Cache[E Entry] struct {
	entries *otter.Cache[string, E]

	mu     sync.Mutex
	tagged map[string]map[string]E // by tag, then by key
	purges log
}

// New makes a cache that holds so many bytes. The clock is only asked how long entries stay; whether one may still be shown is for the
// caller to say.
func New[E Entry](maxBytes int64) (*Cache[E], error) {
	c := &Cache[E]{tagged: make(map[string]map[string]E)}
	entries, err := otter.New(&otter.Options[string, E]{
		MaximumWeight: uint64(maxBytes),
		Weigher:       weigh[E],
		ExpiryCalculator: otter.ExpiryWritingFunc(func(e otter.Entry[string, E]) time.Duration {
			return max(e.Value.Keep(), time.Millisecond)
		}),
		OnDeletion: func(gone otter.DeletionEvent[string, E]) { c.forget(gone.Key, gone.Value) },
	})
	if err != nil {
		return nil, fmt.Errorf("make a cache: %w", err)
	}
	c.entries = entries
	return c, nil
}

func weigh[E Entry](key string, e E) uint32 {
	size := entryOverhead + len(key) + e.Weight()
	for _, tag := range e.Tags() {
		size += tagOverhead + len(tag)
	}
	return uint32(min(size, math.MaxUint32))
}

// Get gives the entry of a key.
func (c *Cache[E]) Get(key string) (E, bool) { return c.entries.GetIfPresent(key) }

// Moment is now in the order of purges. Whoever fills the cache takes it before asking for what to put.
func (c *Cache[E]) Moment() uint64 { return c.purges.moment.Load() }

// Put keeps what was asked for at a moment, and says whether it did: not what a purge has named since.
func (c *Cache[E]) Put(key string, e E, asked uint64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.purges.since(asked, key, e.Tags()) {
		return false
	}
	for _, tag := range e.Tags() {
		if c.tagged[tag] == nil {
			c.tagged[tag] = make(map[string]E)
		}
		c.tagged[tag][key] = e
	}
	c.entries.Set(key, e)
	return true
}

// PurgedSince says whether a purge has named what was asked for at a moment.
func (c *Cache[E]) PurgedSince(asked uint64, key string, e E) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.purges.since(asked, key, e.Tags())
}

// Reweigh counts what an entry that is still there has grown by. Looking and writing are one step: a purge that came between them would be
// undone.
func (c *Cache[E]) Reweigh(key string, e E) {
	c.entries.ComputeIfPresent(key, func(now E) (E, otter.ComputeOp) {
		if now != e {
			return now, otter.CancelOp
		}
		return e, otter.WriteOp
	})
}

func (c *Cache[E]) current(key string, e E) bool {
	now, there := c.entries.GetEntryQuietly(key)
	return there && now.Value == e
}

// forget takes an entry that the cache let go of out of the index.
func (c *Cache[E]) forget(key string, e E) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.current(key, e) { // it was only weighed again
		return
	}
	for _, tag := range e.Tags() {
		if known, there := c.tagged[tag][key]; !there || known != e {
			continue
		}
		if delete(c.tagged[tag], key); len(c.tagged[tag]) == 0 {
			delete(c.tagged, tag)
		}
	}
}

// PurgeTags drops what bears one of the tags, whatever their case, and tells how many entries.
func (c *Cache[E]) PurgeTags(tags ...string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	now, gone := c.purges.next(), 0
	for _, tag := range tags {
		tag = strings.ToLower(tag)
		c.purges.note(tagMark+tag, now)
		for key, e := range c.tagged[tag] {
			// What has taken its place may bear other tags: the index hears of that a moment later.
			if c.current(key, e) {
				c.entries.Invalidate(key)
				gone++
			}
		}
	}
	return gone
}

// PurgeKeys drops the entries of some keys, and tells how many there were.
func (c *Cache[E]) PurgeKeys(keys ...string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	now, gone := c.purges.next(), 0
	for _, key := range keys {
		c.purges.note(keyMark+key, now)
		if _, there := c.entries.Invalidate(key); there {
			gone++
		}
	}
	return gone
}

// PurgeMatching drops the entries whose keys match, and tells how many. It looks at all.
func (c *Cache[E]) PurgeMatching(match func(key string) bool) int {
	c.forgetFills()
	gone := 0
	for key := range c.entries.All() {
		if match(key) {
			c.entries.Invalidate(key)
			gone++
		}
	}
	return gone
}

// PurgeEverything drops all, and tells about how many entries.
func (c *Cache[E]) PurgeEverything() int {
	c.forgetFills()
	gone := c.entries.EstimatedSize()
	c.entries.InvalidateAll()
	return gone
}

// forgetFills lets nothing in that was asked for before now.
func (c *Cache[E]) forgetFills() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.purges.all(c.purges.next())
}

// Bytes is what the cache holds, Len how many entries, about.
func (c *Cache[E]) Bytes() float64 { return float64(c.entries.WeightedSize()) }

// Len is Bytes' twin.
func (c *Cache[E]) Len() int { return c.entries.EstimatedSize() }

// Close lets go of everything.
func (c *Cache[E]) Close() {
	c.entries.InvalidateAll()
	c.entries.StopAllGoroutines()
}
