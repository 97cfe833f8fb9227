package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib" // the database/sql driver that goose runs on
	"github.com/pressly/goose/v3"
)

// Schema is a service's tables: migrations that mean the same on both engines, and where CockroachDB keeps their rows.
type Schema struct {
	// Migrations holds goose files named NNNNN_title.sql.
	Migrations fs.FS
	// RegionalByRow tables are homed row by row in their crdb_region; Global ones are read locally everywhere.
	RegionalByRow, Global []string
}

// Migrate brings a service's database to the newest schema and grants its role the rows, not the tables. url is the owner's;
// regions are region names, the first the primary. Run by one process before the services start: CockroachDB has no advisory locks.
func Migrate(ctx context.Context, url string, schema Schema, role string, regions []string) (err error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return fmt.Errorf("connect to migrate: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	dialect, err := dialectOf(ctx, conn)
	if err != nil {
		return err
	}
	if err := execAll(ctx, conn, before(dialect, conn.Config().Database, regions)); err != nil {
		return err
	}
	if err := up(ctx, url, schema.Migrations); err != nil {
		return err
	}
	return execAll(ctx, conn, after(dialect, schema, role))
}

// before gives what must stand before any table does.
func before(dialect Dialect, database string, regions []string) []string {
	if dialect == Postgres {
		return []string{`DO $$ BEGIN CREATE DOMAIN crdb_internal_region AS text; EXCEPTION WHEN duplicate_object THEN NULL; END $$`}
	}
	name := pgx.Identifier{database}.Sanitize()
	statements := []string{fmt.Sprintf(`ALTER DATABASE %s SET PRIMARY REGION %q`, name, regions[0])}
	for _, region := range regions[1:] {
		statements = append(statements, fmt.Sprintf(`ALTER DATABASE %s ADD REGION IF NOT EXISTS %q`, name, region))
	}
	return append(statements, fmt.Sprintf(`ALTER DATABASE %s SURVIVE REGION FAILURE`, name))
}

// after gives the localities and the role's rights.
func after(dialect Dialect, schema Schema, role string) []string {
	var statements []string
	if dialect == Cockroach {
		for _, table := range schema.RegionalByRow {
			statements = append(statements, `ALTER TABLE `+pgx.Identifier{table}.Sanitize()+` SET LOCALITY REGIONAL BY ROW`)
		}
		for _, table := range schema.Global {
			statements = append(statements, `ALTER TABLE `+pgx.Identifier{table}.Sanitize()+` SET LOCALITY GLOBAL`)
		}
	}
	name := pgx.Identifier{role}.Sanitize()
	return append(statements,
		`GRANT USAGE ON SCHEMA public TO `+name,
		`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO `+name)
}

func up(ctx context.Context, url string, migrations fs.FS) error {
	db, err := sql.Open("pgx", url)
	if err != nil {
		return fmt.Errorf("open for migrations: %w", err)
	}
	defer db.Close()
	provider, err := goose.NewProvider(goose.DialectPostgres, db, migrations)
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// CheckCurrent refuses a database that lacks a migration this binary knows, and names the command that mends it.
func (db *DB) CheckCurrent(ctx context.Context, migrations fs.FS) error {
	files, err := migrationFiles(migrations)
	if err != nil {
		return err
	}
	var newest, applied int64
	if len(files) > 0 {
		newest = files[len(files)-1].version
	}
	err = db.QueryRow(ctx, `SELECT COALESCE(max(version_id), 0) FROM goose_db_version WHERE is_applied`).Scan(&applied)
	if pgErr, ok := AsPgError(err); ok && pgErr.Code == "42P01" {
		applied, err = 0, nil
	}
	if err != nil {
		return fmt.Errorf("read the schema's version: %w", err)
	}
	if applied < newest {
		return fmt.Errorf("the database is at schema %d and this binary needs %d: run `meridian migrate`", applied, newest)
	}
	return nil
}

// Provision makes a service's role and database where they are missing, and sets the role's password. adminURL names the
// cluster's maintenance database and an owner that may create both.
func Provision(ctx context.Context, adminURL, database, role, password string) (err error) {
	conn, err := pgx.Connect(ctx, adminURL)
	if err != nil {
		return fmt.Errorf("connect to provision: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	if err := makeRole(ctx, conn, role); err != nil {
		return err
	}
	err = makeMissing(ctx, conn, database, `SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1)`, createDatabase(database))
	if err != nil {
		return err
	}
	return execAll(ctx, conn, append([]string{setPassword(role, password)}, admit(database, role)...))
}

func createDatabase(database string) string {
	return `CREATE DATABASE ` + pgx.Identifier{database}.Sanitize() + ` TEMPLATE template0`
}

// admit lets one role and nobody else into a database.
func admit(database, role string) []string {
	name := pgx.Identifier{database}.Sanitize()
	return []string{`REVOKE ALL ON DATABASE ` + name + ` FROM PUBLIC`, `GRANT CONNECT ON DATABASE ` + name + ` TO ` + pgx.Identifier{role}.Sanitize()}
}

func execAll(ctx context.Context, conn *pgx.Conn, statements []string) error {
	for _, statement := range statements {
		if _, err := conn.Exec(ctx, statement); err != nil {
			verb, _, _ := strings.Cut(statement, " WITH PASSWORD")
			return fmt.Errorf("%s: %w", verb, err)
		}
	}
	return nil
}
