package search

import (
	"cmp"
	"math"
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

// counted is a value of a facet and how many of the documents have it.
type counted struct {
	value string
	count int
}

// count counts a facet over what was found.
func (c *collection) count(by facetBy, found []scored, p *params) map[string]any {
	var list []counted
	stats := map[string]any{}
	if by.field.isText() {
		list = countLabels(c.texts[by.name], found)
	} else {
		list = by.countNumbers(c.numbers[by.name], found, stats)
	}
	if wanted := facetWord(p.facetQuery, by.name); wanted != "" {
		list = slices.DeleteFunc(list, func(each counted) bool { return !strings.HasPrefix(strings.ToLower(each.value), wanted) })
	}
	slices.SortFunc(list, func(a, b counted) int { return cmp.Or(cmp.Compare(b.count, a.count), cmp.Compare(a.value, b.value)) })
	shown := make([]map[string]any, 0, min(len(list), p.maxFacetValues))
	for _, each := range list[:min(len(list), p.maxFacetValues)] {
		shown = append(shown, map[string]any{"value": each.value, "highlighted": each.value, "count": each.count})
	}
	stats["total_values"] = len(list)
	return map[string]any{"field_name": by.name, "counts": shown, "sampled": false, "stats": stats}
}

func countLabels(x *textIndex, found []scored) []counted {
	if x == nil || x.labels == nil {
		return nil
	}
	counts := make([]int, len(x.labels.names))
	for _, s := range found {
		if int(s.slot) < len(x.labels.held) {
			for _, number := range x.labels.held[s.slot] {
				counts[number]++
			}
		}
	}
	var list []counted
	for number, n := range counts {
		if n > 0 {
			list = append(list, counted{x.labels.names[number], n})
		}
	}
	return list
}

// countNumbers counts values, or ranges of them, and adds what they come to.
func (by facetBy) countNumbers(column *numbers, found []scored, stats map[string]any) []counted {
	if column == nil {
		return nil
	}
	ranges := make([]int, len(by.ranges))
	values := map[float64]int{}
	least, most, sum, n := math.Inf(1), math.Inf(-1), 0.0, 0
	for _, s := range found {
		for _, value := range column.all(s.slot) {
			least, most, sum, n = min(least, value), max(most, value), sum+value, n+1
			if len(by.ranges) == 0 {
				values[value]++
			}
			for i, r := range by.ranges {
				if value >= r.low && value < r.high {
					ranges[i]++
					break
				}
			}
		}
	}
	if n > 0 && !by.field.isBool() {
		stats["min"], stats["max"], stats["sum"], stats["avg"] = least, most, sum, sum/float64(n)
	}
	var list []counted
	for i, n := range ranges {
		if n > 0 {
			list = append(list, counted{by.ranges[i].label, n})
		}
	}
	for value, n := range values {
		list = append(list, counted{by.label(value), n})
	}
	return list
}

func distinct(values []string) []string {
	if len(values) < 2 {
		return values
	}
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	return slices.Compact(sorted)
}

// label writes a value as the document does.
func (by facetBy) label(value float64) string {
	if by.field.isBool() {
		return strconv.FormatBool(value == 1)
	}
	return strconv.FormatFloat(value, 'f', -1, 64)
}

// facetWord reads facet_query: field:word.
func facetWord(query, name string) string {
	field, word, _ := strings.Cut(query, ":")
	if strings.TrimSpace(field) != name {
		return ""
	}
	return strings.ToLower(strings.TrimSpace(word))
}
