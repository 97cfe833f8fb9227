package search

import (
	"strings"
)

// snippetWindow is how many characters of a long text stand on either side of the first word that was found.
const snippetWindow = 60

// highlight shows where a document holds the words by which it was found, as Typesense does in two shapes: a list, and by field.
func (c *collection) highlight(s scored, p *params) (list []map[string]any, byField map[string]any, err error) {
	list, byField = []map[string]any{}, map[string]any{}
	if len(p.readings) == 0 || s.text == 0 {
		return list, byField, nil
	}
	words := p.readings[s.reading]
	d, err := c.schema.parse(c.slots[s.slot].source)
	if err != nil {
		return nil, nil, err
	}
	names := p.highlightFields
	if len(names) == 0 {
		for _, in := range p.by {
			names = append(names, in.name)
		}
	}
	for _, name := range names {
		f := c.field(name)
		if f == nil || !f.isText() {
			continue
		}
		full := contains(p.highlightFull, name)
		if f.isArray() {
			entry, shapes := c.highlightArray(d.texts[name], f, words, full, p)
			if entry != nil {
				entry["field"] = name
				list, byField[name] = append(list, entry), shapes
			}
			continue
		}
		for _, text := range d.texts[name] {
			snippet, whole, marked := mark(text, f, words, p)
			if len(marked) == 0 {
				continue
			}
			entry := map[string]any{"field": name, "snippet": snippet, "matched_tokens": marked}
			shape := map[string]any{"snippet": snippet, "matched_tokens": marked}
			if full {
				entry["value"], shape["value"] = whole, whole
			}
			list, byField[name] = append(list, entry), shape
		}
	}
	return list, byField, nil
}

func (c *collection) highlightArray(values []string, f *field, wanted []string, full bool, p *params) (entry map[string]any, shapes []map[string]any) {
	var indices []int
	var snippets, wholes []string
	var tokens [][]string
	for i, value := range values {
		snippet, whole, words := mark(value, f, wanted, p)
		if len(words) == 0 {
			continue
		}
		indices, snippets, wholes, tokens = append(indices, i), append(snippets, snippet), append(wholes, whole), append(tokens, words)
		shape := map[string]any{"snippet": snippet, "matched_tokens": words}
		if full {
			shape["value"] = whole
		}
		shapes = append(shapes, shape)
	}
	if len(indices) == 0 {
		return nil, nil
	}
	entry = map[string]any{"indices": indices, "snippets": snippets, "matched_tokens": tokens}
	if full {
		entry["values"] = wholes
	}
	return entry, shapes
}

// mark puts the signs around the words of a text that match, and gives a part of it, all of it, and the words as they stand there.
func mark(text string, f *field, wanted []string, p *params) (snippet, whole string, words []string) {
	var out strings.Builder
	at, firstMark := 0, -1
	for _, each := range cut(text, f) {
		if !matchesAny(each.word, wanted, p) {
			continue
		}
		if firstMark < 0 {
			firstMark = each.start
		}
		out.WriteString(text[at:each.start])
		out.WriteString(p.highlightStart)
		out.WriteString(text[each.start:each.end])
		out.WriteString(p.highlightEnd)
		at = each.end
		words = append(words, text[each.start:each.end])
	}
	if firstMark < 0 {
		return "", "", nil
	}
	out.WriteString(text[at:])
	whole = out.String()
	if len(text) <= 2*snippetWindow {
		return whole, whole, words
	}
	part, _, _ := markPart(text, firstMark, f, wanted, p)
	return part, whole, words
}

// markPart marks the piece of a long text around its first match.
func markPart(text string, around int, f *field, wanted []string, p *params) (string, string, []string) {
	start, end := max(around-snippetWindow, 0), min(around+snippetWindow, len(text))
	if start > 0 {
		if space := strings.IndexByte(text[start:around], ' '); space >= 0 {
			start += space + 1
		} else {
			start = around
		}
	}
	if end < len(text) {
		if space := strings.LastIndexByte(text[around:end], ' '); space > 0 {
			end = around + space
		}
	}
	piece := strings.ToValidUTF8(text[start:end], "")
	if len(piece) >= len(text) || len(piece) > 2*snippetWindow {
		piece = strings.ToValidUTF8(piece[:min(len(piece), 2*snippetWindow)], "")
	}
	return mark(piece, f, wanted, p)
}

// matchesAny says whether a word of a text is one that was looked for, begins as the last of them, or differs by the typos that are allowed.
func matchesAny(word string, wanted []string, p *params) bool {
	letters := []rune(word)
	for i, each := range wanted {
		if word == each || i == len(wanted)-1 && p.prefixGlobal && strings.HasPrefix(word, each) {
			return true
		}
		if most := typosFor(len([]rune(each)), p); most > 0 && distance([]rune(each), letters, most, i == len(wanted)-1 && p.prefixGlobal) <= most {
			return true
		}
	}
	return false
}

func contains(words []string, word string) bool {
	for _, each := range words {
		if each == word {
			return true
		}
	}
	return false
}
