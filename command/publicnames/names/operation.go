package names

import (
	"fmt"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/meridian-store/meridian/kit/httpx"
)

// describe lists the names of one operation, which its method and path identify.
func describe(document *huma.OpenAPI, at string, operation *huma.Operation, public bool, to *list) {
	if public {
		to.add("operation-id", operation.OperationID, at)
	}
	for _, parameter := range operation.Parameters {
		to.add("parameter", at, parameter.In, parameter.Name, required(parameter.Required), values(parameter.Schema))
	}
	if operation.RequestBody != nil {
		for kind, content := range operation.RequestBody.Content {
			bodies{document, "request-field", at, to}.content(kind, content)
		}
	}
	for status, response := range operation.Responses {
		for kind, content := range response.Content {
			if kind == httpx.ProblemContentType {
				bodies{document, "problem-field", "", to}.content("", content)
				continue
			}
			bodies{document, "response-field", at + " " + status, to}.content(kind, content)
		}
		for name := range response.Headers {
			to.add("response-header", at, status, name)
		}
	}
}

// bodies lists the fields of a request or of an answer.
type bodies struct {
	document *huma.OpenAPI
	kind, at string
	to       *list
}

func (b bodies) content(kind string, content *huma.MediaType) {
	if kind != "" && kind != "application/json" {
		b.to.add(strings.TrimSuffix(b.kind, "field")+"type", b.at, kind)
	}
	b.schema(content.Schema, "", nil)
}

// schema lists the fields of a schema below a path. One that holds itself is followed once.
func (b bodies) schema(schema *huma.Schema, path string, within []string) {
	if schema == nil {
		return
	}
	if schema.Ref != "" {
		if slices.Contains(within, schema.Ref) {
			return
		}
		within = append(slices.Clone(within), schema.Ref)
		schema = b.document.Components.Schemas.SchemaFromRef(schema.Ref)
	}
	b.schema(schema.Items, path+"[]", within)
	for name, field := range schema.Properties {
		below := strings.TrimPrefix(path+"."+name, ".")
		b.to.add(b.kind, b.at, below, required(slices.Contains(schema.Required, name)), values(b.target(field)))
		b.schema(field, below, within)
	}
	if of, isSchema := schema.AdditionalProperties.(*huma.Schema); isSchema {
		b.to.add(b.kind, b.at, strings.TrimPrefix(path+".*", "."), values(b.target(of)))
		b.schema(of, strings.TrimPrefix(path+".*", "."), within)
	}
	for _, alternatives := range [][]*huma.Schema{schema.OneOf, schema.AnyOf, schema.AllOf} {
		for _, alternative := range alternatives {
			b.schema(alternative, path, within)
		}
	}
}

// target follows a reference.
func (b bodies) target(schema *huma.Schema) *huma.Schema {
	if schema != nil && schema.Ref != "" {
		return b.document.Components.Schemas.SchemaFromRef(schema.Ref)
	}
	return schema
}

func required(is bool) string {
	if is {
		return "required"
	}
	return ""
}

// values writes the values that a schema admits, when it names them, as one word.
func values(schema *huma.Schema) string {
	if schema == nil {
		return ""
	}
	if len(schema.Enum) == 0 {
		return values(schema.Items)
	}
	var all []string
	for _, value := range schema.Enum {
		all = append(all, fmt.Sprint(value))
	}
	return "values=" + strings.Join(all, "|")
}
