package search

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// field is one of a collection's. Its JSON is Typesense's.
type field struct {
	Name     string `json:"name"`
	Type     string `json:"type"`
	Facet    bool   `json:"facet"`
	Optional bool   `json:"optional"`
	Index    *bool  `json:"index,omitempty"`
	Sort     *bool  `json:"sort,omitempty"`
	Infix    bool   `json:"infix"`
	Locale   string `json:"locale"`
	Drop     bool   `json:"drop,omitempty"`

	// What is asked by these is not done, and refused.
	Stem      bool   `json:"stem,omitempty"`
	Dimension int    `json:"num_dim,omitempty"`
	Reference string `json:"reference,omitempty"`
	Embed     any    `json:"embed,omitempty"`

	TokenSeparators []string `json:"token_separators,omitempty"`
	SymbolsToIndex  []string `json:"symbols_to_index,omitempty"`

	pattern             *regexp.Regexp // of a name that stands for many
	separators, symbols string
}

// schema describes a collection. Its JSON is Typesense's.
type schema struct {
	Name                string   `json:"name"`
	Fields              []field  `json:"fields"`
	DefaultSortingField string   `json:"default_sorting_field,omitempty"`
	TokenSeparators     []string `json:"token_separators,omitempty"`
	SymbolsToIndex      []string `json:"symbols_to_index,omitempty"`
	EnableNestedFields  bool     `json:"enable_nested_fields,omitempty"`
	Metadata            any      `json:"metadata,omitempty"`
	CreatedAt           int64    `json:"created_at"`
}

var (
	fieldTypes     = []string{"string", "string[]", "int32", "int32[]", "int64", "int64[]", "float", "float[]", "bool", "bool[]"}
	collectionName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._ -]{0,250}$`)
)

const maxFields = 500

// prepare checks a schema and makes it ready for use.
func (s *schema) prepare() error {
	if !collectionName.MatchString(s.Name) {
		return badRequest("Parameter `name` is required, and may hold letters, digits, hyphens, dots and underscores.")
	}
	if len(s.Fields) == 0 || len(s.Fields) > maxFields {
		return badRequest("The `fields` value should be an array of 1 to %d objects.", maxFields)
	}
	if s.EnableNestedFields {
		return notSupported("enable_nested_fields", "")
	}
	seen := map[string]bool{}
	for i := range s.Fields {
		f := &s.Fields[i]
		if err := f.prepare(s); err != nil {
			return err
		}
		if seen[f.Name] {
			return badRequest("There are duplicate field names in the schema.")
		}
		seen[f.Name] = true
	}
	if name := s.DefaultSortingField; name != "" {
		f := s.field(name)
		if f == nil {
			return badRequest("Default sorting field is defined as `%s` but is not found in the schema.", name)
		}
		if !f.isNumber() || f.isArray() {
			return badRequest("Default sorting field `%s` is not a sortable type.", name)
		}
		if f.Optional {
			return badRequest("Default sorting field `%s` cannot be an optional field.", name)
		}
	}
	return nil
}

func (f *field) prepare(s *schema) error {
	if f.Name == "" || f.Name == "id" || !slices.Contains(fieldTypes, f.Type) {
		return badRequest("Field `%s` has an invalid data type `%s`, see docs for supported data types.", f.Name, f.Type)
	}
	for what, wanted := range map[string]bool{"infix": f.Infix, "stem": f.Stem, "num_dim": f.Dimension != 0, "reference": f.Reference != "", "embed": f.Embed != nil} {
		if wanted {
			return notSupported(what, "Field `"+f.Name+"`: ")
		}
	}
	if strings.Contains(f.Name, ".*") {
		pattern, err := regexp.Compile("^(?:" + f.Name + ")$")
		if err != nil {
			return badRequest("Field `%s` is not a valid pattern.", f.Name)
		}
		f.pattern, f.Optional = pattern, true
	}
	f.separators = strings.Join(append(slices.Clone(s.TokenSeparators), f.TokenSeparators...), "")
	f.symbols = strings.Join(append(slices.Clone(s.SymbolsToIndex), f.SymbolsToIndex...), "")
	return nil
}

// field finds the field that a name belongs to: its own, else one whose pattern it matches.
func (s *schema) field(name string) *field {
	for i := range s.Fields {
		if f := &s.Fields[i]; f.pattern == nil && f.Name == name {
			return f
		}
	}
	for i := range s.Fields {
		if f := &s.Fields[i]; f.pattern != nil && f.pattern.MatchString(name) {
			return f
		}
	}
	return nil
}

func (f *field) isText() bool   { return strings.HasPrefix(f.Type, "string") }
func (f *field) isBool() bool   { return strings.HasPrefix(f.Type, "bool") }
func (f *field) isNumber() bool { return !f.isText() && !f.isBool() }
func (f *field) isArray() bool  { return strings.HasSuffix(f.Type, "[]") }
func (f *field) indexed() bool  { return f.Index == nil || *f.Index }

// shown is the schema as the API answers it.
func (s *schema) shown(documents int) map[string]any {
	fields := make([]map[string]any, 0, len(s.Fields))
	for _, f := range s.Fields {
		sortable := f.isNumber() || f.isBool()
		if f.Sort != nil {
			sortable = *f.Sort
		}
		fields = append(fields, map[string]any{"name": f.Name, "type": f.Type, "facet": f.Facet, "optional": f.Optional, "index": f.indexed(), "sort": sortable,
			"infix": f.Infix, "locale": f.Locale, "stem": false, "store": true})
	}
	answer := map[string]any{"name": s.Name, "fields": fields, "default_sorting_field": s.DefaultSortingField, "num_documents": documents, "created_at": s.CreatedAt,
		"enable_nested_fields": false, "symbols_to_index": orEmpty(s.SymbolsToIndex), "token_separators": orEmpty(s.TokenSeparators)}
	if s.Metadata != nil {
		answer["metadata"] = s.Metadata
	}
	return answer
}

func orEmpty(words []string) []string {
	if words == nil {
		return []string{}
	}
	return words
}

// failure is an answer that says no, in Typesense's words.
type failure struct {
	status  int
	message string
}

func (f *failure) Error() string { return f.message }

// unsupportedError is a failure about a parameter or an attribute that Typesense has and this engine does not.
type unsupportedError struct {
	*failure
	name string
}

func (e *unsupportedError) Unwrap() error { return e.failure }

// notSupported returns an *unsupportedError; where is the beginning of its text.
func notSupported(name, where string) error {
	return &unsupportedError{&failure{400, where + "`" + name + "` is not supported by this engine."}, name}
}

func badRequest(format string, args ...any) error { return &failure{400, fmt.Sprintf(format, args...)} }
func notFound(format string, args ...any) error   { return &failure{404, fmt.Sprintf(format, args...)} }
func conflict(format string, args ...any) error   { return &failure{409, fmt.Sprintf(format, args...)} }
