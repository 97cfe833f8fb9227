package search

import (
	"slices"
	"sync"

	"github.com/RoaringBitmap/roaring/v2"
)

// collection is a schema with its documents and their index, in memory. What is written is on disk before it is here: see store.go.
type collection struct {
	mu sync.RWMutex
	schema
	// slots hold the documents; one that was deleted leaves a nil, which is used again.
	slots []*document
	free  []uint32
	byID  map[string]uint32
	all   *roaring.Bitmap
	// words are, by field, the documents that hold each word. Exact are, by field, those that hold each whole value, of facets and filters.
	words     map[string]*dictionary
	synonyms  map[string]synonym
	overrides map[string]override
}

func newCollection(s schema) *collection {
	return &collection{schema: s, byID: map[string]uint32{}, all: roaring.New(), words: map[string]*dictionary{}, synonyms: map[string]synonym{}, overrides: map[string]override{}}
}

// dictionary is a field's words.
type dictionary struct {
	holders map[string]*roaring.Bitmap
	// sorted are the words in order, for prefixes; nil after a word came or went.
	mu     sync.Mutex
	sorted []string
}

func (d *dictionary) add(word string, slot uint32) {
	holders := d.holders[word]
	if holders == nil {
		holders = roaring.New()
		d.holders[word] = holders
		d.sorted = nil
	}
	holders.Add(slot)
}

func (d *dictionary) remove(word string, slot uint32) {
	holders := d.holders[word]
	if holders == nil {
		return
	}
	if holders.Remove(slot); holders.IsEmpty() {
		delete(d.holders, word)
		d.sorted = nil
	}
}

// order gives all words in order. Readers may ask at once.
func (d *dictionary) order() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.sorted == nil {
		d.sorted = make([]string, 0, len(d.holders))
		for word := range d.holders {
			d.sorted = append(d.sorted, word)
		}
		slices.Sort(d.sorted)
	}
	return d.sorted
}

// put indexes a document in place of the one with its id. The lock is held.
func (c *collection) put(d *document) {
	c.take(d.id)
	var slot uint32
	if n := len(c.free); n > 0 {
		slot, c.free = c.free[n-1], c.free[:n-1]
		c.slots[slot] = d
	} else {
		slot = uint32(len(c.slots))
		c.slots = append(c.slots, d)
	}
	c.byID[d.id] = slot
	c.all.Add(slot)
	d.words = make(map[string][]string, len(d.texts))
	for name, values := range d.texts {
		f := c.field(name)
		if !f.indexed() {
			continue
		}
		var words []string
		for _, value := range values {
			words = append(words, wordsOf(value, f)...)
		}
		slices.Sort(words)
		words = slices.Compact(words)
		d.words[name] = words
		if c.words[name] == nil {
			c.words[name] = &dictionary{holders: map[string]*roaring.Bitmap{}}
		}
		for _, word := range words {
			c.words[name].add(word, slot)
		}
	}
}

// take removes a document by its id; false when there is none. The lock is held.
func (c *collection) take(id string) bool {
	slot, there := c.byID[id]
	if !there {
		return false
	}
	for name, words := range c.slots[slot].words {
		for _, word := range words {
			c.words[name].remove(word, slot)
		}
	}
	c.slots[slot] = nil
	c.free = append(c.free, slot)
	delete(c.byID, id)
	c.all.Remove(slot)
	return true
}

// names gives the names in the documents that a field of the schema stands for: its own, or all that match its pattern and are there.
func (c *collection) names(f *field) []string {
	if f.pattern == nil {
		return []string{f.Name}
	}
	var names []string
	for name := range c.words {
		if f.pattern.MatchString(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
