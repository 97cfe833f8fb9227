package search

import (
	"strings"
	"unicode"

	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"
)

// maxToken bounds a word: longer ones are cut, as nobody types them.
const maxToken = 100

// wordsOf cuts a text into words as Typesense does: at white space and at the separators that a field names; other signs are taken out of a
// word, unless a field wants them indexed. Case and accents do not count.
func wordsOf(text string, f *field) []string {
	var words []string
	for _, at := range cut(text, f) {
		words = append(words, at.word)
	}
	return words
}

// placed is a word and where it stands in the text, in bytes.
type placed struct {
	word       string
	start, end int
}

func cut(text string, f *field) []placed {
	var found []placed
	start := -1
	flush := func(end int) {
		if start < 0 {
			return
		}
		if word := fold(text[start:end], f); word != "" {
			found = append(found, placed{word, start, end})
		}
		start = -1
	}
	for i, r := range text {
		if unicode.IsSpace(r) || f != nil && strings.ContainsRune(f.separators, r) {
			flush(i)
		} else if start < 0 {
			start = i
		}
	}
	flush(len(text))
	return found
}

// fold gives the form of a word by which it is found.
func fold(word string, f *field) string {
	plain := true
	for i := range len(word) {
		c := word[i]
		if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9') {
			plain = false
			break
		}
	}
	if !plain {
		if stripped, _, err := transform.String(transform.Chain(norm.NFD, runes.Remove(runes.In(unicode.Mn)), norm.NFC), word); err == nil {
			word = stripped
		}
		var out strings.Builder
		for _, r := range strings.ToLower(word) {
			if unicode.IsLetter(r) || unicode.IsNumber(r) || f != nil && strings.ContainsRune(f.symbols, r) {
				out.WriteRune(r)
			}
		}
		word = out.String()
	}
	if len(word) > maxToken {
		word = strings.ToValidUTF8(word[:maxToken], "")
	}
	return word
}

// distance is how many letters have to be put in, left out, exchanged or swapped with their neighbour to make one word of another; most+1
// when it is more than most. As a prefix, the other word may go on.
func distance(word, other []rune, most int, prefix bool) int {
	if !prefix && (len(word)-len(other) > most || len(other)-len(word) > most) || len(word)-len(other) > most {
		return most + 1
	}
	columns := len(word) + 1
	before2, before, now := make([]int, columns), make([]int, columns), make([]int, columns)
	for i := range before {
		before[i] = i
	}
	best := before[len(word)]
	for j := 1; j <= len(other); j++ {
		now[0] = j
		least := now[0]
		for i := 1; i <= len(word); i++ {
			cost := 1
			if word[i-1] == other[j-1] {
				cost = 0
			}
			now[i] = min(before[i]+1, now[i-1]+1, before[i-1]+cost)
			if i > 1 && j > 1 && word[i-1] == other[j-2] && word[i-2] == other[j-1] {
				now[i] = min(now[i], before2[i-2]+1)
			}
			least = min(least, now[i])
		}
		best = min(best, now[len(word)])
		if least > most {
			break
		}
		before2, before, now = before, now, before2
		if j == len(other) && !prefix {
			return min(before[len(word)], most+1)
		}
	}
	if !prefix {
		if len(other) == 0 {
			return min(len(word), most+1)
		}
		return most + 1
	}
	return min(best, most+1)
}

// typosFor is how many typos a word of a length may hold: none in short ones.
func typosFor(length int, p *params) int {
	switch {
	case length >= p.minLen2:
		return min(2, p.numTypos)
	case length >= p.minLen1:
		return min(1, p.numTypos)
	default:
		return 0
	}
}
