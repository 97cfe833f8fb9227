package search

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Bounds of a search, which are Typesense's where it has them.
const (
	maxQuery      = 4000
	maxPerPage    = 250
	maxQueryWords = 20
	maxFacets     = 100
	usualFacets   = 10
)

// unsupported are parameters that would change what is found, were they not refused.
var unsupported = []string{"group_by", "infix", "vector_query", "preset", "stopwords", "voice_query", "conversation", "override_tags", "split_join_tokens"}

// parameters are a search's as they came: by name, from the query or a body.
type parameters map[string]string

func atoi(text string) (int, error) { return strconv.Atoi(strings.TrimSpace(text)) }

func (p parameters) number(name string, usual, least, most int) (int, error) {
	text := strings.TrimSpace(p[name])
	if text == "" {
		return usual, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least {
		return 0, badRequest("Parameter `%s` must be an unsigned integer.", name)
	}
	if n > most {
		return 0, &failure{422, fmt.Sprintf("Only upto %d hits can be fetched per page.", most)}
	}
	return n, nil
}

// list cuts a parameter at its commas.
func (p parameters) list(name string) []string {
	var words []string
	for word := range strings.SplitSeq(p[name], ",") {
		if word = strings.TrimSpace(word); word != "" {
			words = append(words, word)
		}
	}
	return words
}

// read judges a search by a collection's schema.
func (c *collection) read(in parameters) (*params, error) {
	p := &params{
		q: in["q"], minLen1: 4, minLen2: 7, prioritizeExact: in["prioritize_exact_match"] != "false", enableOverrides: in["enable_overrides"] != "false",
		highlightStart: or(in["highlight_start_tag"], "<mark>"), highlightEnd: or(in["highlight_end_tag"], "</mark>"), facetQuery: in["facet_query"],
		include: in.list("include_fields"), exclude: in.list("exclude_fields"), highlightFields: in.list("highlight_fields"), highlightFull: in.list("highlight_full_fields"),
		hidden: in.list("hidden_hits"),
	}
	if _, given := in["q"]; !given {
		return nil, badRequest("Parameter `q` is required.")
	}
	if len(p.q) > maxQuery {
		return nil, badRequest("Query string exceeds max allowed length of %d.", maxQuery)
	}
	for _, step := range []func(parameters, *params) error{c.readPaging, c.readTypos, c.readFields, c.readRest} {
		if err := step(in, p); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func or(text, usual string) string {
	if text == "" {
		return usual
	}
	return text
}

func (c *collection) readPaging(in parameters, p *params) (err error) {
	size := or(in["per_page"], in["limit"])
	if p.perPage, err = (parameters{"per_page": size}).number("per_page", 10, 0, maxPerPage); err != nil {
		return err
	}
	if p.page, err = in.number("page", 1, 1, 1<<20); err != nil {
		return err
	}
	if p.offset, err = in.number("offset", (p.page-1)*p.perPage, 0, 1<<30); err != nil {
		return err
	}
	p.maxFacetValues, err = in.number("max_facet_values", usualFacets, 0, 10_000)
	return err
}

func (c *collection) readTypos(in parameters, p *params) (err error) {
	if p.minLen1, err = in.number("min_len_1typo", 4, 0, maxToken); err != nil {
		return err
	}
	if p.minLen2, err = in.number("min_len_2typo", 7, 0, maxToken); err != nil {
		return err
	}
	if p.typoThreshold, err = in.number("typo_tokens_threshold", 1, 0, 1<<30); err != nil {
		return err
	}
	p.dropThreshold, err = in.number("drop_tokens_threshold", 1, 0, 1<<30)
	return err
}

// each gives a parameter that may stand once for all fields or once for each.
func (p parameters) each(name, usual string, count int) ([]string, error) {
	words := p.list(name)
	switch len(words) {
	case 0:
		return slices.Repeat([]string{usual}, count), nil
	case 1:
		return slices.Repeat(words, count), nil
	case count:
		return words, nil
	}
	return nil, badRequest("Number of values in `%s` does not match number of `query_by` fields.", name)
}

func (c *collection) readFields(in parameters, p *params) error {
	names := in.list("query_by")
	if len(names) == 0 && p.q != "*" && p.q != "" {
		return badRequest("No search fields specified for the query.")
	}
	weights, err := in.each("query_by_weights", "0", len(names))
	if err != nil {
		return err
	}
	typos, err := in.each("num_typos", "2", len(names))
	if err != nil {
		return err
	}
	prefixes, err := in.each("prefix", "true", len(names))
	if err != nil {
		return err
	}
	for i, name := range names {
		f := c.field(name)
		if f == nil || f.pattern == nil && f.Name != name {
			return &failure{404, "Could not find a field named `" + name + "` in the schema."}
		}
		if !f.isText() || !f.indexed() {
			return badRequest("Field `%s` should be a string or a string array.", name)
		}
		weight, err := atoi(weights[i])
		if err != nil || weight < 0 || weight > 127 {
			return badRequest("Parameter `query_by_weights` must hold numbers from 0 to 127.")
		}
		if weight == 0 {
			weight = max(len(names)-i, 1) // the fields that are named first count more
		}
		most, err := atoi(typos[i])
		if err != nil || most < 0 || most > 2 {
			return badRequest("Value of `num_typos` must not be greater than 2.")
		}
		p.numTypos = max(p.numTypos, most)
		in := searched{field: f, name: name, weight: weight, typos: most, prefix: prefixes[i] != "false"}
		p.prefixGlobal = p.prefixGlobal || in.prefix
		p.by = append(p.by, in)
	}
	return nil
}

func (c *collection) readRest(in parameters, p *params) (err error) {
	if p.filter, err = c.parseFilters(in["filter_by"], in[fixedFilter]); err != nil {
		return err
	}
	if p.sort, err = c.parseSort(in["sort_by"]); err != nil {
		return err
	}
	if p.facets, err = c.parseFacets(in["facet_by"]); err != nil {
		return err
	}
	if len(p.facets) > maxFacets {
		return badRequest("More than %d facets.", maxFacets)
	}
	for _, name := range unsupported {
		if value := in[name]; value != "" && value != "off" && value != "false" {
			return notSupported(name, "")
		}
	}
	p.pinned, err = parsePins(in["pinned_hits"])
	return err
}
