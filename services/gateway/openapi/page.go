package openapi

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // for the page's template and style
	"encoding/base64"
	"fmt"
	"html/template"
	"maps"
	"slices"
	"strings"
)

//go:embed page.html
var pageTemplate string

//go:embed page.css
var pageStyle string

// PagePolicy is the Content-Security-Policy of the page: it needs nothing but its own style, and may be framed by nobody.
func PagePolicy() string {
	sum := sha256.Sum256([]byte(pageStyle))
	return fmt.Sprintf("default-src 'none'; style-src 'sha256-%s'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
		base64.StdEncoding.EncodeToString(sum[:]))
}

// Page makes a readable page of a merged document: plain HTML without scripts or anything from elsewhere.
func Page(document []byte) ([]byte, error) {
	tree, err := decode(document)
	if err != nil {
		return nil, fmt.Errorf("read the merged OpenAPI document: %w", err)
	}
	parsed, err := template.New("page").Parse(pageTemplate)
	if err != nil {
		return nil, fmt.Errorf("parse the page's template: %w", err)
	}
	var page bytes.Buffer
	if err := parsed.Execute(&page, view(tree)); err != nil {
		return nil, fmt.Errorf("write the page: %w", err)
	}
	return page.Bytes(), nil
}

// pageView is what the template shows.
type pageView struct {
	Title, Description string
	// Style is ours, embedded: safe as it is.
	Style       template.CSS
	Unavailable []string
	Groups      []groupView
	Schemas     []schemaView
}

type groupView struct {
	Name       string
	Operations []operationView
}

type operationView struct {
	ID, Method, Path, Summary, Description string
	// Roles says who may ask; "" when anyone.
	Roles      string
	Parameters []fieldView
	Body       *typeView
	Responses  []responseView
}

type responseView struct {
	Status, Description string
	Type                *typeView
}

type schemaView struct {
	Name, Description string
	// Type is set for schemas that are not objects.
	Type   *typeView
	Fields []fieldView
}

// fieldView is a parameter or a member; In is the parameter's place.
type fieldView struct {
	Name, In, Description string
	Required              bool
	Type                  typeView
}

func view(document object) pageView {
	info := child(document, "info")
	page := pageView{Title: text(info, "title"), Description: text(info, "description"), Style: template.CSS(pageStyle)} //nolint:gosec // embedded
	missing, _ := document["x-unavailable"].([]any)
	for _, service := range missing {
		page.Unavailable = append(page.Unavailable, fmt.Sprint(service))
	}
	groups := map[string][]operationView{}
	paths := child(document, "paths")
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		item := child(paths, path)
		for _, key := range operationKeys {
			if operation, ok := item[key].(object); ok {
				tag := "other"
				if tags, _ := operation["tags"].([]any); len(tags) > 0 {
					tag = fmt.Sprint(tags[0])
				}
				groups[tag] = append(groups[tag], viewOperation(strings.ToUpper(key), path, operation))
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		page.Groups = append(page.Groups, groupView{Name: name, Operations: groups[name]})
	}
	schemas := child(child(document, "components"), "schemas")
	for _, name := range slices.Sorted(maps.Keys(schemas)) {
		page.Schemas = append(page.Schemas, viewSchema(name, child(schemas, name)))
	}
	return page
}

func viewOperation(method, path string, operation object) operationView {
	shown := operationView{
		ID: text(operation, "operationId"), Method: method, Path: path, Summary: text(operation, "summary"),
		Description: text(operation, "description"), Roles: roles(operation),
	}
	parameters, _ := operation["parameters"].([]any)
	for _, value := range parameters {
		if parameter, ok := value.(object); ok {
			required, _ := parameter["required"].(bool)
			shown.Parameters = append(shown.Parameters, fieldView{
				Name: text(parameter, "name"), In: text(parameter, "in"), Description: text(parameter, "description"),
				Required: required, Type: typeOf(child(parameter, "schema")),
			})
		}
	}
	shown.Body = contentType(child(operation, "requestBody"))
	responses := child(operation, "responses")
	for _, status := range slices.Sorted(maps.Keys(responses)) {
		response := child(responses, status)
		shown.Responses = append(shown.Responses, responseView{Status: status, Description: text(response, "description"), Type: contentType(response)})
	}
	return shown
}

// contentType is the type of a body, of its first media type when it has several.
func contentType(holder object) *typeView {
	content := child(holder, "content")
	for _, media := range slices.Sorted(maps.Keys(content)) {
		if schema, ok := child(content, media)["schema"].(object); ok {
			shown := typeOf(schema)
			return &shown
		}
	}
	return nil
}

func roles(operation object) string {
	requirements, _ := operation["security"].([]any)
	var named []string
	for _, value := range requirements {
		requirement, _ := value.(object)
		for _, value := range requirement {
			list, _ := value.([]any)
			for _, role := range list {
				named = append(named, fmt.Sprint(role))
			}
		}
	}
	return strings.Join(named, " or ")
}
