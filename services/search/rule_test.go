package search

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/local/kittest"
)

// What a merchant says holds a few seconds later, in every collection that is made from then on, and ends when it is deleted.
func TestMerchantsSayWhatWordsMeanAndWhatStandsFirst(t *testing.T) {
	t.Parallel()
	all := clothes()
	s := openShop(t, all...)
	oxford, linen, chino := all[0].ID, all[1].ID, all[2].ID
	auth := map[string]string{"Authorization": s.Token(t, contract.RoleMerchandiser)}
	put := func(path string, body any, want int, headers ...map[string]string) *http.Response {
		t.Helper()
		got := s.Do(t, http.MethodPut, "/api/v1/admin/search/"+path, body, nil, append(headers, auth)...)
		if got.StatusCode != want {
			var problem map[string]any
			_ = json.NewDecoder(got.Body).Decode(&problem) // it only explains
			t.Fatalf("%s: %s, want %d: %v", path, got.Status, want, problem)
		}
		return got
	}
	put("synonyms/kecks", Synonyms{Words: []string{"Kecks", "Trousers"}}, http.StatusOK)
	s.wantSoon(t, "q=kecks", "chino")
	s.wantSoon(t, "q=trousers&sort=price_asc", "chino")
	put("synonyms/upper-body", Synonyms{Words: []string{"shirts"}, Root: "upper body"}, http.StatusOK)
	s.wantSoon(t, "q=upper+body&sort=price_asc", "oxford linen")
	put("pins/shirts", Pins{Query: "Shirts", Pinned: []Pin{{chino, 1}, {linen, 2}}, Hidden: []string{oxford}}, http.StatusOK)
	s.wantSoon(t, "q=shirt", "chino linen")
	s.wantSoon(t, "q=shirt&category=shirts", "linen") // a filter is a shopper's word, a pin a merchant's
	if found, _ := s.find(t, "q=linen+shirt"); slugs(found) != "linen" {
		t.Errorf("another query: %q", slugs(found))
	}
	if got := s.Do(t, http.MethodPost, contract.PathSearchRebuild, nil, nil, s.Internal()); got.StatusCode != http.StatusOK {
		t.Fatalf("rebuild: %s", got.Status)
	}
	if found, _ := s.find(t, "q=shirt"); slugs(found) != "chino linen" {
		t.Errorf("after a rebuild: %q", slugs(found))
	}
	if found, _ := s.find(t, "q=kecks"); slugs(found) != "chino" {
		t.Errorf("after a rebuild: %q", slugs(found))
	}
	put("pins/shirts", Pins{Query: "shirt", Match: "contains", Pinned: []Pin{{linen, 1}}}, http.StatusOK)
	s.wantSoon(t, "q=oxford+shirt", "linen oxford")
	s.Do(t, http.MethodDelete, "/api/v1/admin/search/pins/shirts", nil, nil, auth)
	s.wantSoon(t, "q=oxford+shirt", "oxford")
	s.Do(t, http.MethodDelete, "/api/v1/admin/search/synonyms/kecks", nil, nil, auth)
	s.wantSoon(t, "q=kecks", "")
}

