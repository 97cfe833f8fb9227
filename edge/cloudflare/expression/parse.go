package expression

import (
	"fmt"
	"slices"
	"strings"
)

// maxDepth bounds how deep parentheses and nots may be nested.
const maxDepth = 50

// SyntaxError says where an expression cannot be read, or holds what this package does not know.
type SyntaxError struct {
	At     int // in bytes from the start
	Reason string
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("at character %d: %s", e.At, e.Reason) }

// Parse reads an expression.
func Parse(text string) (Expression, error) {
	if len(text) > MaxLength {
		return nil, &SyntaxError{MaxLength, fmt.Sprintf("the expression is longer than %d characters", MaxLength)}
	}
	tokens, err := scan(text)
	if err != nil {
		return nil, err
	}
	p := &parser{tokens: tokens}
	e, err := p.or(0)
	if err != nil {
		return nil, err
	}
	if t := p.peek(); t.kind != tokenEnd {
		return nil, p.unexpected(t, "an operator")
	}
	return e, nil
}

type parser struct {
	tokens []token
	at     int
}

func (p *parser) peek() token { return p.tokens[p.at] }

func (p *parser) next() token {
	t := p.tokens[p.at]
	if t.kind != tokenEnd {
		p.at++
	}
	return t
}

func (p *parser) unexpected(t token, wanted string) error {
	if t.kind == tokenEnd {
		return &SyntaxError{t.at, "the expression ends where " + wanted + " should be"}
	}
	return &SyntaxError{t.at, fmt.Sprintf("%q stands where %s should be", t.text, wanted)}
}

// accept takes one of some words or signs.
func (p *parser) accept(texts ...string) bool {
	if t := p.peek(); t.kind == tokenWord && slices.Contains(texts, t.text) {
		p.at++
		return true
	}
	return false
}

func (p *parser) or(depth int) (Expression, error) {
	return p.chain(depth, p.and, func(parts []Expression) Expression { return either(parts) }, "or", "||")
}

func (p *parser) and(depth int) (Expression, error) {
	return p.chain(depth, p.unary, func(parts []Expression) Expression { return all(parts) }, "and", "&&")
}

func (p *parser) chain(depth int, part func(int) (Expression, error), join func([]Expression) Expression, operators ...string) (Expression, error) {
	first, err := part(depth)
	if err != nil {
		return nil, err
	}
	parts := []Expression{first}
	for p.accept(operators...) {
		another, err := part(depth)
		if err != nil {
			return nil, err
		}
		parts = append(parts, another)
	}
	if len(parts) == 1 {
		return first, nil
	}
	return join(parts), nil
}

func (p *parser) unary(depth int) (Expression, error) {
	if depth++; depth > maxDepth {
		return nil, &SyntaxError{p.peek().at, fmt.Sprintf("it is nested more than %d deep", maxDepth)}
	}
	switch {
	case p.accept("not", "!"):
		e, err := p.unary(depth)
		return not{e}, err
	case p.accept("("):
		e, err := p.or(depth)
		if err != nil {
			return nil, err
		}
		if !p.accept(")") {
			return nil, p.unexpected(p.peek(), "a closing parenthesis")
		}
		return e, nil
	case p.accept("true"):
		return literal(true), nil
	case p.accept("false"):
		return literal(false), nil
	case p.accept("starts_with"):
		return p.function(strings.HasPrefix)
	case p.accept("ends_with"):
		return p.function(strings.HasSuffix)
	}
	return p.comparison()
}

// function reads (field, "text").
func (p *parser) function(test func(value, text string) bool) (Expression, error) {
	if !p.accept("(") {
		return nil, p.unexpected(p.peek(), "a parenthesis")
	}
	of, err := p.field()
	if err != nil {
		return nil, err
	}
	if !p.accept(",") {
		return nil, p.unexpected(p.peek(), "a comma")
	}
	text, err := p.string()
	if err != nil {
		return nil, err
	}
	if !p.accept(")") {
		return nil, p.unexpected(p.peek(), "a closing parenthesis")
	}
	return compare{of, func(value string) bool { return test(value, text) }}, nil
}

func (p *parser) comparison() (Expression, error) {
	of, err := p.field()
	if err != nil {
		return nil, err
	}
	operator := p.next()
	if operator.text == "in" {
		return p.set(of)
	}
	if operator.text == "strict" && p.accept("wildcard") {
		operator.text = "strict wildcard"
	}
	tests := map[string]func(value, text string) bool{
		"eq": equal, "==": equal, "ne": unequal, "!=": unequal, "contains": strings.Contains,
		"wildcard":        func(value, text string) bool { return wildcard(strings.ToLower(text), strings.ToLower(value)) },
		"strict wildcard": func(value, text string) bool { return wildcard(text, value) },
	}
	test, known := tests[operator.text]
	if !known || operator.kind != tokenWord {
		return nil, p.unexpected(operator, "a comparison")
	}
	text, err := p.string()
	if err != nil {
		return nil, err
	}
	return compare{of, func(value string) bool { return test(value, text) }}, nil
}

func equal(a, b string) bool   { return a == b }
func unequal(a, b string) bool { return a != b }

// set reads {"a" "b"}.
func (p *parser) set(of field) (Expression, error) {
	if !p.accept("{") {
		return nil, p.unexpected(p.peek(), "{")
	}
	var members []string
	for !p.accept("}") {
		text, err := p.string()
		if err != nil {
			return nil, err
		}
		members = append(members, text)
	}
	return compare{of, func(value string) bool { return slices.Contains(members, value) }}, nil
}

func (p *parser) field() (field, error) {
	t := p.next()
	f, known := fields[t.text]
	if t.kind != tokenWord || !known {
		return 0, p.unexpected(t, "one of the fields that are known here")
	}
	return f, nil
}

func (p *parser) string() (string, error) {
	if t := p.next(); t.kind != tokenString {
		return "", p.unexpected(t, "a text in quotes")
	} else {
		return t.text, nil
	}
}
