// Package fields lists the names by which a Go value's fields are written.
package fields

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
)

// Paths returns the path of every field of a type, however deep, by the names in a struct tag such as json:
// "lines[].sku" for a list, "orders.*" for the values of a map. Fields without a name in the tag have their Go name;
// "-" hides a field.
func Paths(of reflect.Type, tag string) []string {
	var all []string
	walk(of, tag, "", nil, func(path string) { all = append(all, path) })
	slices.Sort(all)
	return slices.Compact(all)
}

func walk(of reflect.Type, tag, path string, within []reflect.Type, add func(string)) {
	switch {
	case of.Kind() == reflect.Pointer:
		walk(of.Elem(), tag, path, within, add)
	case path != "" && opaque(of) || slices.Contains(within, of):
		return
	case of.Kind() == reflect.Slice || of.Kind() == reflect.Array:
		walk(of.Elem(), tag, path+"[]", within, add)
	case of.Kind() == reflect.Map:
		add(path + ".*")
		walk(of.Elem(), tag, path+".*", within, add)
	case of.Kind() == reflect.Struct:
		within = append(slices.Clone(within), of)
		for field := range of.Fields() {
			visit(field, tag, path, within, add)
		}
	}
}

func visit(field reflect.StructField, tag, path string, within []reflect.Type, add func(string)) {
	name, options, _ := strings.Cut(field.Tag.Get(tag), ",")
	embedded := field.Anonymous && name == ""
	if name == "-" || !field.IsExported() && !embedded {
		return
	}
	if embedded || strings.Contains(options, "inline") {
		walk(field.Type, tag, path, within, add)
		return
	}
	if name == "" {
		name = field.Name
	}
	if path != "" {
		name = path + "." + name
	}
	add(name)
	walk(field.Type, tag, name, within, add)
}

var marshaler = reflect.TypeFor[json.Marshaler]()

// opaque reports whether a type writes itself, as time.Time and json.RawMessage do.
func opaque(of reflect.Type) bool {
	return of.Implements(marshaler) || reflect.PointerTo(of).Implements(marshaler)
}
