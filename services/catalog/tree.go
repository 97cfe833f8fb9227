package catalog

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/meridian-store/meridian/services/contract"
)

// Limits of the category tree. It is small enough to be read whole: a change of it is judged on all of it.
const (
	MaxCategories    = 10_000
	MaxCategoryDepth = 10
	maxCategoryName  = 200
)

// Outcomes of writing one product or category; contract.BulkResult shows them.
const (
	outcomeCreated   = "created"
	outcomeUpdated   = "updated"
	outcomeUnchanged = "unchanged"
	outcomeRefused   = "refused"
)

// node is a category as it is stored. Its slug names it for ever; parent is a slug, "" at the top.
type node struct {
	slug, id, name, parent string
	position               int
	version                int64
	// lineage holds its own slug and those of all above it.
	lineage []string
}

// tree is the category tree while it is being changed. Every slug stands in it once, and walking up from any node ends.
type tree struct {
	nodes  map[string]node
	before map[string]node
}

func newTree(nodes []node) *tree {
	t := &tree{nodes: map[string]node{}, before: map[string]node{}}
	for _, n := range nodes {
		t.nodes[n.slug], t.before[n.slug] = n, n
	}
	return t
}

// checkCategory judges what was written of a category by itself.
func checkCategory(input contract.CategoryInput) error {
	switch {
	case !slugForm.MatchString(input.Slug):
		return contract.Invalid("slug", "%q is not of lower-case letters and digits in words joined by single dashes", input.Slug)
	case strings.TrimSpace(input.Name) == "" || utf8.RuneCountInString(input.Name) > maxCategoryName:
		return contract.Invalid("name", "must have 1 to %d characters", maxCategoryName)
	case input.Position < 0:
		return contract.Invalid("position", "must not be negative")
	}
	return checkText("name", input.Name)
}

// put writes a category, which newID names when it is new. Its parent must be there already and must not be below it.
func (t *tree) put(input contract.CategoryInput, newID func() string) (string, error) {
	if err := checkCategory(input); err != nil {
		return "", err
	}
	old, known := t.nodes[input.Slug]
	if !known && len(t.nodes) >= MaxCategories {
		return "", contract.Errorf(contract.CodeConflict, "there are %d categories already, which is the most there can be", MaxCategories)
	}
	above, err := t.above(input)
	if err != nil {
		return "", err
	}
	depth := 1 + len(above)
	if known && old.parent != input.Parent {
		depth += t.height(input.Slug)
	}
	if depth > MaxCategoryDepth {
		return "", contract.Invalid("parent", "the tree would be %d levels deep; %d are the most", depth, MaxCategoryDepth)
	}
	written := old
	written.slug, written.name, written.parent, written.position = input.Slug, strings.TrimSpace(input.Name), input.Parent, input.Position
	if !known {
		written.id = newID()
	}
	t.nodes[input.Slug] = written
	switch {
	case !known:
		return outcomeCreated, nil
	case sameContent(old, written):
		return outcomeUnchanged, nil
	default:
		return outcomeUpdated, nil
	}
}

// putAll writes many categories. They may stand in any order: one whose parent comes later waits for it. What is refused keeps
// what needs it from being written, and nothing else.
func (t *tree) putAll(inputs []contract.CategoryInput, newID func() string) []contract.BulkResult {
	results := make([]contract.BulkResult, len(inputs))
	seen := map[string]bool{}
	var waiting []int
	for i, input := range inputs {
		if seen[input.Slug] {
			results[i] = refusal(input.Slug, contract.Invalid("slug", "stands in this request twice"))
			continue
		}
		seen[input.Slug] = true
		waiting = append(waiting, i)
	}
	for progress := true; progress; {
		progress = false
		waiting = slices.DeleteFunc(waiting, func(i int) bool {
			outcome, err := t.put(inputs[i], newID)
			if err != nil {
				results[i] = refusal(inputs[i].Slug, err)
				return false
			}
			results[i] = contract.BulkResult{Slug: inputs[i].Slug, Outcome: outcome}
			progress = true
			return true
		})
	}
	return results
}

// refusal tells why one item of a bulk was not written.
func refusal(slug string, err error) contract.BulkResult {
	result := contract.BulkResult{Slug: slug, Outcome: outcomeRefused, Reason: err.Error()}
	var typed *contract.Error
	if errors.As(err, &typed) {
		result.Reason, result.Field = typed.Message, typed.Field
	}
	return result
}

// above gives the slugs above a category that is about to be written, nearest first.
func (t *tree) above(input contract.CategoryInput) ([]string, error) {
	var above []string
	for slug := input.Parent; slug != ""; slug = t.nodes[slug].parent {
		if _, known := t.nodes[slug]; !known {
			return nil, contract.Invalid("parent", "there is no category %q", slug)
		}
		if slug == input.Slug {
			return nil, contract.Invalid("parent", "%q is %q itself or below it", input.Parent, input.Slug)
		}
		above = append(above, slug)
	}
	return above, nil
}

// height counts the levels below a category.
func (t *tree) height(slug string) int {
	height := 0
	for _, below := range t.nodes {
		levels := 0
		for at := below; at.parent != ""; at = t.nodes[at.parent] {
			levels++
			if at.parent == slug {
				height = max(height, levels)
				break
			}
		}
	}
	return height
}

// remove takes a category without children out.
func (t *tree) remove(slug string) error {
	if _, known := t.nodes[slug]; !known {
		return contract.Errorf(contract.CodeNotFound, "there is no category %q", slug)
	}
	for _, below := range t.nodes {
		if below.parent == slug {
			return contract.Errorf(contract.CodeConflict, "the category %q has %q below it", slug, below.slug)
		}
	}
	delete(t.nodes, slug)
	return nil
}

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

func (t *tree) lineage(slug string) []string {
	var lineage []string
	for ; slug != ""; slug = t.nodes[slug].parent {
		lineage = append(lineage, slug)
	}
	return lineage
}

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

// category gives the node without its children.
func (n node) category() contract.Category {
	return contract.Category{ID: n.id, Slug: n.slug, Name: n.name, Parent: n.parent, Position: n.position, Version: n.version}
}

func sameContent(a, b node) bool {
	return a.name == b.name && a.parent == b.parent && a.position == b.position
}

// difference gives the words that only one of two lists holds.
func difference(a, b []string) []string {
	only := func(these, those []string) []string {
		return slices.DeleteFunc(slices.Clone(these), func(word string) bool { return slices.Contains(those, word) })
	}
	return append(only(a, b), only(b, a)...)
}
