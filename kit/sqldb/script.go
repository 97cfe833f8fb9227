package sqldb

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
)

// versionTable is where goose writes down what has been applied.
const versionTable = goose.DefaultTablename

// Script is what a fresh cluster is sent in one database.
type Script struct {
	// Database is "" for the cluster's maintenance database, where roles and databases are made.
	Database string
	// Text holds statements, each ended by a semicolon, and comments.
	Text string
}

// Scripts gives all that Provision and then Migrate send for a service to a cluster that has nothing of it yet, but for the role's
// password. It needs no connection.
func Scripts(dialect Dialect, name, role string, schema Schema, regions []string) ([]Script, error) {
	outside := []string{createRole(role), createDatabase(name)}
	text := &strings.Builder{}
	write(text, before(dialect, name, regions)...)
	if err := writeMigrations(text, schema.Migrations); err != nil {
		return nil, err
	}
	write(text, after(dialect, schema, role)...)
	return []Script{{Text: written(append(outside, admit(name, role)...)...)}, {Database: name, Text: text.String()}}, nil
}

// ReaderScripts gives all that ProvisionReader and then GrantReads send for a role that reads columns, by database and table.
func ReaderScripts(dialect Dialect, role string, columns map[string]map[string][]string) []Script {
	scripts := []Script{{Text: written(createRole(role))}}
	for name, tables := range columns {
		scripts = append(scripts, Script{Database: name, Text: written(letRead(dialect, name, role, tables)...)})
	}
	slices.SortFunc(scripts, func(a, b Script) int { return cmp.Compare(a.Database, b.Database) })
	return scripts
}

func written(statements ...string) string {
	text := &strings.Builder{}
	write(text, statements...)
	return text.String()
}

func write(text *strings.Builder, statements ...string) {
	for _, statement := range statements {
		text.WriteString(strings.TrimRight(strings.TrimSpace(statement), ";") + ";\n")
	}
}

// writeMigrations writes goose's own table and each migration with the mark that goose leaves, so that a database made from the text is
// taken for migrated.
func writeMigrations(text *strings.Builder, migrations fs.FS) error {
	create, err := createVersionTable()
	if err != nil {
		return err
	}
	write(text, create, applied(0))
	files, err := migrationFiles(migrations)
	if err != nil {
		return err
	}
	for _, file := range files {
		data, err := fs.ReadFile(migrations, file.name)
		if err != nil {
			return fmt.Errorf("read migration %s: %w", file.name, err)
		}
		forward, err := forwardPart(string(data))
		if err != nil {
			return fmt.Errorf("migration %s: %w", file.name, err)
		}
		text.WriteString("\n-- " + file.name + "\n" + forward)
		write(text, applied(file.version))
	}
	text.WriteString("\n")
	return nil
}

func applied(version int64) string {
	return fmt.Sprintf(`INSERT INTO %s (version_id, is_applied) VALUES (%d, TRUE)`, versionTable, version)
}

type migrationFile struct {
	name    string
	version int64
}

// migrationFiles lists a service's migrations in the order in which they are applied.
func migrationFiles(migrations fs.FS) ([]migrationFile, error) {
	names, err := fs.Glob(migrations, "*.sql")
	if err != nil {
		return nil, fmt.Errorf("list migrations: %w", err)
	}
	files := make([]migrationFile, 0, len(names))
	for _, name := range names {
		version, err := goose.NumericComponent(name)
		if err != nil {
			return nil, fmt.Errorf("migration %s: %w", name, err)
		}
		files = append(files, migrationFile{name, version})
	}
	slices.SortFunc(files, func(a, b migrationFile) int { return cmp.Compare(a.version, b.version) })
	return files, nil
}

// forwardPart gives what a migration does going up.
func forwardPart(text string) (string, error) {
	_, forward, found := strings.Cut(text, "-- +goose Up\n")
	if !found {
		return "", errors.New("it has no line `-- +goose Up`")
	}
	forward, _, _ = strings.Cut(forward, "-- +goose Down")
	return strings.TrimSpace(forward) + "\n", nil
}

// createVersionTable asks goose what it would send.
func createVersionTable() (string, error) {
	store, err := database.NewStore(database.DialectPostgres, versionTable)
	if err != nil {
		return "", fmt.Errorf("ask goose for its table: %w", err)
	}
	var heard listener
	if err := store.CreateVersionTable(context.Background(), &heard); err != nil {
		return "", fmt.Errorf("ask goose for its table: %w", err)
	}
	return heard.statement, nil
}

// listener is a database that keeps the last statement and does nothing.
type listener struct{ statement string }

var errOnlyListens = errors.New("there is no database behind a script")

func (l *listener) ExecContext(_ context.Context, statement string, _ ...any) (sql.Result, error) {
	l.statement = statement
	return nil, nil //nolint:nilnil // goose looks at the error alone
}

func (*listener) QueryContext(context.Context, string, ...any) (*sql.Rows, error) {
	return nil, errOnlyListens
}

// QueryRowContext is never called: goose only executes to make its table.
func (*listener) QueryRowContext(context.Context, string, ...any) *sql.Row { return nil }
