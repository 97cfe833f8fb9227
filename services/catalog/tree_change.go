package catalog

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// treeChange is what must be written for a changed tree.
type treeChange struct {
	// rows are to be stored, parents before children; those among announced have a new version.
	rows []node
	// announced are categories of which something that shoppers see is different now: what is written of them, or, when a
	// category was moved, which products their lists hold.
	announced []node
	// moved are slugs of categories whose lineage is different, so that their products stand elsewhere.
	moved []string
}

// changes compares the tree with what it was when newTree read it.
func (t *tree) changes() treeChange {
	var change treeChange
	announced, moved := map[string]bool{}, map[string]bool{}
	for slug, now := range t.nodes {
		now.lineage = t.lineage(slug)
		t.nodes[slug] = now
		was, known := t.before[slug]
		if !known || !sameContent(was, now) {
			announced[slug] = true
		}
		if known && !slices.Equal(was.lineage, now.lineage) {
			moved[slug] = true
			for _, above := range difference(was.lineage, now.lineage) {
				announced[above] = true
			}
		}
	}
	for slug, now := range t.nodes {
		if announced[slug] {
			now.version++
			t.nodes[slug] = now
			change.announced = append(change.announced, now)
		}
		if announced[slug] || moved[slug] {
			change.rows = append(change.rows, now)
		}
	}
	slices.SortFunc(change.announced, func(a, b node) int { return strings.Compare(a.slug, b.slug) })
	slices.SortFunc(change.rows, func(a, b node) int {
		return cmp.Or(cmp.Compare(len(a.lineage), len(b.lineage)), strings.Compare(a.slug, b.slug))
	})
	change.moved = slices.Sorted(maps.Keys(moved))
	return change
}

// difference gives the words that only one of two lists holds.
func difference(a, b []string) []string {
	only := func(these, those []string) []string {
		return slices.DeleteFunc(slices.Clone(these), func(word string) bool { return slices.Contains(those, word) })
	}
	return append(only(a, b), only(b, a)...)
}
