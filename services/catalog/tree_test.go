package catalog

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/meridian-store/meridian/contract"
)

func category(slug, parent string) contract.CategoryInput {
	return contract.CategoryInput{Slug: slug, Name: "The " + slug, Parent: parent}
}

func counter() func() string {
	n := 0
	return func() string { n++; return fmt.Sprintf("cat_use_%d", n) }
}

func mustPut(t *testing.T, tree *tree, inputs ...contract.CategoryInput) {
	t.Helper()
	for _, result := range tree.putAll(inputs, counter()) {
		if result.Outcome == outcomeRefused {
			t.Fatalf("%s: %s", result.Slug, result.Reason)
		}
	}
}

// stored gives the tree as the next transaction reads it.
func reread(tree *tree) *tree {
	tree.changes()
	var nodes []node
	for _, n := range tree.nodes {
		nodes = append(nodes, n)
	}
	return newTree(nodes)
}

func TestCategoriesMayComeInAnyOrder(t *testing.T) {
	t.Parallel()
	tree := newTree(nil)
	results := tree.putAll([]contract.CategoryInput{category("leaf", "branch"), category("branch", "root"), category("lost", "nowhere"),
		category("root", ""), category("root", ""), category("Bad", "")}, counter())
	want := []string{outcomeCreated, outcomeCreated, outcomeRefused, outcomeCreated, outcomeRefused, outcomeRefused}
	for i, result := range results {
		if result.Outcome != want[i] {
			t.Errorf("%s: %s, want %s", result.Slug, result.Outcome, want[i])
		}
	}
	if results[2].Field != "parent" || results[4].Field != "slug" || results[5].Field != "slug" {
		t.Errorf("the fields at fault are not named: %+v", results)
	}
	if got := tree.lineage("leaf"); !slices.Equal(got, []string{"leaf", "branch", "root"}) {
		t.Errorf("lineage %v", got)
	}
}

func TestACategoryCannotComeBelowItself(t *testing.T) {
	t.Parallel()
	tree := newTree(nil)
	mustPut(t, tree, category("a", ""), category("b", "a"), category("c", "b"))
	for _, parent := range []string{"a", "b", "c"} {
		if _, err := tree.put(category("a", parent), counter()); contract.CodeOf(err) != contract.CodeInvalid {
			t.Errorf("a came below %s: %v", parent, err)
		}
	}
	deep := newTree(nil)
	parent := ""
	for i := range MaxCategoryDepth {
		slug := fmt.Sprintf("level-%d", i)
		mustPut(t, deep, category(slug, parent))
		parent = slug
	}
	if _, err := deep.put(category("too-deep", parent), counter()); contract.CodeOf(err) != contract.CodeInvalid {
		t.Errorf("a level too deep: %v", err)
	}
	mustPut(t, deep, category("top", ""))
	if _, err := deep.put(category("level-0", "top"), counter()); contract.CodeOf(err) != contract.CodeInvalid {
		t.Errorf("a subtree moved too deep: %v", err)
	}
}

func TestAMoveAnnouncesTheListsItChanges(t *testing.T) {
	t.Parallel()
	tree := newTree(nil)
	mustPut(t, tree, category("old", ""), category("new", ""), category("moved", "old"), category("below", "moved"), category("apart", ""))
	tree = reread(tree)
	if change := tree.changes(); len(change.rows)+len(change.announced)+len(change.moved) != 0 {
		t.Fatalf("nothing was changed, and yet: %+v", change)
	}
	mustPut(t, tree, category("moved", "new"))
	change := tree.changes()
	var announced []string
	for _, n := range change.announced {
		announced = append(announced, fmt.Sprintf("%s %d", n.slug, n.version))
	}
	if want := []string{"moved 2", "new 2", "old 2"}; !slices.Equal(announced, want) {
		t.Errorf("announced %v, want %v", announced, want)
	}
	if want := []string{"below", "moved"}; !slices.Equal(change.moved, want) {
		t.Errorf("moved %v, want %v", change.moved, want)
	}
	if below := tree.nodes["below"]; below.version != 1 || !slices.Equal(below.lineage, []string{"below", "moved", "new"}) {
		t.Errorf("below: %+v", below)
	}
}

func TestOnlyACategoryWithoutChildrenIsRemoved(t *testing.T) {
	t.Parallel()
	tree := newTree(nil)
	mustPut(t, tree, category("a", ""), category("b", "a"))
	for _, c := range []struct {
		slug string
		want contract.Code
	}{{"a", contract.CodeConflict}, {"none", contract.CodeNotFound}, {"b", ""}, {"a", ""}} {
		if got := contract.CodeOf(tree.remove(c.slug)); got != c.want {
			t.Errorf("remove %s: %q, want %q", c.slug, got, c.want)
		}
	}
}

// Whatever is asked of a tree, it stays one: each category once, under its parent, with a lineage that ends at the top.
func TestATreeStaysATree(t *testing.T) {
	t.Parallel()
	slugs := []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"}
	rapid.Check(t, func(t *rapid.T) {
		tree := newTree(nil)
		newID := counter()
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			slug := rapid.SampledFrom(slugs).Draw(t, "slug")
			if rapid.IntRange(0, 9).Draw(t, "kind") == 0 {
				if err := tree.remove(slug); contract.CodeOf(err) == contract.CodeInternal {
					t.Fatal(err)
				}
				continue
			}
			input := category(slug, rapid.SampledFrom(append([]string{""}, slugs...)).Draw(t, "parent"))
			input.Position = rapid.IntRange(0, 3).Draw(t, "position")
			if _, err := tree.put(input, newID); contract.CodeOf(err) == contract.CodeInternal {
				t.Fatal(err)
			}
			if rapid.Bool().Draw(t, "commit") {
				tree = reread(tree)
			}
		}
		tree.changes()
		seen := map[string]bool{}
		walk(t, tree.nested(), nil, func(c contract.Category, above []string) {
			if seen[c.Slug] {
				t.Fatalf("%s stands there twice", c.Slug)
			}
			seen[c.Slug] = true
			if want := append([]string{c.Slug}, above...); !slices.Equal(tree.nodes[c.Slug].lineage, want) {
				t.Fatalf("lineage of %s is %v, want %v", c.Slug, tree.nodes[c.Slug].lineage, want)
			}
		})
		if len(seen) != len(tree.nodes) {
			t.Fatalf("%d of %d categories are shown", len(seen), len(tree.nodes))
		}
	})
}

func walk(t *rapid.T, siblings []contract.Category, above []string, visit func(contract.Category, []string)) {
	if !slices.IsSortedFunc(siblings, func(a, b contract.Category) int { return a.Position - b.Position }) {
		t.Fatal("siblings are not in the order of their positions")
	}
	for _, c := range siblings {
		visit(c, above)
		walk(t, c.Children, append([]string{c.Slug}, above...), visit)
	}
}
