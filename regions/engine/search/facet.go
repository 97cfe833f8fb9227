package search

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// facetBy is a field whose values are counted; with ranges, how many values lie in each.
type facetBy struct {
	name   string
	field  *field
	ranges []facetRange
}

type facetRange struct {
	label     string
	low, high float64 // high is not in it
}

var (
	facetPart  = regexp.MustCompile(`^([^()]+?)(?:\((.*)\))?$`)
	rangeParts = regexp.MustCompile(`([^:,\[\]]+):\s*\[\s*([0-9.\-]*)\s*,\s*([0-9.\-]*)\s*\]`)
)

// parseFacets reads facet_by: fields, and label:[low, high] for ranges of a number.
func (s *schema) parseFacets(text string) ([]facetBy, error) {
	var facets []facetBy
	for _, part := range splitOutside(text) {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		pieces := facetPart.FindStringSubmatch(part)
		if pieces == nil {
			return nil, badRequest("Parameter `facet_by` is malformed.")
		}
		name := strings.TrimSpace(pieces[1])
		f := s.field(name)
		if f == nil || !f.Facet {
			return nil, notFoundField("facet", name)
		}
		by := facetBy{name: name, field: f}
		for _, r := range rangeParts.FindAllStringSubmatch(pieces[2], -1) {
			low, lowErr := bound(r[2], "-inf")
			high, highErr := bound(r[3], "inf")
			if lowErr != nil || highErr != nil || !f.isNumber() {
				return nil, badRequest("Error splitting the facet range values.")
			}
			by.ranges = append(by.ranges, facetRange{strings.TrimSpace(r[1]), low, high})
		}
		facets = append(facets, by)
	}
	return facets, nil
}

func bound(text, open string) (float64, error) {
	if text == "" {
		text = open
	}
	return strconv.ParseFloat(text, 64)
}

// splitOutside cuts at the commas that stand in no parentheses.
func splitOutside(text string) []string {
	var parts []string
	depth, start := 0, 0
	for i := range len(text) {
		switch text[i] {
		case '(':
			depth++
		case ')':
			depth--
		case ',':
			if depth == 0 {
				parts, start = append(parts, text[start:i]), i+1
			}
		}
	}
	return append(parts, text[start:])
}

// count counts a facet over what was found.
func (c *collection) count(by facetBy, found []scored, p *params) map[string]any {
	counts := map[string]int{}
	var sum, least, most float64
	numbers := 0
	for _, s := range found {
		d := c.slots[s.slot]
		if by.field.isText() {
			for _, value := range distinct(d.texts[by.name]) {
				counts[value]++
			}
			continue
		}
		for _, value := range d.numbers[by.name] {
			if numbers == 0 {
				least, most = value, value
			}
			least, most, sum, numbers = min(least, value), max(most, value), sum+value, numbers+1
			if label := by.label(value); label != "" {
				counts[label]++
			}
		}
	}
	wanted := facetWord(p.facetQuery, by.name)
	type counted struct {
		value string
		count int
	}
	list := make([]counted, 0, len(counts))
	for value, n := range counts {
		if wanted == "" || strings.HasPrefix(strings.ToLower(value), wanted) {
			list = append(list, counted{value, n})
		}
	}
	slices.SortFunc(list, func(a, b counted) int { return cmp.Or(cmp.Compare(b.count, a.count), cmp.Compare(a.value, b.value)) })
	shown := make([]map[string]any, 0, min(len(list), p.maxFacetValues))
	for _, each := range list[:min(len(list), p.maxFacetValues)] {
		shown = append(shown, map[string]any{"value": each.value, "highlighted": each.value, "count": each.count})
	}
	stats := map[string]any{"total_values": len(list)}
	if numbers > 0 {
		stats["min"], stats["max"], stats["sum"], stats["avg"] = least, most, sum, sum/float64(numbers)
	}
	return map[string]any{"field_name": by.name, "counts": shown, "sampled": false, "stats": stats}
}

func distinct(values []string) []string {
	if len(values) < 2 {
		return values
	}
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	return slices.Compact(sorted)
}

// label names a number's range, or writes it as the document does.
func (by facetBy) label(value float64) string {
	for _, r := range by.ranges {
		if value >= r.low && value < r.high {
			return r.label
		}
	}
	switch {
	case len(by.ranges) > 0:
		return ""
	case by.field.isBool():
		return strconv.FormatBool(value == 1)
	default:
		return strconv.FormatFloat(value, 'f', -1, 64)
	}
}

// facetWord reads facet_query: field:word.
func facetWord(query, name string) string {
	field, word, _ := strings.Cut(query, ":")
	if strings.TrimSpace(field) != name {
		return ""
	}
	return strings.ToLower(strings.TrimSpace(word))
}
