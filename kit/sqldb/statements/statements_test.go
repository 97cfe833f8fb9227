package statements_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meridian-store/meridian/kit/sqldb/statements"
)

const sender = "package shop\n\n" +
	"import (\n\t\"fmt\"\n\n\t\"github.com/jackc/pgx/v5\"\n)\n\n" +
	"const columns = `id, name`\n" +
	"const unused = `SELECT 'a constant that nobody sends'`\n" +
	"const list = `SELECT ` + columns + ` FROM things`\n\n" +
	"func send(ctx context.Context, tx pgx.Tx, batch *pgx.Batch, writer w, table string, all bool) {\n" + // line 13
	"\ttx.Query(ctx, list+` ORDER BY id`)\n" +
	"\tbatch.Queue(`\n\t\tDELETE FROM things WHERE id = $1`, 1).Exec(count)\n" +
	"\tsql := list\n" +
	"\tif all {\n\t\tsql = `WITH held AS (SELECT 1) SELECT * FROM held`\n\t}\n" +
	"\ttx.Query(ctx, sql)\n" + // line 21
	"\ttx.Exec(ctx, `DELETE FROM `+table)\n" +
	"\ttx.Exec(ctx, fmt.Sprintf(`DELETE FROM %s`, table))\n" +
	"\twriter.Queue(ctx, batch, `UPDATE`)\n" +
	"\tfail(`UPDATED things could not be read`)\n" +
	"}\n"

// redis has methods of the same names.
const redis = "package shop\n\nfunc run(ctx context.Context, script s, client c) { script.Exec(ctx, client, keys) }\n"

func TestFindFoldsConstantsAndOwnsUpToTheRest(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	folder := filepath.Join(root, "services", "shop")
	for name, text := range map[string]string{
		"services/shop/store.go": sender, "services/shop/redis.go": redis,
		"services/shop/store_test.go": strings.Replace(sender, "things", "tests", 1),
		"services/shop/inner/go.mod":  "module inner\n", "services/shop/inner/inner.go": sender, "bench/bench.go": sender,
	} {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	found, err := statements.Find(root)
	if err != nil {
		t.Fatal(err)
	}
	at := func(line int, text string) statements.Statement {
		return statements.Statement{Package: "services/shop", File: "store.go", Line: line, Text: text}
	}
	want := statements.Found{
		Statements: []statements.Statement{
			at(14, "SELECT id, name FROM things ORDER BY id"), at(15, "DELETE FROM things WHERE id = $1"),
			at(17, "SELECT id, name FROM things"), at(19, "WITH held AS (SELECT 1) SELECT * FROM held"),
		},
		Sites: []statements.Site{
			{Package: "services/shop", File: "store.go", Line: 21, Sends: "sql"},
			{Package: "services/shop", File: "store.go", Line: 22, Sends: "`DELETE FROM ` + table"},
			{Package: "services/shop", File: "store.go", Line: 23, Sends: "fmt.Sprintf(`DELETE FROM %s`, table)"},
		},
	}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Errorf("in %s:\n%s", folder, diff)
	}
	for _, line := range []string{"-- services/shop/store.go:15\nDELETE FROM things WHERE id = $1;\n", "-- services/shop/store.go:21 sends what run time makes: sql\n"} {
		if !strings.Contains(found.Text(), line) {
			t.Errorf("%q is not in\n%s", line, found.Text())
		}
	}
}

func TestFindReadsTheShop(t *testing.T) {
	t.Parallel()
	found, err := statements.Find("../../..")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d statements, %d places that send what run time makes", len(found.Statements), len(found.Sites))
	if len(found.Statements) < 150 || len(found.Sites) > len(found.Statements)/5 {
		t.Errorf("%d statements and %d places without: too much escapes", len(found.Statements), len(found.Sites))
	}
	services := map[string]bool{}
	for _, s := range found.Statements {
		services[s.Package] = true
	}
	for _, name := range []string{
		"services/catalog", "services/cart", "services/order", "services/payment", "services/inventory", "services/identity",
		"services/imports", "kit/sqldb",
	} {
		if !services[name] {
			t.Errorf("no statement of %s was found", name)
		}
	}
	if !services["replication/outbox"] {
		t.Error("no statement of the outbox was found")
	}
}

func TestFindSaysWhenThereIsNoSource(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	if _, err := statements.Find(root); !errors.Is(err, statements.ErrNoSource) || !strings.Contains(err.Error(), root) {
		t.Errorf("got %v", err)
	}
}
