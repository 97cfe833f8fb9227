package search

import (
	"cmp"
	"slices"
	"strings"
)

// sortKey is one of at most three by which hits are ordered.
type sortKey struct {
	name       string // "_text_match" for how well the words match
	descending bool
	// missingFirst puts documents without the field before the others.
	missingFirst bool
}

const (
	textMatch    = "_text_match"
	maxSortKeys  = 3
	missingFirst = "missing_values:first"
)

// parseSort reads sort_by: field:asc, _text_match:desc, field(missing_values: last):asc.
func (s *schema) parseSort(text string) ([]sortKey, error) {
	var keys []sortKey
	if strings.TrimSpace(text) == "" {
		keys = []sortKey{{name: textMatch, descending: true}}
		if s.DefaultSortingField != "" {
			keys = append(keys, sortKey{name: s.DefaultSortingField, descending: true})
		}
		return keys, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		name, direction, found := cutLast(strings.TrimSpace(part), ":")
		if !found {
			return nil, badRequest("Parameter `sort_by` is malformed.")
		}
		key := sortKey{name: strings.TrimSpace(name)}
		switch strings.ToLower(strings.TrimSpace(direction)) {
		case "desc":
			key.descending = true
		case "asc":
		default:
			return nil, badRequest("Order for field `%s` should be either ASC or DESC.", key.name)
		}
		if strings.HasPrefix(key.name, "_") && key.name != textMatch {
			return nil, notSupported(key.name, "")
		}
		if base, option, has := strings.Cut(key.name, "("); has {
			key.name = strings.TrimSpace(base)
			key.missingFirst = strings.ReplaceAll(strings.TrimSuffix(option, ")"), " ", "") == missingFirst
		}
		if key.name != textMatch {
			f := s.field(key.name)
			if f == nil || f.isText() || f.isArray() {
				return nil, notFoundField("sort", key.name)
			}
		}
		keys = append(keys, key)
	}
	if len(keys) > maxSortKeys {
		return nil, badRequest("Only upto 3 sort_by fields can be specified.")
	}
	return keys, nil
}

func cutLast(text, sign string) (before, after string, found bool) {
	at := strings.LastIndex(text, sign)
	if at < 0 {
		return text, "", false
	}
	return text[:at], text[at+len(sign):], true
}

// order brings the first of what was found, so many, into their order. Of two that are alike in everything the one that was put in last comes
// first, as in Typesense.
func (c *collection) order(found []scored, keys []sortKey, first int) {
	columns := make([]*numbers, len(keys))
	for i, key := range keys {
		columns[i] = c.numbers[key.name]
	}
	compare := func(a, b scored) int {
		for i, key := range keys {
			if by := key.compare(a, b, columns[i]); by != 0 {
				return by
			}
		}
		return cmp.Compare(b.slot, a.slot)
	}
	// Few of many: keep the best in a heap whose root is the worst of them.
	const few = 4
	if first < len(found)/few {
		best := found[:first]
		for i := first/2 - 1; i >= 0; i-- {
			sink(best, i, compare)
		}
		for i := first; i < len(found) && first > 0; i++ {
			if compare(found[i], best[0]) < 0 {
				found[i], best[0] = best[0], found[i]
				sink(best, 0, compare)
			}
		}
		found = best
	}
	slices.SortFunc(found, compare)
}

func sink(heap []scored, at int, compare func(a, b scored) int) {
	for {
		child := 2*at + 1
		if child >= len(heap) {
			return
		}
		if child+1 < len(heap) && compare(heap[child+1], heap[child]) > 0 {
			child++
		}
		if compare(heap[at], heap[child]) >= 0 {
			return
		}
		heap[at], heap[child] = heap[child], heap[at]
		at = child
	}
}

func (key sortKey) compare(a, b scored, column *numbers) int {
	if key.name == textMatch {
		if key.descending {
			return cmp.Compare(b.text, a.text)
		}
		return cmp.Compare(a.text, b.text)
	}
	x, hasX := column.at(a.slot)
	y, hasY := column.at(b.slot)
	switch {
	case !hasX && !hasY:
		return 0
	case !hasX || !hasY:
		if hasY == key.missingFirst {
			return -1
		}
		return 1
	case key.descending:
		return cmp.Compare(y, x)
	default:
		return cmp.Compare(x, y)
	}
}