func TestRulesAreReadAndChangedByThoseWhoMay(t *testing.T) {
	t.Parallel()
	s := kittest.Start(t, Definition(), kittest.WithSearch())
	writer, reader := map[string]string{"Authorization": s.Token(t, contract.RoleMerchandiser)}, map[string]string{"Authorization": s.Token(t, contract.RoleSupport)}
	shopper := map[string]string{"Authorization": s.Token(t, contract.RoleShopper)}
	const synonyms, pins = "/api/v1/admin/search/synonyms", "/api/v1/admin/search/pins"
	id := geo.NewID("prd", "use")
	words := Synonyms{Words: []string{"a1", "b2"}}
	made := s.Do(t, http.MethodPut, synonyms+"/one", words, nil, writer)
	tag := made.Header.Get("ETag")
	if made.StatusCode != http.StatusOK || tag == "" || made.Header.Get("Cache-Control") != private {
		t.Fatalf("made: %s %v", made.Status, made.Header)
	}
	for _, test := range []struct {
		name, method, path string
		body               any
		headers            []map[string]string
		status             int
		says               string
	}{
		{"nobody", http.MethodGet, synonyms, nil, nil, http.StatusUnauthorized, ""},
		{"a shopper", http.MethodGet, synonyms, nil, []map[string]string{shopper}, http.StatusForbidden, ""},
		{"support may not write", http.MethodPut, synonyms + "/two", words, []map[string]string{reader}, http.StatusForbidden, ""},
		{"support may not delete", http.MethodDelete, synonyms + "/one", nil, []map[string]string{reader}, http.StatusForbidden, ""},
		{"support reads", http.MethodGet, synonyms + "/one", nil, []map[string]string{reader}, http.StatusOK, `"words":["a1","b2"]`},
		{"all", http.MethodGet, synonyms, nil, []map[string]string{reader}, http.StatusOK, `"items":[{"name":"one"`},
		{"none", http.MethodGet, pins, nil, []map[string]string{reader}, http.StatusOK, `"items":[]`},
		{"unknown", http.MethodGet, synonyms + "/two", nil, []map[string]string{reader}, http.StatusNotFound, "two"},
		{"unknown, to delete", http.MethodDelete, synonyms + "/two", nil, []map[string]string{writer}, http.StatusNotFound, "two"},
		{"another's version", http.MethodPut, synonyms + "/one", words, []map[string]string{writer, {"If-Match": `"other"`}}, http.StatusPreconditionFailed, ""},
		{"one that is not there", http.MethodPut, synonyms + "/two", words, []map[string]string{writer, {"If-Match": tag}}, http.StatusNotFound, ""},
		{"the version that was seen", http.MethodPut, synonyms + "/one", words, []map[string]string{writer, {"If-Match": tag}}, http.StatusOK, `"version":2`},
		{"seen before that", http.MethodDelete, synonyms + "/one", nil, []map[string]string{writer, {"If-Match": tag}}, http.StatusPreconditionFailed, ""},
		{"no name", http.MethodPut, synonyms + "/No%20Name", words, []map[string]string{writer}, http.StatusBadRequest, `"field":"name"`},
		{"one word", http.MethodPut, synonyms + "/two", Synonyms{Words: []string{"a"}}, []map[string]string{writer}, http.StatusBadRequest, `"field":"words"`},
		{"no word", http.MethodPut, synonyms + "/two", Synonyms{Words: []string{"a", "!"}}, []map[string]string{writer}, http.StatusBadRequest, `"field":"words[1]"`},
		{"a long word", http.MethodPut, synonyms + "/two", Synonyms{Words: []string{"a"}, Root: strings.Repeat("x", maxWord+1)}, []map[string]string{writer}, http.StatusBadRequest, `"field":"root"`},
		{"many words", http.MethodPut, synonyms + "/two", Synonyms{Words: strings.Fields(strings.Repeat("a ", maxWords+1))}, []map[string]string{writer}, http.StatusBadRequest, `"field":"words"`},
		{"no pins", http.MethodPut, pins + "/two", Pins{Query: "a"}, []map[string]string{writer}, http.StatusBadRequest, `"field":"pinned"`},
		{"no query", http.MethodPut, pins + "/two", Pins{Query: " ", Hidden: []string{id}}, []map[string]string{writer}, http.StatusBadRequest, `"field":"query"`},
		{"no way to match", http.MethodPut, pins + "/two", Pins{Query: "a", Match: "near", Hidden: []string{id}}, []map[string]string{writer}, http.StatusBadRequest, "match"},
		{"no product", http.MethodPut, pins + "/two", Pins{Query: "a", Hidden: []string{geo.NewID("ord", "use")}}, []map[string]string{writer}, http.StatusBadRequest, `"field":"hidden[0]"`},
		{"no place", http.MethodPut, pins + "/two", Pins{Query: "a", Pinned: []Pin{{id, 0}}}, []map[string]string{writer}, http.StatusBadRequest, `"field":"pinned[0].position"`},
		{"pinned and hidden", http.MethodPut, pins + "/two", Pins{Query: "a", Pinned: []Pin{{id, 1}}, Hidden: []string{id}}, []map[string]string{writer}, http.StatusBadRequest, `"field":"hidden[0]"`},
		{"deleted", http.MethodDelete, synonyms + "/one", nil, []map[string]string{writer}, http.StatusNoContent, ""},
	} {
		got := s.Do(t, test.method, test.path, test.body, nil, test.headers...)
		body, err := io.ReadAll(got.Body)
		if err != nil || got.StatusCode != test.status || !strings.Contains(string(body), test.says) {
			t.Errorf("%s: %s %s (%v)", test.name, got.Status, body, err)
		}
	}
}

// A kind holds so many rules and no more, whoever writes them at once.
func TestRulesHaveABound(t *testing.T) {
	t.Parallel()
	s := kittest.Start(t, Definition(), kittest.WithSearch())
	_, err := s.DB.Exec(t.Context(), `INSERT INTO search_rules (kind, name, terms, version, updated_at) SELECT 'pins', 'n' || n::TEXT, '{}'::JSONB, 1, now() FROM generate_series(1, $1::INT8) AS n`, maxRules)
	if err != nil {
		t.Fatal(err)
	}
	rules := &store{s.DB}
	if err := rules.add(t.Context(), keptRule{kind: kindPins, name: "more", terms: []byte("{}"), version: 1}); contract.CodeOf(err) != contract.CodeConflict {
		t.Errorf("one more: %v", err)
	}
	other := keptRule{kind: kindSynonyms, name: "more", terms: []byte("{}"), version: 1}
	if err := rules.add(t.Context(), other); err != nil {
		t.Errorf("one of another kind: %v", err)
	}
	if err := rules.add(t.Context(), other); contract.CodeOf(err) != contract.CodeStale {
		t.Errorf("the same at once: %v", err)
	}
	if all, err := rules.all(t.Context()); err != nil || len(all) != maxRules+1 {
		t.Errorf("there are %d (%v)", len(all), err)
	}
}
