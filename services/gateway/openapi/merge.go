// Package openapi joins the services' OpenAPI 3.1 documents into the one that the public reads, and makes a page of it.
package openapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Source is one service's document as the service serves it.
type Source struct {
	Service  string
	Document []byte
}

// Public says whether an operation of a service can be reached from outside; method is upper case, path a template such as
// /api/v1/products/{id}.
type Public func(service, method, path string) bool

// object is a JSON object of a document whose shape we do not need to know.
type object = map[string]any

// operationKeys are the members of a path item that are operations (OpenAPI 3.1, section 4.8.9).
var operationKeys = []string{"get", "put", "post", "delete", "options", "head", "patch", "trace"}

// Merge joins documents into one. Operations that are not public disappear, with the components that only they used. Where two
// services give one component name to different things, the later service's is renamed with the service's name before it; so the
// order of sources decides names and should not change. unavailable names services whose documents are missing.
func Merge(sources []Source, public Public, unavailable []string) ([]byte, error) {
	joined := newJoined()
	for _, source := range sources {
		document, err := decode(source.Document)
		if err != nil {
			return nil, fmt.Errorf("read the OpenAPI document of %s: %w", source.Service, err)
		}
		if err := joined.add(source.Service, document, public); err != nil {
			return nil, fmt.Errorf("merge the OpenAPI document of %s: %w", source.Service, err)
		}
	}
	body, err := json.Marshal(joined.document(unavailable))
	if err != nil {
		return nil, fmt.Errorf("write the merged OpenAPI document: %w", err)
	}
	return body, nil
}

func decode(data []byte) (object, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	// A float would spoil limits such as a maximum of 9223372036854775807.
	decoder.UseNumber()
	var document object
	if err := decoder.Decode(&document); err != nil {
		return nil, err
	}
	if version, _ := document["openapi"].(string); !strings.HasPrefix(version, "3.1.") {
		return nil, fmt.Errorf("its version is %q, not 3.1", document["openapi"])
	}
	return document, nil
}

// joined is the document so far.
type joined struct {
	paths      object
	components components
	operations map[string]bool
	tags       map[string]any
}

func newJoined() *joined {
	return &joined{paths: object{}, components: components{}, operations: map[string]bool{}, tags: object{}}
}

func (j *joined) add(service string, document object, public Public) error {
	paths := publicPaths(service, child(document, "paths"), public)
	own := componentsOf(document).usedBy(paths)
	renames := own.clashes(service, j.components)
	rename(paths, renames)
	own = own.renamed(renames)
	if err := j.components.absorb(own); err != nil {
		return err
	}
	for path, item := range paths {
		j.takePath(service, path, item.(object))
	}
	tags, _ := document["tags"].([]any)
	for _, tag := range tags {
		if named, ok := tag.(object); ok {
			if name, ok := named["name"].(string); ok {
				j.tags[name] = tag
			}
		}
	}
	return nil
}

// takePath adds the operations of one path; two services may share a path when each answers other methods.
func (j *joined) takePath(service, path string, item object) {
	for _, key := range operationKeys {
		operation, ok := item[key].(object)
		if !ok {
			continue
		}
		if id, ok := operation["operationId"].(string); ok {
			if j.operations[id] {
				id = service + "-" + id
				operation["operationId"] = id
			}
			j.operations[id] = true
		}
		if tags, _ := operation["tags"].([]any); len(tags) == 0 {
			operation["tags"] = []any{service}
		}
	}
	target := child(j.paths, path)
	maps.Copy(target, item)
	j.paths[path] = target
}

// publicPaths keeps the operations that can be reached. What it keeps belongs to the caller.
func publicPaths(service string, paths object, public Public) object {
	kept := object{}
	for path, value := range paths {
		item, ok := value.(object)
		if !ok {
			continue
		}
		operations := 0
		for _, key := range operationKeys {
			if _, ok := item[key]; !ok {
				continue
			}
			if public(service, strings.ToUpper(key), path) {
				operations++
			} else {
				delete(item, key)
			}
		}
		if operations > 0 {
			kept[path] = item
		}
	}
	return kept
}

func (j *joined) document(unavailable []string) object {
	document := object{
		"openapi": "3.1.0",
		"info": object{
			"title": "Meridian", "version": "1.0.0",
			"description": "The public API of a storefront that runs as equal, independent regions. Errors are problem documents (RFC 9457).",
		},
		"servers":    []any{object{"url": "/"}},
		"paths":      j.paths,
		"components": j.components,
	}
	if len(j.tags) > 0 {
		var tags []any
		for _, name := range slices.Sorted(maps.Keys(j.tags)) {
			tags = append(tags, j.tags[name])
		}
		document["tags"] = tags
	}
	if len(unavailable) > 0 {
		document["x-unavailable"] = unavailable
	}
	return document
}

// child gives a member that is an object, an empty one when it is not.
func child(parent object, name string) object {
	if found, ok := parent[name].(object); ok {
		return found
	}
	return object{}
}
