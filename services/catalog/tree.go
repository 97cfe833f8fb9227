package catalog

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/meridian-store/meridian/contract"
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
	outcomeApplied   = "applied" // a price of a list
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

func (t *tree) lineage(slug string) []string {
	var lineage []string
	for ; slug != ""; slug = t.nodes[slug].parent {
		lineage = append(lineage, slug)
	}
	return lineage
}

// category gives the node without its children.
func (n node) category() contract.Category {
	return contract.Category{ID: n.id, Slug: n.slug, Name: n.name, Parent: n.parent, Position: n.position, Version: n.version}
}

func sameContent(a, b node) bool {
	return a.name == b.name && a.parent == b.parent && a.position == b.position
}
