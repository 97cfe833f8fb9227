package source_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meridian-store/meridian/command/publicnames/source"
)

const tree = "testdata/tree"

func TestVariables_ComeFromLiteralsAndScripts(t *testing.T) {
	t.Parallel()
	expect(t, (*source.Source).Variables, tree,
		"MERIDIAN_COMPOSE_HOME", "MERIDIAN_LEASE", "MERIDIAN_PORT_*", "MERIDIAN_TEST_SQL_URL")
}

func TestMetrics_ComeFromLiteralsBesidePrometheus(t *testing.T) {
	t.Parallel()
	expect(t, (*source.Source).Metrics, tree, "meridian_requests_total")
}

func TestRoutes_AreAMethodAndAPath(t *testing.T) {
	t.Parallel()
	expect(t, (*source.Source).Routes, tree, "GET /regions/{name}")
}

func TestProblemMembers_ComeFromCallsOfWith(t *testing.T) {
	t.Parallel()
	expect(t, (*source.Source).ProblemMembers, tree, "retry_after")
}

func TestVariables_DoNotDependOnTheFolder(t *testing.T) {
	t.Parallel()
	moved := t.TempDir()
	if err := os.CopyFS(filepath.Join(moved, "another", "folder"), os.DirFS(tree)); err != nil {
		t.Fatal(err)
	}
	before, err := source.Read(tree)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, (*source.Source).Variables, moved, before.Variables()...)
}

func TestRoot_IsTheFolderOfGoMod(t *testing.T) {
	t.Parallel()
	root, err := source.Root(tree)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(root, "go.mod")); err != nil {
		t.Error(err)
	}
	if root, err := source.Root(t.TempDir()); err == nil {
		t.Errorf("%s is taken for the root of a repository", root)
	}
}

func expect(t *testing.T, search func(*source.Source) []string, root string, want ...string) {
	t.Helper()
	read, err := source.Read(root)
	if err != nil {
		t.Fatal(err)
	}
	if difference := cmp.Diff(want, search(read)); difference != "" {
		t.Error(difference)
	}
}
