package openapi

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"unicode"
)

// components are the shared parts of a document, by kind (schemas, parameters, …) and name.
type components map[string]map[string]any

// reference names a component.
type reference struct{ kind, name string }

const (
	referencePrefix = "#/components/"
	securitySchemes = "securitySchemes"
)

func (r reference) String() string { return referencePrefix + r.kind + "/" + r.name }

func parseReference(text string) (reference, bool) {
	rest, ok := strings.CutPrefix(text, referencePrefix)
	kind, name, found := strings.Cut(rest, "/")
	return reference{kind, name}, ok && found && !strings.Contains(name, "/")
}

func componentsOf(document object) components {
	all := components{}
	for kind, named := range child(document, "components") {
		if members, ok := named.(object); ok {
			all[kind] = members
		}
	}
	return all
}

func (c components) get(r reference) (any, bool) {
	value, ok := c[r.kind][r.name]
	return value, ok
}

func (c components) set(r reference, value any) {
	if c[r.kind] == nil {
		c[r.kind] = map[string]any{}
	}
	c[r.kind][r.name] = value
}

// all lists the components in a fixed order.
func (c components) all() []reference {
	var references []reference
	for _, kind := range slices.Sorted(maps.Keys(c)) {
		for _, name := range slices.Sorted(maps.Keys(c[kind])) {
			references = append(references, reference{kind, name})
		}
	}
	return references
}

// usedBy keeps what the paths refer to, directly or through other components. Security schemes, which are named without a
// reference, are kept too.
func (c components) usedBy(paths object) components {
	used := components{}
	for name, scheme := range c[securitySchemes] {
		used.set(reference{securitySchemes, name}, scheme)
	}
	var follow func(any)
	follow = func(tree any) {
		visit(tree, func(r reference) reference {
			if _, seen := used.get(r); !seen {
				if value, ok := c.get(r); ok {
					used.set(r, value)
					follow(value)
				}
			}
			return r
		})
	}
	follow(paths)
	return used
}

// clashes gives new names to components whose names already mean something else. A component that reads the same but refers to a
// renamed one means something else too, so the search goes on until nothing changes.
func (c components) clashes(service string, taken components) map[reference]reference {
	renames := map[reference]reference{}
	for changed := true; changed; {
		changed = false
		for _, r := range c.all() {
			if _, done := renames[r]; done || r.kind == securitySchemes {
				continue
			}
			other, clash := taken.get(r)
			if value, _ := c.get(r); clash && !reflect.DeepEqual(other, renamedCopy(value, renames)) {
				renames[r] = c.freshName(service, r, taken)
				changed = true
			}
		}
	}
	return renames
}

// freshName puts the service's name first, and a number last if even that is taken.
func (c components) freshName(service string, r reference, taken components) reference {
	prefix := []rune(service)
	prefix[0] = unicode.ToUpper(prefix[0])
	fresh := reference{r.kind, string(prefix) + r.name}
	for n := 2; ; n++ {
		_, elsewhere := taken.get(fresh)
		_, here := c.get(fresh)
		if !elsewhere && !here {
			return fresh
		}
		fresh.name = fmt.Sprintf("%s%s%d", string(prefix), r.name, n)
	}
}

func (c components) renamed(renames map[reference]reference) components {
	result := components{}
	for _, r := range c.all() {
		value, _ := c.get(r)
		rename(value, renames)
		if to, ok := renames[r]; ok {
			r = to
		}
		result.set(r, value)
	}
	return result
}

// absorb adds components that no longer clash.
func (c components) absorb(more components) error {
	for _, r := range more.all() {
		value, _ := more.get(r)
		if other, taken := c.get(r); taken && !reflect.DeepEqual(other, value) {
			return fmt.Errorf("%s differs from an earlier service's", r)
		}
		c.set(r, value)
	}
	return nil
}

// rename changes the references in a tree, in place.
func rename(tree any, renames map[reference]reference) {
	visit(tree, func(r reference) reference {
		if to, ok := renames[r]; ok {
			return to
		}
		return r
	})
}

func renamedCopy(tree any, renames map[reference]reference) any {
	copied := clone(tree)
	rename(copied, renames)
	return copied
}

func clone(tree any) any {
	switch node := tree.(type) {
	case object:
		copied := make(object, len(node))
		for name, value := range node {
			copied[name] = clone(value)
		}
		return copied
	case []any:
		copied := make([]any, len(node))
		for i, value := range node {
			copied[i] = clone(value)
		}
		return copied
	default:
		return tree
	}
}

// visit shows each reference in a tree to f and puts f's answer in its place. References stand under "$ref" and as the values of a
// discriminator's mapping.
func visit(tree any, f func(reference) reference) {
	switch node := tree.(type) {
	case object:
		for name, value := range node {
			if text, ok := value.(string); ok && name == "$ref" {
				node[name] = visitText(text, f)
				continue
			}
			if mapping, ok := value.(object); ok && name == "mapping" {
				for key, target := range mapping {
					if text, ok := target.(string); ok {
						mapping[key] = visitText(text, f)
					}
				}
			}
			visit(value, f)
		}
	case []any:
		for _, value := range node {
			visit(value, f)
		}
	}
}

func visitText(text string, f func(reference) reference) string {
	if r, ok := parseReference(text); ok {
		return f(r).String()
	}
	return text
}
