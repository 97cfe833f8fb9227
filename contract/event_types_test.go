package contract_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"testing"

	"github.com/meridian-store/meridian/contract"
)

func TestEventTypes_ListsEveryConstant(t *testing.T) {
	t.Parallel()
	var listed []string
	for _, event := range contract.EventTypes() {
		listed = append(listed, event.Name)
	}
	constants := eventTypeConstants(t)
	if len(constants) < 10 {
		t.Fatalf("only %d types of events in event.go", len(constants))
	}
	for _, name := range constants {
		if !slices.Contains(listed, name) {
			t.Errorf("EventTypes lacks %s", name)
		}
	}
	if slices.Sort(listed); len(slices.Compact(listed)) != len(constants) {
		t.Errorf("EventTypes lists %d types, event.go has %d", len(listed), len(constants))
	}
}

// eventTypeConstants reads the constants of event.go that equal their own names, as types of events do.
func eventTypeConstants(t *testing.T) (names []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "event.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(node ast.Node) bool {
		spec, isValue := node.(*ast.ValueSpec)
		if !isValue || len(spec.Values) != 1 {
			return true
		}
		if literal, isLiteral := spec.Values[0].(*ast.BasicLit); isLiteral {
			if value, err := strconv.Unquote(literal.Value); err == nil && value == spec.Names[0].Name {
				names = append(names, value)
			}
		}
		return true
	})
	return names
}
