// Package searchtest holds what tests send to a search engine, and what it answers, to Typesense's own document.
package searchtest

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/meridian-store/meridian/local/engine/enginetest/official"
)

var typesense = official.Document{
	File: "typesense.yaml", Engine: "Typesense's",
	Mend: func(doc *openapi3.T) {
		for _, schema := range doc.Components.Schemas {
			allowAny(schema, map[*openapi3.Schema]bool{})
		}
	},
	// Lines of JSON are no JSON.
	Bodies: func(request *http.Request) (leaveSent, leaveAnswered bool) {
		lines := strings.HasSuffix(request.URL.Path, "/documents/import") || strings.HasSuffix(request.URL.Path, "/documents/export")
		return lines, lines
	},
	// Errors that the document does not list for an operation have the shape of those that it does.
	ErrorField: "message",
}

// Client gives an HTTP client whose every request and answer is held to the official document. Where the document is absent, that is said
// and nothing is held.
func Client(t testing.TB) *http.Client {
	t.Helper()
	return typesense.Client(t)
}

// allowAny takes the document at its other word, where it says that a value is an object, and to generators that it may be anything: the
// words that matched are texts.
func allowAny(ref *openapi3.SchemaRef, seen map[*openapi3.Schema]bool) {
	if ref == nil || ref.Value == nil || seen[ref.Value] {
		return
	}
	s := ref.Value
	seen[s] = true
	if s.Extensions["x-go-type"] == "interface{}" {
		s.Type = nil
	}
	for _, below := range s.Properties {
		allowAny(below, seen)
	}
	for _, below := range slices.Concat(s.AllOf, s.AnyOf, s.OneOf, openapi3.SchemaRefs{s.Items, s.AdditionalProperties.Schema}) {
		allowAny(below, seen)
	}
}
