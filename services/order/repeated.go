package order

import (
	"fmt"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
)

// repeated is an answer of a kind that goes out byte for byte as it was first given.
type repeated[T any] struct{ text []byte }

// MarshalJSON gives the kept bytes.
func (r repeated[T]) MarshalJSON() ([]byte, error) { return r.text, nil }

// Schema is that of what was kept.
func (repeated[T]) Schema(registry huma.Registry) *huma.Schema {
	return registry.Schema(reflect.TypeFor[T](), true, "")
}

// field names a part of the i-th item of a list.
func field(list string, i int, name string) string { return fmt.Sprintf("%s[%d].%s", list, i, name) }
