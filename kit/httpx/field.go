package httpx

import (
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// fieldAtFault turns huma's location, "body.lines[0].sku", into the path that our callers know, "lines[0].sku". A property that
// is missing is named too: huma gives the location of the object that lacks it.
func fieldAtFault(detail *huma.ErrorDetail) (field, message string) {
	place, rest, inside := strings.Cut(detail.Location, ".")
	switch place {
	case "body", "query", "path", "header":
		field = rest
	default:
		field = detail.Location
	}
	name, missing := missingProperty(detail.Message)
	switch {
	case !missing && !inside:
		return place, detail.Message
	case !missing:
		return field, detail.Message
	case field != "":
		name = field + "." + name
	}
	return name, "is required"
}

// missingProperty reads the name out of huma's "expected required property sku to be present".
func missingProperty(message string) (string, bool) {
	rest, found := strings.CutPrefix(message, "expected required property ")
	if !found {
		return "", false
	}
	return strings.CutSuffix(rest, " to be present")
}
