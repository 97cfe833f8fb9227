package search

import (
	"math"
	"strconv"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"
)

// condition is a filter: nil lets everything through.
type condition interface {
	// passing gives the documents that are let through. The caller may change the answer.
	passing(c *collection) *roaring.Bitmap
}

type (
	both     []condition
	oneOf    []condition
	textTest struct {
		name    string
		values  []string
		field   *field
		whole   bool // the value as it is, not words of it
		negated bool
	}
	numberTest struct {
		name    string
		ranges  [][2]float64
		negated bool
	}
	idTest struct {
		ids     []string
		negated bool
	}
)

func (b both) passing(c *collection) *roaring.Bitmap {
	passed := b[0].passing(c)
	for _, each := range b[1:] {
		passed.And(each.passing(c))
	}
	return passed
}

func (o oneOf) passing(c *collection) *roaring.Bitmap {
	passed := o[0].passing(c)
	for _, each := range o[1:] {
		passed.Or(each.passing(c))
	}
	return passed
}

func (t textTest) passing(c *collection) *roaring.Bitmap {
	passed := roaring.New()
	if x := c.texts[t.name]; x != nil {
		for _, value := range t.values {
			if t.whole {
				if holders := x.values.holders[wholeValue(value, t.field)]; holders != nil {
					passed.Or(holders)
				}
				continue
			}
			passed.Or(x.words.holdAll(wordsOf(value, t.field)))
		}
	}
	return c.unless(t.negated, passed)
}

// unless gives all the other documents, if so asked.
func (c *collection) unless(negated bool, passed *roaring.Bitmap) *roaring.Bitmap {
	if negated {
		return roaring.AndNot(c.all, passed)
	}
	return passed
}

// holdAll gives the documents that hold all of some words.
func (d *dictionary) holdAll(words []string) *roaring.Bitmap {
	var sets []*roaring.Bitmap
	for _, word := range words {
		holders := d.holders[word]
		if holders == nil {
			return roaring.New()
		}
		sets = append(sets, holders)
	}
	return roaring.FastAnd(sets...)
}

func (t numberTest) passing(c *collection) *roaring.Bitmap {
	return c.unless(t.negated, c.numbers[t.name].within(t.ranges))
}

func (t idTest) passing(c *collection) *roaring.Bitmap {
	passed := roaring.New()
	for _, id := range t.ids {
		if slot, there := c.byID[id]; there {
			passed.Add(slot)
		}
	}
	return c.unless(t.negated, passed)
}

// allowed gives the documents that a filter lets through.
func (c *collection) allowed(f condition) *roaring.Bitmap {
	if f == nil {
		return c.all.Clone()
	}
	return f.passing(c)
}

const (
	maxFilter      = 4000 * 4
	maxFilterDepth = 20
)

// parseFilter reads Typesense's filter_by: field:=value, field:[a,b], field:>1, field:[1..5], && and ||, parentheses, values in backticks.
func (s *schema) parseFilter(text string) (condition, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	if len(text) > maxFilter {
		return nil, badRequest("Filter is longer than %d characters.", maxFilter)
	}
	p := &filterParser{text: text, schema: s}
	f, err := p.or(0)
	if err != nil {
		return nil, err
	}
	if p.skip(); p.at < len(p.text) {
		return nil, malformed()
	}
	return f, nil
}

// parseFilters reads filters that all have to let a document through.
func (s *schema) parseFilters(texts ...string) (condition, error) {
	var all both
	for _, text := range texts {
		f, err := s.parseFilter(text)
		if err != nil {
			return nil, err
		}
		if f != nil {
			all = append(all, f)
		}
	}
	switch len(all) {
	case 0:
		return nil, nil
	case 1:
		return all[0], nil
	}
	return all, nil
}

func malformed() error { return badRequest("Could not parse the filter query.") }

type filterParser struct {
	text   string
	at     int
	schema *schema
}

func (p *filterParser) skip() {
	for p.at < len(p.text) && (p.text[p.at] == ' ' || p.text[p.at] == '\t' || p.text[p.at] == '\n') {
		p.at++
	}
}

func (p *filterParser) accept(sign string) bool {
	if p.skip(); strings.HasPrefix(p.text[p.at:], sign) {
		p.at += len(sign)
		return true
	}
	return false
}

func (p *filterParser) or(depth int) (condition, error) {
	return p.chain(depth, "||", p.and, func(parts []condition) condition { return oneOf(parts) })
}

func (p *filterParser) and(depth int) (condition, error) {
	return p.chain(depth, "&&", p.unit, func(parts []condition) condition { return both(parts) })
}

