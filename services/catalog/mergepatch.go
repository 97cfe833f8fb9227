package catalog

import (
	"bytes"
	"encoding/json"
	"io"

	"github.com/meridian-store/meridian/contract"
)

// MergePatch applies a JSON merge patch (RFC 7396) to a document. Numbers keep all their digits.
func MergePatch(document, patch []byte) ([]byte, error) {
	target, err := decodeJSON(document)
	if err != nil {
		return nil, err
	}
	change, err := decodeJSON(patch)
	if err != nil {
		return nil, err
	}
	merged, err := json.Marshal(merge(target, change))
	if err != nil {
		return nil, contract.Errorf(contract.CodeInvalid, "the patched document cannot be written")
	}
	return merged, nil
}

// merge is the function MergePatch of RFC 7396, section 2.
func merge(target, patch any) any {
	members, isObject := patch.(map[string]any)
	if !isObject {
		return patch
	}
	object, isObject := target.(map[string]any)
	if !isObject {
		object = map[string]any{}
	}
	for name, value := range members {
		if value == nil {
			delete(object, name)
		} else {
			object[name] = merge(object[name], value)
		}
	}
	return object
}

func decodeJSON(text []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, contract.Errorf(contract.CodeInvalid, "the body is not JSON")
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, contract.Errorf(contract.CodeInvalid, "the body is more than one JSON value")
	}
	return value, nil
}
