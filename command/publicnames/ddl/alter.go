package ddl

import (
	"fmt"
	"slices"
)

// harmless are the changes of a table, by their first two words, that leave its columns' names as they are.
var harmless = [][2]string{
	{"ADD", "CONSTRAINT"}, {"DROP", "CONSTRAINT"}, {"ALTER", "COLUMN"}, {"ALTER", "PRIMARY"},
	{"SET", "LOCALITY"}, {"OWNER", "TO"},
}

func (t Tables) alter(statement []token) error {
	if len(statement) < 3 {
		return fmt.Errorf("ALTER TABLE without a change: %s", written(statement))
	}
	table := statement[0].name()
	if _, exists := t[table]; !exists {
		return fmt.Errorf("ALTER TABLE of unknown table %s", table)
	}
	for _, change := range split(statement[1:]) {
		if err := t.change(table, change); err != nil {
			return fmt.Errorf("ALTER TABLE %s: %w", table, err)
		}
	}
	return nil
}

func (t Tables) change(table string, change []token) error {
	if len(change) < 3 {
		return fmt.Errorf("unknown change: %s", written(change))
	}
	first, second := change[0], change[1]
	switch {
	case first.is("ADD") && second.is("COLUMN"):
		t[table] = append(t[table], skip(change[2:], "IF", "NOT", "EXISTS")[0].name())
		return nil
	case first.is("DROP") && second.is("COLUMN"):
		return t.rename(table, skip(change[2:], "IF", "EXISTS")[0].name(), "")
	case first.is("RENAME") && second.is("COLUMN") && len(change) == 5 && change[3].is("TO"):
		return t.rename(table, change[2].name(), change[4].name())
	case first.is("RENAME") && second.is("TO"):
		t[change[2].name()] = t[table]
		delete(t, table)
		return nil
	}
	if slices.ContainsFunc(harmless, func(words [2]string) bool { return first.is(words[0]) && second.is(words[1]) }) {
		return nil
	}
	return fmt.Errorf("unknown change: %s", written(change))
}

// rename gives a column another name; "" drops it.
func (t Tables) rename(table, from, to string) error {
	i := slices.Index(t[table], from)
	switch {
	case i < 0:
		return fmt.Errorf("unknown column %s", from)
	case to == "":
		t[table] = slices.Delete(t[table], i, i+1)
	default:
		t[table][i] = to
	}
	return nil
}
