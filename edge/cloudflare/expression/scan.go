package expression

import "strings"

type tokenKind int

const (
	tokenEnd tokenKind = iota
	tokenWord
	tokenString
)

type token struct {
	kind tokenKind
	text string
	at   int
}

// scan cuts an expression into words, signs and texts.
func scan(text string) ([]token, error) {
	var tokens []token
	for at := 0; at < len(text); {
		rest := text[at:]
		switch c := rest[0]; {
		case c == ' ' || c == '\n' || c == '\t' || c == '\r':
			at++
		case c == '"':
			content, length, ok := quoted(rest[1:])
			if !ok {
				return nil, &SyntaxError{at, "a text has no closing quote, or an unknown escape"}
			}
			tokens = append(tokens, token{tokenString, content, at})
			at += 1 + length
		case strings.HasPrefix(rest, `r"`):
			end := strings.IndexByte(rest[2:], '"')
			if end < 0 {
				return nil, &SyntaxError{at, "a text has no closing quote"}
			}
			tokens = append(tokens, token{tokenString, rest[2 : 2+end], at})
			at += end + 3
		case strings.HasPrefix(rest, "&&") || strings.HasPrefix(rest, "||") || strings.HasPrefix(rest, "==") || strings.HasPrefix(rest, "!="):
			tokens = append(tokens, token{tokenWord, rest[:2], at})
			at += 2
		case strings.IndexByte("(){},!", c) >= 0:
			tokens = append(tokens, token{tokenWord, rest[:1], at})
			at++
		default:
			length := strings.IndexFunc(rest, func(r rune) bool {
				return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '_' || r == '.')
			})
			if length < 0 {
				length = len(rest)
			}
			if length == 0 {
				return nil, &SyntaxError{at, "a character is not part of the language"}
			}
			tokens = append(tokens, token{tokenWord, rest[:length], at})
			at += length
		}
	}
	return append(tokens, token{tokenEnd, "", len(text)}), nil
}

// quoted reads a text up to its closing quote, in which \" and \\ stand for themselves.
func quoted(text string) (content string, length int, ok bool) {
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			return out.String(), i + 1, true
		case '\\':
			if i++; i == len(text) || text[i] != '"' && text[i] != '\\' {
				return "", 0, false
			}
			out.WriteByte(text[i])
		default:
			out.WriteByte(text[i])
		}
	}
	return "", 0, false
}
