package catalog

import (
	"encoding/json"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/httpx"
)

// shape reads JSON into T by the schema that T's tags declare: the rule that the framework applies to a whole body, here for one
// item of a bulk, so that one bad item does not refuse the others, and for a document that a patch has made.
type shape[T any] struct {
	registry huma.Registry
	schema   *huma.Schema
}

func newShape[T any]() shape[T] {
	registry := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	return shape[T]{registry: registry, schema: registry.Schema(reflect.TypeFor[T](), false, "")}
}

// read gives the value, or an error that names the field at fault.
func (s shape[T]) read(text []byte) (T, error) {
	var value T
	var loose any
	if err := json.Unmarshal(text, &loose); err != nil {
		return value, contract.Errorf(contract.CodeInvalid, "is not JSON")
	}
	path, result := huma.NewPathBuffer(nil, 0), huma.ValidateResult{}
	path.Push("body")
	huma.Validate(s.registry, s.schema, path, huma.ModeWriteToServer, loose, &result)
	if err := httpx.SchemaError(result.Errors); err != nil {
		return value, err
	}
	if err := json.Unmarshal(text, &value); err != nil {
		return value, contract.Errorf(contract.CodeInvalid, "does not have the types that the schema asks for")
	}
	return value, nil
}

// unread is a value of a body that is read, and refused, by itself; the API's document shows it as a T.
type unread[T any] struct{ json.RawMessage }

// Schema gives the schema of T.
func (unread[T]) Schema(registry huma.Registry) *huma.Schema {
	return registry.Schema(reflect.TypeFor[T](), true, "")
}
