package search

import (
	"html"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// language tells how words of a language are read.
type language struct {
	stem func(word string) string
	// silent are words that say nothing of what is looked for.
	silent map[string]bool
}

var english = language{stem: englishStem, silent: setOf("a", "an", "and", "at", "by", "for", "from", "in", "of", "on", "or", "the", "to", "with")}

// speaks gives a language by its subtag; words of one that is not known are taken as they are.
func speaks(tag string) language {
	if tag == "en" {
		return english
	}
	return language{stem: func(word string) string { return word }}
}

// stems gives the words of a text as they are indexed and looked for.
func (l language) stems(text string) []string {
	var stems []string
	for _, word := range wordsOf(text) {
		stems = append(stems, l.stem(word))
	}
	return stems
}

// asked gives what of a query is looked for: without silent words, unless there are no others.
func (l language) asked(query string) []string {
	words := wordsOf(query)
	telling := slices.DeleteFunc(slices.Clone(words), func(word string) bool { return l.silent[word] })
	if len(telling) == 0 {
		telling = words
	}
	for i, word := range telling {
		telling[i] = l.stem(word)
	}
	return telling
}

// wordsOf splits a text into words of lower-case letters and digits. Accents are dropped, and so are apostrophes: a chef's knife is a
// "chefs knife". A hyphen parts two words.
func wordsOf(text string) []string {
	return strings.FieldsFunc(foldText(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

func foldText(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) || r == '\'' || r == '’' {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFD.String(text))
}

// irregular holds plurals that no rule below makes right.
var irregular = map[string]string{
	"knives": "knife", "scarves": "scarf", "shelves": "shelf", "leaves": "leaf", "men": "man", "women": "woman", "mens": "man",
	"womens": "woman", "mans": "man", "womans": "woman", "children": "child", "feet": "foot", "shoes": "shoe", "geese": "goose",
	"tees": "tee", "lotions": "lotion", "series": "series",
}

// englishStem gives the singular of a word, or what takes its place on both sides: it only has to be the same for both numbers.
func englishStem(word string) string {
	if single, known := irregular[word]; known {
		return single
	}
	switch {
	case len(word) < 4, strings.HasSuffix(word, "ss"), strings.HasSuffix(word, "us"), strings.HasSuffix(word, "is"), word == "canvas":
		return word
	case strings.HasSuffix(word, "ies") && len(word) > 4:
		return strings.TrimSuffix(word, "ies") + "y"
	case hasAnySuffix(word, "sses", "shes", "ches", "xes", "zes"):
		return strings.TrimSuffix(word, "es")
	}
	return strings.TrimSuffix(word, "s")
}

func hasAnySuffix(word string, endings ...string) bool {
	return slices.ContainsFunc(endings, func(ending string) bool { return strings.HasSuffix(word, ending) })
}

// plainText gives the words of HTML that was sanitised: what stands between its tags.
func plainText(source string) string {
	var text strings.Builder
	for source != "" {
		before, rest, tag := strings.Cut(source, "<")
		text.WriteString(before)
		text.WriteByte(' ')
		if !tag {
			break
		}
		_, source, _ = strings.Cut(rest, ">")
	}
	return html.UnescapeString(text.String())
}

// marked writes a text as HTML that is safe on any page, with those words in mark elements whose stems are wanted.
func (l language) marked(text string, wanted func(stem string) bool) (string, bool) {
	var out strings.Builder
	any := false
	inWord := func(r rune) bool {
		return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.Mn, r) || r == '\'' || r == '’'
	}
	for len(text) > 0 {
		size := strings.IndexFunc(text, func(r rune) bool { return !inWord(r) })
		if size < 0 {
			size = len(text)
		}
		if size == 0 {
			size = strings.IndexFunc(text, inWord)
			if size < 0 {
				size = len(text)
			}
			out.WriteString(html.EscapeString(text[:size]))
			text = text[size:]
			continue
		}
		stems := l.stems(text[:size])
		if len(stems) == 1 && wanted(stems[0]) {
			out.WriteString("<mark>" + html.EscapeString(text[:size]) + "</mark>")
			any = true
		} else {
			out.WriteString(html.EscapeString(text[:size]))
		}
		text = text[size:]
	}
	return out.String(), any
}

func setOf(words ...string) map[string]bool {
	set := map[string]bool{}
	for _, word := range words {
		set[word] = true
	}
	return set
}
