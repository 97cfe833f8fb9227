package ddl

import (
	"regexp"
	"strings"
)

// token is one word, string, quoted name or sign of SQL.
type token struct{ text string }

// is reports whether the token is a keyword, in any case of letters.
func (t token) is(word string) bool { return strings.EqualFold(t.text, word) }

// name returns the token as the name of a table or column: quoted names keep their letters, others are lower case.
func (t token) name() string {
	if unquoted, quoted := strings.CutPrefix(t.text, `"`); quoted {
		return strings.ReplaceAll(strings.TrimSuffix(unquoted, `"`), `""`, `"`)
	}
	return strings.ToLower(t.text)
}

// lexeme matches comments and blanks (which are dropped), strings, quoted names, words, and any other sign.
var lexeme = regexp.MustCompile(`(?s)--[^\n]*|/\*.*?\*/|\s+|'(?:[^']|'')*'|"(?:[^"]|"")*"|[A-Za-z0-9_]+|.`)

func tokens(script string) (all []token) {
	for _, text := range lexeme.FindAllString(script, -1) {
		if strings.TrimSpace(text) != "" && !strings.HasPrefix(text, "--") && !strings.HasPrefix(text, "/*") {
			all = append(all, token{text})
		}
	}
	return all
}

// statements parts tokens at semicolons.
func statements(all []token) [][]token { return part(all, ";") }

// split parts tokens at the commas outside parentheses.
func split(all []token) [][]token { return part(all, ",") }

func part(all []token, separator string) (parts [][]token) {
	depth, start := 0, 0
	for i, token := range all {
		switch token.text {
		case "(":
			depth++
		case ")":
			depth--
		case separator:
			if depth == 0 {
				parts = append(parts, all[start:i])
				start = i + 1
			}
		}
	}
	return append(parts, all[start:])
}

// inner returns what stands between the first parenthesis and the one that closes it.
func inner(all []token) []token {
	depth := 0
	for i, token := range all {
		switch token.text {
		case "(":
			depth++
		case ")":
			if depth--; depth == 0 {
				return all[1:i]
			}
		}
	}
	return all[1:]
}
