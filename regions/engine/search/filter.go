package search

import (
	"math"
	"strconv"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"
)

// condition is a filter: nil lets everything through.
type condition interface {
	matches(c *collection, d *document) bool
}

type (
	both     []condition
	oneOf    []condition
	textTest struct {
		name    string
		values  []string
		whole   bool // the value as it is, not a word of it
		negated bool
		words   [][]string // of each value, for tests by word
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

func (b both) matches(c *collection, d *document) bool {
	for _, each := range b {
		if !each.matches(c, d) {
			return false
		}
	}
	return true
}

func (o oneOf) matches(c *collection, d *document) bool {
	for _, each := range o {
		if each.matches(c, d) {
			return true
		}
	}
	return false
}

func (t textTest) matches(c *collection, d *document) bool {
	for _, value := range d.texts[t.name] {
		for i, wanted := range t.values {
			if value == wanted || t.whole && strings.EqualFold(value, wanted) || !t.whole && holdsAll(d.words[t.name], t.words[i]) {
				return !t.negated
			}
		}
	}
	return t.negated
}

func holdsAll(words, wanted []string) bool {
	for _, word := range wanted {
		found := false
		for _, each := range words {
			found = found || each == word
		}
		if !found {
			return false
		}
	}
	return len(wanted) > 0
}

func (t numberTest) matches(_ *collection, d *document) bool {
	for _, value := range d.numbers[t.name] {
		for _, r := range t.ranges {
			if value >= r[0] && value <= r[1] {
				return !t.negated
			}
		}
	}
	return t.negated
}

func (t idTest) matches(_ *collection, d *document) bool {
	for _, id := range t.ids {
		if d.id == id {
			return !t.negated
		}
	}
	return t.negated
}

// allowed gives the documents that a filter lets through.
func (c *collection) allowed(f condition) *roaring.Bitmap {
	if f == nil {
		return c.all.Clone()
	}
	passed := roaring.New()
	for it := c.all.Iterator(); it.HasNext(); {
		if slot := it.Next(); f.matches(c, c.slots[slot]) {
			passed.Add(slot)
		}
	}
	return passed
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
	t := textTest{name: name, values: values, whole: strings.HasSuffix(operator, "="), negated: negated}
	if operator == "<" || operator == ">" || operator == "<=" || operator == ">=" {
		return nil, badRequest("Error with filter field `%s`: Not a numerical field.", name)
	}
	for _, value := range values {
		t.words = append(t.words, wordsOf(value, f))
	}
	return t, nil
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
