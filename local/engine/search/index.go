package search

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/RoaringBitmap/roaring/v2"
)

// collection is a schema with its documents and their index, in memory. What is written is on disk before it is here: see store.go.
type collection struct {
	// writing is held by the one writer of the moment, from judging what came to showing it; mu only while what it wrote is shown, so that
	// searches never wait for the disk. A writer reads without mu.
	writing sync.Mutex
	mu      sync.RWMutex
	// gone is set once the collection was deleted: who found it just before may not write into one of the same name.
	gone bool
	schema
	// slots hold the documents; one that was deleted leaves a nil, which is used again.
	slots []*stored
	free  []uint32
	byID  map[string]uint32
	all   *roaring.Bitmap
	// texts and numbers are the index of each field, by its name in the documents.
	texts     map[string]*textIndex
	numbers   map[string]*numbers
	synonyms  map[string]synonym
	overrides map[string]override
}

func newCollection(s schema) *collection {
	return &collection{schema: s, byID: map[string]uint32{}, all: roaring.New(), texts: map[string]*textIndex{}, numbers: map[string]*numbers{},
		synonyms: map[string]synonym{}, overrides: map[string]override{}}
}

// stored is a document as it is shown.
type stored struct {
	id     string
	source json.RawMessage
}

// textIndex is that of a text field: which documents hold each word, and each whole value.
type textIndex struct {
	words, values *dictionary
	// sizes are how many distinct words each document holds there.
	sizes []uint16
	// labels are there for fields that are counted.
	labels *labels
}

// put indexes a document in place of the one with its id. The caller is the writer, and no search runs.
func (c *collection) put(d *document) {
	c.take(d.id)
	var slot uint32
	if n := len(c.free); n > 0 {
		slot, c.free = c.free[n-1], c.free[:n-1]
	} else {
		slot = uint32(len(c.slots))
		c.slots = append(c.slots, nil)
	}
	c.slots[slot] = &stored{d.id, d.source}
	c.byID[d.id] = slot
	c.all.Add(slot)
	for name, values := range d.texts {
		if f := c.field(name); f.indexed() {
			c.putTexts(slot, name, f, values)
		}
	}
	for name, values := range d.numbers {
		if len(values) == 0 || !c.field(name).indexed() {
			continue
		}
		if c.numbers[name] == nil {
			c.numbers[name] = &numbers{more: map[uint32][]float64{}}
		}
		c.numbers[name].set(slot, values)
	}
}

func (c *collection) putTexts(slot uint32, name string, f *field, values []string) {
	x := c.texts[name]
	if x == nil {
		x = &textIndex{words: newDictionary(), values: newDictionary()}
		if f.Facet {
			x.labels = newLabels()
		}
		c.texts[name] = x
	}
	words := distinctWords(values, f)
	for _, word := range words {
		x.words.add(word, slot)
	}
	for _, value := range values {
		x.values.add(wholeValue(value, f), slot)
	}
	for int(slot) >= len(x.sizes) {
		x.sizes = append(x.sizes, 0)
	}
	x.sizes[slot] = uint16(min(len(words), math.MaxUint16))
	if x.labels != nil {
		x.labels.set(slot, distinct(values))
	}
}

func distinctWords(values []string, f *field) []string {
	var words []string
	for _, value := range values {
		words = append(words, wordsOf(value, f)...)
	}
	slices.Sort(words)
	return slices.Compact(words)
}

// wholeValue is the form in which values are compared by field:=value, in which case and accents do not count, as in Typesense.
func wholeValue(value string, f *field) string {
	if words := wordsOf(value, f); len(words) > 0 {
		return strings.Join(words, " ")
	}
	return value
}

// take removes the document with an id, if there is one. The caller is the writer, and no search runs.
func (c *collection) take(id string) {
	slot, there := c.byID[id]
	if !there {
		return
	}
	d, err := c.schema.parse(c.slots[slot].source)
	if err != nil {
		panic(fmt.Sprintf("the document %s fits its schema no longer: %s", id, err))
	}
	for name, values := range d.texts {
		if x := c.texts[name]; x != nil {
			x.remove(slot, values, c.field(name))
		}
	}
	for name := range d.numbers {
		if n := c.numbers[name]; n != nil {
			n.clear(slot)
		}
	}
	c.slots[slot] = nil
	c.free = append(c.free, slot)
	delete(c.byID, id)
	c.all.Remove(slot)
}

func (x *textIndex) remove(slot uint32, values []string, f *field) {
	for _, word := range distinctWords(values, f) {
		x.words.remove(word, slot)
	}
	for _, value := range values {
		x.values.remove(wholeValue(value, f), slot)
	}
	if int(slot) < len(x.sizes) {
		x.sizes[slot] = 0
	}
	if x.labels != nil {
		x.labels.clear(slot)
	}
}
