package search

import (
	"bytes"
	"encoding/json"
	"math"
)

// document is one of a collection's, with its values ready to be indexed.
type document struct {
	id     string
	source json.RawMessage
	// texts are the values of text fields, numbers those of number and truth fields (1 and 0), by the field's name in the document.
	texts   map[string][]string
	numbers map[string][]float64
}

const maxDocument = 1 << 20

// read judges a document that comes in by a schema.
func (s *schema) read(text []byte) (*document, error) {
	if len(text) > maxDocument {
		return nil, badRequest("Document is larger than %d bytes.", maxDocument)
	}
	d, err := s.parse(text)
	if err != nil {
		return nil, err
	}
	var short bytes.Buffer
	if err := json.Compact(&short, text); err != nil {
		return nil, badRequest("Bad JSON.")
	}
	d.source = short.Bytes()
	return d, nil
}

// parse takes the values of a document apart.
func (s *schema) parse(text []byte) (*document, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var members map[string]any
	if err := decoder.Decode(&members); err != nil || members == nil {
		return nil, badRequest("Bad JSON.")
	}
	d := &document{texts: map[string][]string{}, numbers: map[string][]float64{}}
	id, isText := members["id"].(string)
	if !isText || id == "" {
		return nil, badRequest("Document's `id` field should be a string.")
	}
	d.id = id
	for i := range s.Fields {
		if f := &s.Fields[i]; f.pattern == nil {
			if value, there := members[f.Name]; (!there || value == nil) && !f.Optional {
				return nil, badRequest("Field `%s` has been declared in the schema, but is not found in the document.", f.Name)
			}
		}
	}
	for name, value := range members {
		f := s.field(name)
		if f == nil || value == nil || name == "id" {
			continue
		}
		if err := d.take(f, name, value); err != nil {
			return nil, err
		}
	}
	return d, nil
}

func (d *document) take(f *field, name string, value any) error {
	values := []any{value}
	if f.isArray() {
		list, isList := value.([]any)
		if !isList {
			return badRequest("Field `%s` must be an array.", name)
		}
		values = list
	}
	for _, each := range values {
		switch v := each.(type) {
		case string:
			if !f.isText() {
				return badRequest("Field `%s` must be a%s.", name, kindOf(f))
			}
			d.texts[name] = append(d.texts[name], v)
		case bool:
			if !f.isBool() {
				return badRequest("Field `%s` must be a%s.", name, kindOf(f))
			}
			number := 0.0
			if v {
				number = 1
			}
			d.numbers[name] = append(d.numbers[name], number)
		case json.Number:
			number, err := v.Float64()
			if err != nil || !f.isNumber() || f.Type[0] == 'i' && number != math.Trunc(number) {
				return badRequest("Field `%s` must be a%s.", name, kindOf(f))
			}
			d.numbers[name] = append(d.numbers[name], number)
		default:
			return badRequest("Field `%s` must be a%s.", name, kindOf(f))
		}
	}
	return nil
}

func kindOf(f *field) string {
	article := " "
	if f.Type[0] == 'i' {
		article = "n "
	}
	if f.isArray() {
		return "n array of " + f.Type[:len(f.Type)-2]
	}
	return article + f.Type
}

// merged gives a document with some members replaced.
func merged(before json.RawMessage, change []byte) ([]byte, error) {
	var members, changes map[string]json.RawMessage
	if err := json.Unmarshal(before, &members); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(change, &changes); err != nil || changes == nil {
		return nil, badRequest("Bad JSON.")
	}
	for name, value := range changes {
		if string(value) == "null" {
			delete(members, name)
		} else {
			members[name] = value
		}
	}
	return json.Marshal(members)
}
