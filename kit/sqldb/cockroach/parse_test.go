package cockroach_test

import (
	"bytes"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/cockroachdb/cockroachdb-parser/pkg/sql/parser"
	"github.com/cockroachdb/cockroachdb-parser/pkg/sql/parser/statements"
)

const root = "../../.."

// printed is what a verb of the program prints.
func printed(t *testing.T, args ...string) string {
	t.Helper()
	var out, problems bytes.Buffer
	run := exec.CommandContext(t.Context(), "go", append([]string{"run", "."}, args...)...)
	run.Dir, run.Stdout, run.Stderr = root, &out, &problems
	if err := run.Run(); err != nil {
		t.Fatalf("meridian %s: %v: %s", strings.Join(args, " "), err, problems.String())
	}
	return out.String()
}

// kinds counts statements by their nodes in CockroachDB's syntax tree, such as *tree.CreateTable.
func kinds(all statements.Statements) map[string]int {
	found := map[string]int{}
	for _, s := range all {
		found[fmt.Sprintf("%T", s.AST)]++
	}
	return found
}

func TestCockroachUnderstandsTheSchema(t *testing.T) {
	t.Parallel()
	text := printed(t, "migrate", "--print", "--dialect", "cockroachdb")
	parsed, err := parser.Parse(text)
	if err != nil {
		t.Fatalf("CockroachDB does not understand the schema: %v", err)
	}
	found := kinds(parsed)
	t.Logf("%d statements understood: %v", len(parsed), found)
	for kind, least := range map[string]int{
		"*tree.CreateDatabase": 7, "*tree.CreateRole": 8, "*tree.CreateTable": 50, "*tree.CreateIndex": 30, "*tree.Grant": 30,
		"*tree.AlterDatabasePrimaryRegion": 7, "*tree.AlterDatabaseAddRegion": 14, "*tree.AlterDatabaseSurvivalGoal": 7, "*tree.AlterTableLocality": 40,
	} {
		if found[kind] < least {
			t.Errorf("%d statements are %s, want at least %d: the text is not the whole schema", found[kind], kind, least)
		}
	}
}

func TestCockroachUnderstandsEveryStatement(t *testing.T) {
	t.Parallel()
	text := printed(t, "sql", "--print")
	parsed, err := parser.Parse(text)
	if err != nil {
		t.Fatalf("CockroachDB does not understand a statement of ours: %v", err)
	}
	t.Logf("%d statements understood: %v; %d places send what run time makes", len(parsed), kinds(parsed), strings.Count(text, "sends what run time makes"))
	if len(parsed) < 150 {
		t.Errorf("only %d statements are printed", len(parsed))
	}
}

// The parser is tested too, because one that took anything would prove nothing.
func TestWhatOnlyPostgresUnderstandsIsRefused(t *testing.T) {
	t.Parallel()
	for _, statement := range []string{
		`CREATE DOMAIN crdb_internal_region AS text`, `LISTEN changes EVERYWHERE`, `SELEKT 1`,
		`CREATE TABLE t (id INT8 PRIMARY KEY) PARTITION BY HASH (id)`,
	} {
		if _, err := parser.Parse(statement); err == nil {
			t.Errorf("understood %s", statement)
		}
	}
}
