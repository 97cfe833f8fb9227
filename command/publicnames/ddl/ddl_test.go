package ddl_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meridian-store/meridian/command/publicnames/ddl"
)

const orders = `
-- A comment; with a semicolon, and a 'quote.
CREATE TABLE orders (
    crdb_region crdb_internal_region NOT NULL,
    id          TEXT NOT NULL DEFAULT 'a;b,c(',
    status      TEXT NOT NULL CHECK (status IN ('open', 'closed')), -- a word
    "Odd Name"  INT8,
    PRIMARY KEY (crdb_region, id),
    FOREIGN KEY (crdb_region, id) REFERENCES sagas (crdb_region, id),
    CONSTRAINT open CHECK (status <> '')
);
CREATE UNIQUE INDEX orders_id ON orders (id) WHERE status <> 'open';
`

func TestRead_ListsColumnsOnly(t *testing.T) {
	t.Parallel()
	compare(t, orders, ddl.Tables{"orders": {"crdb_region", "id", "status", "Odd Name"}})
}

func TestRead_AppliesChangesInOrder(t *testing.T) {
	t.Parallel()
	compare(t, orders+`
		CREATE TABLE old (id TEXT); CREATE TABLE lines (id TEXT, sku TEXT);
		ALTER TABLE "orders" ADD COLUMN follows TEXT NOT NULL DEFAULT gen_random_uuid()::TEXT;
		ALTER TABLE orders DROP CONSTRAINT open, ADD CONSTRAINT known CHECK (status IN ('a', 'b')),
			DROP COLUMN IF EXISTS status;
		ALTER TABLE orders SET LOCALITY REGIONAL BY ROW;
		ALTER TABLE orders RENAME COLUMN id TO order_id;
		ALTER TABLE lines RENAME TO order_lines;
		DROP TABLE IF EXISTS old;`,
		ddl.Tables{"orders": {"crdb_region", "order_id", "Odd Name", "follows"}, "order_lines": {"id", "sku"}})
}

func TestRead_RefusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	for _, script := range []string{
		"CREATE TABLE a AS SELECT 1;", "CREATE TABLE a (LIKE b);",
		"CREATE TABLE a (id TEXT); CREATE TABLE a (id TEXT);",
		"ALTER TABLE a ADD COLUMN b TEXT;", "CREATE TABLE a (id TEXT); ALTER TABLE a ADD b TEXT;",
		"CREATE TABLE a (id TEXT); ALTER TABLE a DROP COLUMN b;", "DROP TABLE a;",
	} {
		if tables, err := ddl.Read(script); err == nil {
			t.Errorf("%s: %v", strings.TrimSpace(script), tables)
		}
	}
}

func compare(t *testing.T, script string, want ddl.Tables) {
	t.Helper()
	got, err := ddl.Read(script)
	if err != nil {
		t.Fatal(err)
	}
	if difference := cmp.Diff(want, got); difference != "" {
		t.Error(difference)
	}
}
