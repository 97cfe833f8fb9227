package enginetest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/local/engine/postgres"
	"github.com/meridian-store/meridian/local/process"
)

const databaseTimeout = time.Minute

// PG is a SQL server for tests: PostgreSQL without fsync, or what MERIDIAN_TEST_SQL_URL
// names, which may be CockroachDB.
type PG struct {
	superuserURL string
	cockroach    bool
}

var sqlServer = sync.OnceValues(func() (*PG, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	server := &PG{superuserURL: os.Getenv("MERIDIAN_TEST_SQL_URL")}
	if server.superuserURL == "" {
		var err error
		if server.superuserURL, err = startPostgres(); err != nil {
			return nil, err
		}
	}
	conn, err := pgx.Connect(ctx, server.superuserURL)
	if err != nil {
		return nil, fmt.Errorf("connect to the SQL server for tests: %w", err)
	}
	var version string
	err = conn.QueryRow(ctx, "select version()").Scan(&version)
	server.cockroach = strings.Contains(version, "CockroachDB")
	return server, errors.Join(err, conn.Close(ctx))
})

func startPostgres() (superuserURL string, err error) {
	config := postgres.Config{
		Name:          "test/postgres",
		Password:      rand.Text(),
		Volatile:      true,
		DieWithParent: true,
	}
	err = binary.start(1, func(folder string, port int) (process.Spec, error) {
		config.Port = port
		config.DataDir = filepath.Join(folder, "postgres")
		config.LogFile = filepath.Join(folder, "postgres.log")
		return postgres.Spec(config)
	})
	return config.URL("postgres"), err
}

// Postgres returns the test binary's SQL server.
func Postgres(t testing.TB) *PG {
	t.Helper()
	server, err := sqlServer()
	if err != nil {
		t.Fatal(err)
	}
	return server
}

// SuperuserURL is the address of the server's first database, for what only a
// superuser may do.
func (p *PG) SuperuserURL() string { return p.superuserURL }

// Cockroach reports whether the server is CockroachDB rather than PostgreSQL.
func (p *PG) Cockroach() bool { return p.cockroach }

// NewDatabase makes an empty database and an ordinary role that owns it, and returns
// the URL by which that role connects. Both are dropped when the test ends.
func (p *PG) NewDatabase(t testing.TB) string {
	t.Helper()
	name := Prefix() // of both; it needs no quotes
	password := rand.Text()
	t.Cleanup(func() {
		drop := "drop database if exists " + name + " with (force)"
		if p.cockroach {
			drop = "drop database if exists " + name + " cascade"
		}
		if err := p.execute(drop, "drop role if exists "+name); err != nil {
			t.Errorf("drop test database: %v", err)
		}
	})
	err := p.execute(
		fmt.Sprintf("create role %s login password '%s'", name, password),
		fmt.Sprintf("create database %s template template0 owner %s", name, name),
	)
	if err != nil {
		t.Fatalf("make test database: %v", err)
	}
	address, err := url.Parse(p.superuserURL)
	if err != nil {
		t.Fatal("the SQL server's URL for tests cannot be parsed") // the error would show the password
	}
	address.User = url.UserPassword(name, password)
	address.Path = "/" + name
	return address.String()
}

// execute runs the statements one by one, each in its own transaction.
func (p *PG) execute(statements ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), databaseTimeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, p.superuserURL)
	if err != nil {
		return err
	}
	for _, statement := range statements {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return errors.Join(err, conn.Close(ctx))
		}
	}
	return conn.Close(ctx)
}
