package openapi

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// typeView is a type in words around a link: "list of " Product " or null".
type typeView struct {
	Before, Schema, After string
	// Rules are the bounds of a value, such as "at most 200 characters".
	Rules string
}

func typeOf(schema object) typeView {
	if r, ok := parseReference(text(schema, "$ref")); ok {
		return typeView{Schema: r.name}
	}
	names := typeNames(schema)
	shown := typeView{Before: strings.Join(names, " or "), Rules: rules(schema)}
	if items, ok := schema["items"].(object); ok && slices.Contains(names, "array") {
		inner := typeOf(items)
		shown.Before, shown.Schema, shown.After = "list of "+inner.Before, inner.Schema, inner.After
	}
	if more, ok := schema["additionalProperties"].(object); ok {
		inner := typeOf(more)
		shown.Before, shown.Schema, shown.After = "map to "+inner.Before, inner.Schema, inner.After
	}
	if format := text(schema, "format"); format != "" && shown.Schema == "" {
		shown.Before += " (" + format + ")"
	}
	if shown.Before == "" && shown.Schema == "" {
		shown.Before = "anything"
	}
	return shown
}

// typeNames reads `type`, which is a word or a list of words since OpenAPI 3.1.
func typeNames(schema object) []string {
	switch value := schema["type"].(type) {
	case string:
		return []string{value}
	case []any:
		var names []string
		for _, name := range value {
			names = append(names, fmt.Sprint(name))
		}
		return names
	default:
		return nil
	}
}

// bounds puts the keywords that bound a value in words.
var bounds = []struct{ keyword, words string }{
	{"minimum", "at least %v"}, {"maximum", "at most %v"}, {"exclusiveMinimum", "above %v"}, {"exclusiveMaximum", "below %v"},
	{"minLength", "at least %v characters"}, {"maxLength", "at most %v characters"},
	{"minItems", "at least %v items"}, {"maxItems", "at most %v items"}, {"pattern", "matching %v"}, {"default", "%v if absent"},
}

func rules(schema object) string {
	var found []string
	for _, bound := range bounds {
		if value, ok := schema[bound.keyword]; ok {
			found = append(found, fmt.Sprintf(bound.words, value))
		}
	}
	if values, ok := schema["enum"].([]any); ok {
		var words []string
		for _, value := range values {
			words = append(words, fmt.Sprint(value))
		}
		found = append(found, "one of "+strings.Join(words, ", "))
	}
	return strings.Join(found, "; ")
}

func viewSchema(name string, schema object) schemaView {
	shown := schemaView{Name: name, Description: text(schema, "description")}
	properties := child(schema, "properties")
	if len(properties) == 0 {
		whole := typeOf(schema)
		shown.Type = &whole
		return shown
	}
	required, _ := schema["required"].([]any)
	for _, member := range slices.Sorted(maps.Keys(properties)) {
		property := child(properties, member)
		shown.Fields = append(shown.Fields, fieldView{
			Name: member, Description: text(property, "description"), Required: slices.Contains(required, any(member)), Type: typeOf(property),
		})
	}
	return shown
}

func text(parent object, name string) string {
	value, _ := parent[name].(string)
	return value
}
