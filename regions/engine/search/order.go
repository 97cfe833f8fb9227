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

// order sorts what was found. Of two that are alike in everything the one that was put in last comes first, as in Typesense.
func (c *collection) order(found []scored, keys []sortKey) {
	slices.SortFunc(found, func(a, b scored) int {
		for _, key := range keys {
			if by := c.compare(a, b, key); by != 0 {
				return by
			}
		}
		return cmp.Compare(b.slot, a.slot)
	})
}

func (c *collection) compare(a, b scored, key sortKey) int {
	if key.name == textMatch {
		if key.descending {
			return cmp.Compare(b.text, a.text)
		}
		return cmp.Compare(a.text, b.text)
	}
	x, y := c.slots[a.slot].numbers[key.name], c.slots[b.slot].numbers[key.name]
	switch {
	case len(x) == 0 && len(y) == 0:
		return 0
	case len(x) == 0 || len(y) == 0:
		if (len(x) == 0) == key.missingFirst {
			return -1
		}
		return 1
	case key.descending:
		return cmp.Compare(y[0], x[0])
	default:
		return cmp.Compare(x[0], y[0])
	}
}
