package catalog

import (
	"net/http"
	"slices"
	"testing"

	"github.com/meridian-store/meridian/contract"
)

func (s shop) listed(t *testing.T, category string) []string {
	t.Helper()
	var list productList
	s.Do(t, http.MethodGet, "/api/v1/products?limit=100&category="+category, nil, &list)
	var slugs []string
	for _, item := range list.Items {
		slugs = append(slugs, item.Slug)
	}
	return sortedSet(slugs)
}

func TestACategorysLife(t *testing.T) {
	t.Parallel()
	s := open(t)
	var made contract.Category
	response := s.Do(t, http.MethodPost, adminCategories, category("clothes", ""), &made, s.admin(t))
	if response.StatusCode != http.StatusCreated || response.Header.Get("Location") != adminCategories+"/clothes" || made.Version != 1 {
		t.Fatalf("created: %d %+v", response.StatusCode, made)
	}
	refused(t, s.Do(t, http.MethodPost, adminCategories, category("clothes", ""), nil, s.admin(t)), contract.CodeConflict, "slug")
	refused(t, s.Do(t, http.MethodPost, adminCategories, category("hats", "heads"), nil, s.admin(t)), contract.CodeInvalid, "parent")
	s.putCategories(t, category("shirts", "clothes"), category("sale", ""))
	s.putProducts(t, mug("cup"), shirt("one", "shirts"), shirt("two", "shirts", "sale"), shirt("draft", "shirts"))
	s.Do(t, http.MethodPatch, adminProducts+"/draft", []byte(`{"published": false}`), nil, s.admin(t))

	expect := func(slug string, want ...string) {
		t.Helper()
		if got := s.listed(t, slug); !slices.Equal(got, want) {
			t.Errorf("%s lists %v, want %v", slug, got, want)
		}
	}
	expect("clothes", "one", "two")
	expect("sale", "two")
	for slug, header := range map[string]string{"clothes": "", "shirts": "", "sale": ""} {
		refused(t, s.Do(t, http.MethodDelete, adminCategories+"/"+slug, nil, nil, s.admin(t, "If-Match", header)), contract.CodeConflict, "")
	}

	// Moved from below clothes to below sale, it takes its products along; the draft comes too.
	tag := s.Do(t, http.MethodGet, adminCategories+"/shirts", nil, nil, s.admin(t)).Header.Get("ETag")
	if response := s.Do(t, http.MethodPut, adminCategories+"/shirts", category("shirts", "sale"), nil, s.admin(t, "If-Match", tag)); response.StatusCode != http.StatusOK {
		t.Fatalf("moved: %d", response.StatusCode)
	}
	expect("clothes")
	expect("sale", "one", "two")
	expect("shirts", "one", "two")
	s.Do(t, http.MethodPatch, adminProducts+"/draft", []byte(`{"published": true}`), nil, s.admin(t))
	expect("sale", "draft", "one", "two")
	refused(t, s.Do(t, http.MethodPut, adminCategories+"/shirts", category("shirts", ""), nil, s.admin(t, "If-Match", tag)), contract.CodeStale, "")
	refused(t, s.Do(t, http.MethodPut, adminCategories+"/sale", category("sale", "shirts"), nil, s.admin(t)), contract.CodeInvalid, "parent")
	refused(t, s.Do(t, http.MethodPut, adminCategories+"/shirts", category("blouses", ""), nil, s.admin(t)), contract.CodeInvalid, "slug")
	refused(t, s.Do(t, http.MethodPut, adminCategories+"/none", category("none", ""), nil, s.admin(t)), contract.CodeNotFound, "")

	if response := s.Do(t, http.MethodDelete, adminCategories+"/clothes", nil, nil, s.admin(t)); response.StatusCode != http.StatusNoContent {
		t.Errorf("deleted: %d", response.StatusCode)
	}
	refused(t, s.Do(t, http.MethodGet, "/api/v1/products?category=clothes", nil, nil), contract.CodeNotFound, "category")
	var tree categoryTree
	s.Do(t, http.MethodGet, "/api/v1/categories", nil, &tree)
	if len(tree.Items) != 1 || tree.Items[0].Slug != "sale" || len(tree.Items[0].Children) != 1 || tree.Items[0].Children[0].Slug != "shirts" {
		t.Errorf("the tree: %+v", tree)
	}
	gone := s.WaitEvent(t, contract.TopicProducts, func(event contract.Event) bool {
		var change contract.CategoryChange
		return event.Type == contract.CategoryChanged && event.Subject == made.ID && event.Decode(&change) == nil && change.Deleted
	})
	// Made, announced when shirts left it, deleted.
	if gone.AggregateVersion != 3 {
		t.Errorf("deleted at version %d", gone.AggregateVersion)
	}
}

func TestCategoriesTwiceAreUnchanged(t *testing.T) {
	t.Parallel()
	s := open(t)
	inputs := []contract.CategoryInput{category("shirts", "clothes"), category("clothes", ""), category("lost", "nowhere")}
	for _, want := range []string{outcomeCreated, outcomeUnchanged} {
		var answer bulkAnswer
		s.Do(t, http.MethodPost, adminCategories+"/bulk", map[string]any{"items": append([]any{map[string]any{"slug": "x"}}, inputs[0], inputs[1], inputs[2])}, &answer, s.admin(t))
		var got []string
		for _, result := range answer.Results {
			got = append(got, result.Slug+" "+result.Outcome+" "+result.Field)
		}
		if expected := []string{"x refused name", "shirts " + want + " ", "clothes " + want + " ", "lost refused parent"}; !slices.Equal(got, expected) {
			t.Errorf("got %q, want %q", got, expected)
		}
	}
	var tree categoryTree
	s.Do(t, http.MethodGet, adminCategories, nil, &tree, s.admin(t))
	if len(tree.Items) != 1 || tree.Items[0].Version != 1 || tree.Items[0].Children[0].Version != 1 {
		t.Errorf("%+v", tree)
	}
}
