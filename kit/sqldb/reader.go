package sqldb

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// ProvisionReader makes a role that reads across services where it is missing, and sets its password. It may do nothing until
// GrantReads lets it. adminURL names the cluster's maintenance database and an owner that may create roles.
func ProvisionReader(ctx context.Context, adminURL, role, password string) (err error) {
	conn, err := pgx.Connect(ctx, adminURL)
	if err != nil {
		return fmt.Errorf("connect to provision: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	if err := makeRole(ctx, conn, role); err != nil {
		return err
	}
	return execAll(ctx, conn, []string{setPassword(role, password)})
}

// GrantReads lets a role read some columns, by table, of the database that url names as its owner, and nothing else in it. CockroachDB
// has no rights on columns; there the role may read the whole tables.
func GrantReads(ctx context.Context, url, role string, columns map[string][]string) (err error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return fmt.Errorf("connect to grant: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	dialect, err := dialectOf(ctx, conn)
	if err != nil {
		return err
	}
	return execAll(ctx, conn, letRead(dialect, conn.Config().Database, role, columns))
}

// letRead gives the rights of a role that reads across services.
func letRead(dialect Dialect, database, role string, columns map[string][]string) []string {
	name := pgx.Identifier{role}.Sanitize()
	statements := []string{
		`GRANT CONNECT ON DATABASE ` + pgx.Identifier{database}.Sanitize() + ` TO ` + name,
		`GRANT USAGE ON SCHEMA public TO ` + name,
		// What an older version read and this one does not.
		`REVOKE ALL ON ALL TABLES IN SCHEMA public FROM ` + name,
	}
	for _, table := range slices.Sorted(maps.Keys(columns)) {
		what := "SELECT"
		if dialect == Postgres {
			var quoted []string
			for _, column := range columns[table] {
				quoted = append(quoted, pgx.Identifier{column}.Sanitize())
			}
			what += " (" + strings.Join(quoted, ", ") + ")"
		}
		statements = append(statements, `GRANT `+what+` ON `+pgx.Identifier{table}.Sanitize()+` TO `+name)
	}
	return statements
}

// makeRole makes a role that may log in, where it is missing.
func makeRole(ctx context.Context, conn *pgx.Conn, role string) error {
	return makeMissing(ctx, conn, role, `SELECT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = $1)`, createRole(role))
}

func createRole(role string) string {
	return `CREATE ROLE ` + pgx.Identifier{role}.Sanitize() + ` LOGIN`
}

// makeMissing makes what a query does not find by its name.
func makeMissing(ctx context.Context, conn *pgx.Conn, name, exists, statement string) error {
	var there bool
	if err := conn.QueryRow(ctx, exists, name).Scan(&there); err != nil {
		return fmt.Errorf("look for %s: %w", name, err)
	}
	if there {
		return nil
	}
	if _, err := conn.Exec(ctx, statement); err != nil {
		return fmt.Errorf("make %s: %w", name, err)
	}
	return nil
}

func setPassword(role, password string) string {
	return `ALTER ROLE ` + pgx.Identifier{role}.Sanitize() + ` WITH PASSWORD '` + strings.ReplaceAll(password, "'", "''") + `'`
}
