package sqldb_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/kit/sqldb"
	"github.com/meridian-store/meridian/local/engine/enginetest"
)

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return conn
}

func rows(t *testing.T, conn *pgx.Conn, query string, args ...any) []string {
	t.Helper()
	found, err := conn.Query(t.Context(), query, args...)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(found, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

func things() sqldb.Schema {
	return sqldb.Schema{RegionalByRow: []string{"things"}, Global: []string{"words"}, Migrations: fstest.MapFS{
		"00009_words.sql":  {Data: []byte("-- +goose Up\nCREATE TABLE words (word TEXT PRIMARY KEY);\n-- +goose Down\nDROP TABLE words;\n")},
		"00010_things.sql": {Data: []byte("-- +goose Up\nCREATE TABLE things (crdb_region crdb_internal_region NOT NULL, id INT8 NOT NULL, PRIMARY KEY (crdb_region, id));\nCREATE INDEX things_by_id ON things (id);\n-- +goose Down\nDROP TABLE things;\n")},
	}}
}

// What is printed is worth nothing unless it is what is sent: a database made from the text must not differ from a migrated one.
func TestScriptsMakeTheDatabaseThatMigrateMakes(t *testing.T) {
	t.Parallel()
	admin := enginetest.Postgres(t).SuperuserURL()
	const migrated, scripted, reader = "test_script_migrated", "test_script_scripted", "test_script_reader"
	at := func(database string) string { return strings.Replace(admin, "/postgres?", "/"+database+"?", 1) }
	columns := map[string][]string{"things": {"id"}}

	if err := sqldb.Provision(t.Context(), admin, migrated, migrated, "not a secret"); err != nil {
		t.Fatal(err)
	}
	if err := sqldb.Migrate(t.Context(), at(migrated), things(), migrated, []string{"us-east"}); err != nil {
		t.Fatal(err)
	}

	scripts, err := sqldb.Scripts(sqldb.Postgres, scripted, scripted, things(), []string{"us-east"})
	if err != nil {
		t.Fatal(err)
	}
	scripts = append(scripts, sqldb.ReaderScripts(sqldb.Postgres, reader, map[string]map[string][]string{scripted: columns})...)
	for _, script := range scripts {
		if script.Database != "" {
			if _, err := connect(t, at(script.Database)).PgConn().Exec(t.Context(), script.Text).ReadAll(); err != nil {
				t.Fatalf("%v in\n%s", err, script.Text)
			}
			continue
		}
		conn := connect(t, admin)
		for statement := range strings.SplitSeq(strings.TrimSpace(script.Text), "\n") { // databases are made outside transactions
			if _, err := conn.Exec(t.Context(), statement); err != nil {
				t.Fatalf("%v in %s", err, statement)
			}
		}
	}
	if err := sqldb.GrantReads(t.Context(), at(migrated), reader, columns); err != nil {
		t.Fatal(err)
	}

	for what, query := range map[string]string{
		"columns":     `SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1`,
		"constraints": `SELECT conrelid::regclass || ' ' || pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1`,
		"indexes":     `SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1`,
		"versions":    `SELECT version_id || ' ' || is_applied FROM goose_db_version ORDER BY id`,
		"rights": `SELECT replace(grantee, current_database(), 'owner') || ' ' || table_name || ' ' || privilege_type FROM information_schema.table_privileges
			WHERE table_schema = 'public' AND grantee <> 'postgres' ORDER BY 1`,
		"rights on columns": `SELECT replace(grantee, current_database(), 'owner') || ' ' || table_name || '.' || column_name || ' ' || privilege_type
			FROM information_schema.column_privileges WHERE table_schema = 'public' AND grantee <> 'postgres' ORDER BY 1`,
	} {
		want, got := rows(t, connect(t, at(migrated)), query), rows(t, connect(t, at(scripted)), query)
		if len(want) == 0 || !slices.Equal(want, got) {
			t.Errorf("%s: migrating makes\n%s\nthe script\n%s", what, strings.Join(want, "\n"), strings.Join(got, "\n"))
		}
	}
}

func TestScriptsForCockroachSayWhereRowsLive(t *testing.T) {
	t.Parallel()
	scripts, err := sqldb.Scripts(sqldb.Cockroach, "shop", "shop", things(), []string{"us-east", "eu-west", "ap-southeast"})
	if err != nil {
		t.Fatal(err)
	}
	if len(scripts) != 2 || scripts[0].Database != "" || scripts[1].Database != "shop" {
		t.Fatalf("got %+v", scripts)
	}
	rest := scripts[0].Text + scripts[1].Text
	for _, statement := range []string{ // in this order
		`CREATE ROLE "shop" LOGIN;`, `CREATE DATABASE "shop" TEMPLATE template0;`, `ALTER DATABASE "shop" SET PRIMARY REGION "us-east";`,
		`ALTER DATABASE "shop" ADD REGION IF NOT EXISTS "ap-southeast";`, `ALTER DATABASE "shop" SURVIVE REGION FAILURE;`,
		`CREATE TABLE words`, `CREATE TABLE things`, `VALUES (10, TRUE);`,
		`ALTER TABLE "things" SET LOCALITY REGIONAL BY ROW;`, `ALTER TABLE "words" SET LOCALITY GLOBAL;`, `TO "shop";`,
	} {
		_, after, found := strings.Cut(rest, statement)
		if !found {
			t.Fatalf("%s is missing, or out of order, in\n%s%s", statement, scripts[0].Text, scripts[1].Text)
		}
		rest = after
	}
	if text := scripts[0].Text + scripts[1].Text; strings.Contains(text, "DROP TABLE") || strings.Contains(text, "PASSWORD") {
		t.Errorf("it takes back, or shows, too much:\n%s", text)
	}
}

func TestScriptsRefuseAMigrationWithoutAWayUp(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{"00010_x.sql": "CREATE TABLE x (id INT8);", "x.sql": "-- +goose Up\n"} {
		schema := sqldb.Schema{Migrations: fstest.MapFS{name: {Data: []byte(text)}}}
		if _, err := sqldb.Scripts(sqldb.Postgres, "x", "x", schema, []string{"us-east"}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
