package search

import (
	"encoding/json"
	"slices"
	"sync"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
)

// search answers a query as Typesense does.
func (c *collection) search(in parameters) (map[string]any, error) {
	begun := time.Now()
	c.mu.RLock()
	defer c.mu.RUnlock()
	p, err := c.read(in)
	if err != nil {
		return nil, err
	}
	words := wordsOf(p.q, nil)
	words = words[:min(len(words), maxQueryWords)]
	c.curate(words, p)
	within := c.allowed(p.filter)
	var found []scored
	switch {
	case p.q == "*" || p.q == "":
		room := lists.Get().(*[]scored)
		defer lists.Put(room)
		*room = listed((*room)[:0], within)
		found = *room
	case len(words) > 0:
		p.readings = c.readings(words)
		found = c.matches(p.readings, within, p)
	}
	found = c.arrange(found, within, p)

	facets := make([]map[string]any, 0, len(p.facets))
	for _, by := range p.facets {
		facets = append(facets, c.count(by, found, p))
	}
	shown := found[min(p.offset, len(found)):min(p.offset+p.perPage, len(found))]
	hits := make([]map[string]any, 0, len(shown))
	for _, each := range shown {
		hit, err := c.hit(each, p)
		if err != nil {
			return nil, err
		}
		hits = append(hits, hit)
	}
	return map[string]any{
		"found": len(found), "out_of": len(c.byID), "page": p.page, "hits": hits, "facet_counts": facets, "search_cutoff": false,
		"search_time_ms": int(time.Since(begun).Milliseconds()),
		"request_params": map[string]any{"collection_name": c.Name, "per_page": p.perPage, "q": p.q},
	}, nil
}

// lists are used again: one of all documents is the largest thing that a search makes, and to make it anew costs the others their time.
var lists = sync.Pool{New: func() any { return new([]scored) }}

// listed adds all that is let through to a list, without a score.
func listed(list []scored, within *roaring.Bitmap) []scored {
	list = slices.Grow(list, int(within.GetCardinality()))
	var some [256]uint32
	it := within.ManyIterator()
	for n := it.NextMany(some[:]); n > 0; n = it.NextMany(some[:]) {
		for _, slot := range some[:n] {
			list = append(list, scored{slot: slot})
		}
	}
	return list
}

func (c *collection) hit(s scored, p *params) (map[string]any, error) {
	document, err := chosen(c.slots[s.slot].source, p.include, p.exclude)
	if err != nil {
		return nil, err
	}
	list, byField, err := c.highlight(s, p)
	if err != nil {
		return nil, err
	}
	hit := map[string]any{"document": document, "highlights": list, "highlight": byField}
	if s.text > 0 {
		hit["text_match"], hit["text_match_info"] = s.text, explained(s, p)
	}
	return hit, nil
}

// chosen gives the members of a document that were asked for.
func chosen(source json.RawMessage, include, exclude []string) (any, error) {
	if len(include) == 0 && len(exclude) == 0 {
		return source, nil
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(source, &members); err != nil {
		return nil, err
	}
	for name := range members {
		if len(include) > 0 && !slices.Contains(include, name) || slices.Contains(exclude, name) {
			delete(members, name)
		}
	}
	return members, nil
}
