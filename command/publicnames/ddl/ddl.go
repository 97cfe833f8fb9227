// Package ddl reads which tables and columns a script of SQL leaves behind. It knows the statements that migrations use
// and refuses a table change that it does not know, so that no column is missed silently.
package ddl

import (
	"fmt"
	"slices"
	"strings"
)

// Tables holds the columns of each table, by the table's name.
type Tables map[string][]string

// Read applies the statements of a script in order and returns the resulting tables. Statements other than CREATE,
// ALTER and DROP TABLE are ignored.
func Read(script string) (Tables, error) {
	tables := Tables{}
	for _, statement := range statements(tokens(script)) {
		if len(statement) < 3 || !statement[1].is("TABLE") {
			continue
		}
		var err error
		switch rest := statement[2:]; {
		case statement[0].is("CREATE"):
			err = tables.create(skip(rest, "IF", "NOT", "EXISTS"))
		case statement[0].is("ALTER"):
			err = tables.alter(skip(rest, "IF", "EXISTS"))
		case statement[0].is("DROP"):
			err = tables.drop(skip(rest, "IF", "EXISTS"))
		}
		if err != nil {
			return nil, err
		}
	}
	return tables, nil
}

// constraints begin an item of CREATE TABLE that is not a column.
var constraints = []string{
	"PRIMARY", "FOREIGN", "UNIQUE", "CHECK", "CONSTRAINT", "INDEX", "INVERTED", "FAMILY", "EXCLUDE",
}

func (t Tables) create(statement []token) error {
	if len(statement) < 2 || statement[1].text != "(" {
		return fmt.Errorf("CREATE TABLE without a list of columns: %s", written(statement))
	}
	table := statement[0].name()
	if _, exists := t[table]; exists {
		return fmt.Errorf("table %s is created twice", table)
	}
	t[table] = nil
	for _, item := range split(inner(statement[1:])) {
		if len(item) == 0 || slices.ContainsFunc(constraints, item[0].is) {
			continue
		}
		if item[0].is("LIKE") {
			return fmt.Errorf("unknown item of CREATE TABLE %s: %s", table, written(item))
		}
		t[table] = append(t[table], item[0].name())
	}
	return nil
}

func (t Tables) drop(statement []token) error {
	for _, item := range split(statement) {
		if len(item) == 0 {
			continue
		}
		table := item[0].name()
		if _, exists := t[table]; !exists {
			return fmt.Errorf("DROP TABLE of unknown table %s", table)
		}
		delete(t, table)
	}
	return nil
}

// skip drops words that lead a statement, when all of them do.
func skip(statement []token, words ...string) []token {
	if len(statement) < len(words) {
		return statement
	}
	for i, word := range words {
		if !statement[i].is(word) {
			return statement
		}
	}
	return statement[len(words):]
}

func written(statement []token) string {
	words := make([]string, len(statement))
	for i, token := range statement {
		words[i] = token.text
	}
	return strings.Join(words, " ")
}
