package catalog

import (
	"maps"
	"slices"

	"github.com/meridian-store/meridian/contract"
)

// nested gives the tree as shoppers read it, siblings by position and then by slug.
func (t *tree) nested() []contract.Category {
	children := map[string][]node{}
	for _, slug := range slices.Sorted(maps.Keys(t.nodes)) {
		n := t.nodes[slug]
		children[n.parent] = append(children[n.parent], n)
	}
	return nest(children, "")
}

func nest(children map[string][]node, parent string) []contract.Category {
	siblings := children[parent]
	slices.SortStableFunc(siblings, func(a, b node) int { return a.position - b.position })
	nested := make([]contract.Category, 0, len(siblings))
	for _, n := range siblings {
		category := n.category()
		category.Children = nest(children, n.slug)
		nested = append(nested, category)
	}
	return nested
}