func (p *filterParser) chain(depth int, sign string, part func(int) (condition, error), join func([]condition) condition) (condition, error) {
	first, err := part(depth)
	if err != nil {
		return nil, err
	}
	parts := []condition{first}
	for p.accept(sign) {
		next, err := part(depth)
		if err != nil {
			return nil, err
		}
		parts = append(parts, next)
	}
	if len(parts) == 1 {
		return first, nil
	}
	return join(parts), nil
}

func (p *filterParser) unit(depth int) (condition, error) {
	if depth++; depth > maxFilterDepth {
		return nil, malformed()
	}
	if p.accept("(") {
		f, err := p.or(depth)
		if err == nil && !p.accept(")") {
			err = malformed()
		}
		return f, err
	}
	p.skip()
	end := strings.IndexByte(p.text[p.at:], ':')
	if end < 0 {
		return nil, malformed()
	}
	name := strings.TrimSpace(p.text[p.at : p.at+end])
	p.at += end + 1
	return p.test(name)
}

// test reads what comes behind a field's colon.
func (p *filterParser) test(name string) (condition, error) {
	operator := ""
	for _, sign := range []string{"!=", ">=", "<=", "=", ">", "<", "!"} {
		if p.accept(sign) {
			operator = sign
			break
		}
	}
	var values []string
	if p.accept("[") {
		for !p.accept("]") {
			value, err := p.value(",]")
			if err != nil {
				return nil, err
			}
			values = append(values, value)
			p.accept(",")
		}
	} else {
		value, err := p.value("")
		if err != nil {
			return nil, err
		}
		values = []string{value}
	}
	negated := strings.HasPrefix(operator, "!")
	if name == "id" {
		return idTest{values, negated}, nil
	}
	f := p.schema.field(name)
	if f == nil || f.pattern != nil && strings.Contains(name, "*") {
		return nil, notFoundField("filter", name)
	}
	if !f.isText() {
		return numbersTest(f, name, operator, negated, values)
	}
	if operator == "<" || operator == ">" || operator == "<=" || operator == ">=" {
		return nil, badRequest("Error with filter field `%s`: Not a numerical field.", name)
	}
	return textTest{name: name, values: values, field: f, whole: strings.HasSuffix(operator, "="), negated: negated}, nil
}

// value reads up to one of some signs, or to where the test ends; between backticks everything counts.
func (p *filterParser) value(ends string) (string, error) {
	if p.skip(); p.at < len(p.text) && p.text[p.at] == '`' {
		end := strings.IndexByte(p.text[p.at+1:], '`')
		if end < 0 {
			return "", malformed()
		}
		value := p.text[p.at+1 : p.at+1+end]
		p.at += end + 2
		return value, nil
	}
	start := p.at
	for p.at < len(p.text) {
		rest := p.text[p.at:]
		if ends != "" && strings.IndexByte(ends, rest[0]) >= 0 {
			break
		}
		if ends == "" && (strings.HasPrefix(rest, "&&") || strings.HasPrefix(rest, "||") || rest[0] == ')') {
			break
		}
		p.at++
	}
	value := strings.TrimSpace(p.text[start:p.at])
	if value == "" || ends != "" && p.at == len(p.text) {
		return "", malformed()
	}
	return value, nil
}

func numbersTest(f *field, name, operator string, negated bool, values []string) (condition, error) {
	t := numberTest{name: name, negated: negated}
	for _, value := range values {
		low, high, isRange := strings.Cut(value, "..")
		a, err := numberOf(f, low)
		b := a
		if isRange && err == nil {
			b, err = numberOf(f, high)
		}
		if err != nil {
			kind := "Not a number"
			if f.isBool() {
				kind = "Filter value must be `true` or `false`"
			}
			return nil, badRequest("Error with filter field `%s`: %s.", name, kind)
		}
		switch operator {
		case ">":
			a, b = math.Nextafter(a, math.Inf(1)), math.Inf(1)
		case ">=":
			b = math.Inf(1)
		case "<":
			a, b = math.Inf(-1), math.Nextafter(b, math.Inf(-1))
		case "<=":
			a = math.Inf(-1)
		}
		t.ranges = append(t.ranges, [2]float64{a, b})
	}
	return t, nil
}

func numberOf(f *field, text string) (float64, error) {
	text = strings.TrimSpace(text)
	if f.isBool() {
		switch text {
		case "true":
			return 1, nil
		case "false":
			return 0, nil
		}
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseFloat(text, 64)
}

func notFoundField(use, name string) error {
	return &failure{404, "Could not find a " + use + " field named `" + name + "` in the schema."}
}
