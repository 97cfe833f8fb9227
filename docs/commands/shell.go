package main

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// simple is one simple command of a shell line: its words without quotes, and without assignments before them.
type simple []string

// errOpen is returned for a line that goes on in the next one.
var errOpen = errors.New("not closed")

// parseShell splits a line into its simple commands, those inside $(…) first. It knows quotes, escapes, comments, the
// separators ; & && || | and assignments; it expands nothing.
func parseShell(line string) ([]simple, error) {
	l := lexer{rest: []rune(line)}
	if err := l.run(); err != nil {
		return nil, fmt.Errorf("parse %q: %w", line, err)
	}
	return l.done, nil
}

type lexer struct {
	rest []rune
	done []simple

	words  []string
	word   strings.Builder
	inWord bool
	quoted bool // a part of the word was quoted
}

func (l *lexer) run() error {
	for len(l.rest) > 0 {
		r := l.next()
		switch {
		case r == '\'':
			if err := l.singleQuoted(); err != nil {
				return err
			}
		case r == '"':
			if err := l.doubleQuoted(); err != nil {
				return err
			}
		case r == '\\':
			if len(l.rest) > 0 {
				l.add(l.next())
			}
		case r == '$' && l.starts("("):
			if err := l.substitution(); err != nil {
				return err
			}
		case r == '#' && !l.inWord:
			l.skipComment()
		case r == ' ' || r == '\t':
			l.endWord()
		case strings.ContainsRune(";&|\n", r):
			l.endCommand()
		default:
			l.add(r)
		}
	}
	l.endCommand()
	return nil
}

func (l *lexer) next() rune {
	r := l.rest[0]
	l.rest = l.rest[1:]
	return r
}

func (l *lexer) starts(with string) bool {
	return strings.HasPrefix(string(l.rest[:min(len(l.rest), 1)]), with)
}

func (l *lexer) add(r rune) {
	l.inWord = true
	l.word.WriteRune(r)
}

func (l *lexer) singleQuoted() error {
	l.inWord, l.quoted = true, true
	for len(l.rest) > 0 {
		r := l.next()
		if r == '\'' {
			return nil
		}
		l.add(r)
	}
	return fmt.Errorf("%w: a single quote", errOpen)
}

func (l *lexer) doubleQuoted() error {
	l.inWord, l.quoted = true, true
	for len(l.rest) > 0 {
		switch r := l.next(); {
		case r == '"':
			return nil
		case r == '\\' && len(l.rest) > 0:
			l.add(l.next())
		case r == '$' && l.starts("("):
			if err := l.substitution(); err != nil {
				return err
			}
		default:
			l.add(r)
		}
	}
	return fmt.Errorf("%w: a double quote", errOpen)
}

// substitution parses the commands of $(…); the word holds "$()" in their place.
func (l *lexer) substitution() error {
	l.next() // (
	var inner []rune
	for depth, quote := 1, rune(0); ; {
		if len(l.rest) == 0 {
			return fmt.Errorf("%w: $(", errOpen)
		}
		r := l.next()
		switch {
		case quote != 0:
			if r == quote {
				quote = 0
			}
		case r == '\'' || r == '"':
			quote = r
		case r == '(':
			depth++
		case r == ')':
			depth--
		}
		if depth == 0 {
			break
		}
		inner = append(inner, r)
	}
	commands, err := parseShell(string(inner))
	if err != nil {
		return err
	}
	l.done = append(l.done, commands...)
	for _, r := range "$()" {
		l.add(r)
	}
	return nil
}

func (l *lexer) skipComment() {
	for len(l.rest) > 0 && l.rest[0] != '\n' {
		l.next()
	}
}

func (l *lexer) endWord() {
	if !l.inWord {
		return
	}
	word := l.word.String()
	// "…" in a document stands for words that are left out.
	omitted := strings.HasPrefix(word, "…") && !l.quoted
	if !omitted && (len(l.words) > 0 || !keywords[word] && !isAssignment(word)) {
		l.words = append(l.words, word)
	}
	l.word.Reset()
	l.inWord, l.quoted = false, false
}

func (l *lexer) endCommand() {
	l.endWord()
	if len(l.words) > 0 {
		l.done = append(l.done, l.words)
	}
	l.words = nil
}

// keywords stand before a command and are no part of it.
var keywords = map[string]bool{
	"if": true, "then": true, "else": true, "while": true, "until": true, "do": true, "!": true, "{": true,
}

var variableName = regexp.MustCompile(`^\w+$`)

func isAssignment(word string) bool {
	name, _, found := strings.Cut(word, "=")
	return found && variableName.MatchString(name)
}
