package control_test

import (
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/meridian-store/meridian/local/engine/enginetest/official"
)

// document is Cloudflare's, of 2024-08, cut to what is used of it.
var document = official.Document{
	File: "cloudflare.yaml", Engine: "Cloudflare's", BasePath: "/client/v4", Mend: allowNull,
	Lacks: func(request *http.Request) bool {
		return strings.HasSuffix(request.URL.Path, "/argo/tiered_caching") || strings.HasSuffix(request.URL.Path, "/cache/regional_tiered_cache")
	},
	// The document wants a body of a DELETE, which Cloudflare's own client has not sent for years.
	Bodies: func(request *http.Request) (leaveSent, leaveAnswered bool) {
		return request.Method == http.MethodDelete, false
	},
}

// allowNull lets null be what the document says it may be: by an enumeration of null alone, or by no type at all. OpenAPI 3.0 has another
// word for that, which the document does not use there.
func allowNull(doc *openapi3.T) {
	seen := map[*openapi3.Schema]bool{}
	var visit func(ref *openapi3.SchemaRef)
	visit = func(ref *openapi3.SchemaRef) {
		if ref == nil || ref.Value == nil || seen[ref.Value] {
			return
		}
		s := ref.Value
		seen[s] = true
		s.Nullable = s.Nullable || s.Type == nil || len(s.Enum) == 1 && s.Enum[0] == nil
		for _, below := range s.Properties {
			visit(below)
		}
		for _, below := range slices.Concat(s.AllOf, s.AnyOf, s.OneOf, openapi3.SchemaRefs{s.Items, s.Not}) {
			visit(below)
		}
	}
	for _, path := range doc.Paths.Map() {
		for _, operation := range path.Operations() {
			for _, response := range operation.Responses.Map() {
				for _, media := range response.Value.Content {
					visit(media.Schema)
				}
			}
		}
	}
}
