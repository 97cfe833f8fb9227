package search

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"testing"
)

// Who found a collection just before it was deleted does not write into the next one of its name.
func TestADeletedCollectionTakesNoMoreWrites(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	e, err := Open(folder, "key")
	if err != nil {
		t.Fatal(err)
	}
	before, err := e.createCollection(schema{Name: "c", Fields: []field{{Name: "title", Type: "string"}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.deleteCollection("c"); err != nil {
		t.Fatal(err)
	}
	if _, err := e.createCollection(schema{Name: "c", Fields: []field{{Name: "size", Type: "int32"}}}); err != nil {
		t.Fatal(err)
	}
	_, put := e.put(before, []byte(`{"id":"1","title":"x"}`), actionUpsert)
	_, remove := e.remove(before, "1")
	for what, err := range map[string]error{
		"a document": put, "a removal": remove, "a new field": e.alter(before, []field{{Name: "x", Type: "bool", Optional: true}}),
		"an import": e.importLines(before, strings.NewReader(`{"id":"2","title":"x"}`), actionUpsert, bufio.NewWriter(io.Discard)),
	} {
		var refused *failure
		if !errors.As(err, &refused) || refused.status != 404 {
			t.Errorf("%s: %v, want not found", what, err)
		}
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := Open(folder, "key")
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if c, err := again.collection("c"); err != nil || len(c.byID) != 0 {
		t.Errorf("after a restart: %v (%v)", c, err)
	}
}

// A caller's filter is read by itself: it can not close the brackets of the key's and go on with "or".
func TestACallersFilterDoesNotOpenAKeys(t *testing.T) {
	t.Parallel()
	c := newCollection(*testSchema(t))
	for _, text := range []string{`{"id":"1","title":"mine","price":1,"in":true}`, `{"id":"2","title":"theirs","price":2,"in":true}`} {
		d, err := c.schema.read([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		c.put(d)
	}
	embedded := parameters{"filter_by": "title:=mine"}
	for _, own := range []string{"price:=1) || (price:=2", "price:=1 || price:=2", ")", "", "price:>0"} {
		answer, err := c.search(scoped(parameters{"q": "*", "filter_by": own, fixedFilter: "price:>0"}, embedded))
		if err == nil && answer["found"] != 1 {
			t.Errorf("with %q the key's caller sees %v documents, want 1", own, answer["found"])
		}
	}
}

// What would change what is found, and is not done, is refused by its name.
func TestWhatIsNotDoneIsRefused(t *testing.T) {
	t.Parallel()
	c := newCollection(*testSchema(t))
	for name, value := range map[string]string{"group_by": "title", "vector_query": "v:([1])", "infix": "always", "preset": "p", "sort_by": "_eval(in:true):desc"} {
		_, err := c.search(parameters{"q": "*", name: value})
		var refused *unsupportedError
		if !errors.As(err, &refused) || refused.name != name && !strings.HasPrefix(value, refused.name) {
			t.Errorf("%s: %v, want a refusal", name, err)
		}
	}
	for name, f := range map[string]field{
		"stem": {Name: "x", Type: "string", Stem: true}, "infix": {Name: "x", Type: "string", Infix: true},
		"num_dim": {Name: "x", Type: "float[]", Dimension: 3}, "reference": {Name: "x", Type: "string", Reference: "a.b"},
	} {
		s := schema{Name: "c", Fields: []field{f}}
		var refused *unsupportedError
		if err := s.prepare(); !errors.As(err, &refused) || refused.name != name {
			t.Errorf("%+v: %v, want a refusal", f, err)
		}
	}
}
