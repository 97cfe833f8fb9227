//go:build !production

package command_test

import (
	"strings"
	"testing"

	"github.com/meridian-store/meridian/kit/sqldb/statements"
)

func TestSQLPrintsWhatTheSourceSends(t *testing.T) {
	t.Parallel()
	code, out, problems := run(t, "sql", "--print", "--source", "..")
	if code != 0 || !strings.Contains(out, "\nDELETE FROM products WHERE id = $1;\n") ||
		!strings.Contains(out, statements.MadeAtRunTime) {
		t.Errorf("exit %d: %s%.400s", code, problems, out)
	}
	code, _, problems = run(t, "sql", "--print", "--source", t.TempDir())
	if code != 1 || !strings.Contains(problems, "--source") || strings.Count(problems, "\n") != 1 {
		t.Errorf("without source: exit %d, %q", code, problems)
	}
}
