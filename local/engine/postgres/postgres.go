// Package postgres runs one local PostgreSQL server, which stands for the SQL cluster
// that all regions share in production. It is therefore durable: fsync is on, data
// checksums are on, and it recovers from the death of any of its processes.
package postgres

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/local/engine"
	"github.com/meridian-store/meridian/local/process"
)

// Superuser is the role that owns the server. Services get roles of their own.
const Superuser = "postgres"

const defaultMaxConnections = 200

// Config says where the server keeps its data and how it is reached. Name, DataDir,
// Port and Password are required.
type Config struct {
	// Name is the process's name, such as "sql/postgres".
	Name string
	// DataDir is an absolute path. It is made at the first start.
	DataDir string
	// Port on 127.0.0.1. There is no Unix socket.
	Port int
	// Password of [Superuser]. It counts when DataDir is made, and never changes after.
	Password string
	LogFile  string
	// MaxConnections is 200 by default.
	MaxConnections int
	// Volatile trades all durability for speed. For tests.
	Volatile bool
	// DieWithParent is that of [process.Spec].
	DieWithParent bool
}

// URL returns the address of a database as the superuser. It holds the password: keep
// it out of logs and command lines.
func (c Config) URL(database string) string {
	u := url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword(Superuser, c.Password),
		Host:     net.JoinHostPort("127.0.0.1", strconv.Itoa(c.Port)),
		Path:     "/" + database,
		RawQuery: "sslmode=disable",
	}
	return u.String()
}

// Spec returns what to run. As root the server runs as an ordinary user, because
// PostgreSQL refuses root; see account. The error is [engine.MissingError] when the
// machine has no PostgreSQL.
func Spec(config Config) (process.Spec, error) {
	program, err := engine.Find(engine.Postgres)
	if err != nil {
		return process.Spec{}, err
	}
	if !filepath.IsAbs(config.DataDir) {
		return process.Spec{}, fmt.Errorf("postgres data folder %q is not an absolute path", config.DataDir)
	}
	account, err := chooseAccount(config.DataDir, program.Path)
	if err != nil {
		return process.Spec{}, err
	}
	return process.Spec{
		Name:          config.Name,
		Path:          program.Path,
		Args:          arguments(config),
		Env:           program.Env,
		Dir:           "/",
		LogFile:       config.LogFile,
		StopSignal:    syscall.SIGINT, // "fast": ends sessions, writes a checkpoint
		StopTimeout:   30 * time.Second,
		Credential:    account.credential,
		AmbientCaps:   account.capabilities,
		DieWithParent: config.DieWithParent,
		Prepare:       cluster{config: config, program: program, account: account}.prepare,
		Ready:         func(ctx context.Context) error { return Ready(ctx, config.URL("postgres")) },
	}, nil
}

// Ready returns nil when the server at the URL answers a query.
func Ready(ctx context.Context, databaseURL string) error {
	conn, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		return fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	defer conn.Close(ctx) //nolint:errcheck // the answer has been read by then
	var one int
	if err := conn.QueryRow(ctx, "select 1").Scan(&one); err != nil {
		return fmt.Errorf("query PostgreSQL: %w", err)
	}
	return nil
}

// arguments are the server's settings. They are no file of the data folder, so that a
// newer Meridian changes them for old data too.
func arguments(config Config) []string {
	maxConnections := config.MaxConnections
	if maxConnections == 0 {
		maxConnections = defaultMaxConnections
	}
	settings := []string{
		"listen_addresses=127.0.0.1",
		"port=" + strconv.Itoa(config.Port),
		"unix_socket_directories=",
		"max_connections=" + strconv.Itoa(maxConnections),
		"password_encryption=scram-sha-256",
		// Small: it shares a laptop with everything else.
		"shared_buffers=64MB",
		"max_wal_size=512MB",
		"jit=off",
		// A freshly imported catalog is planned for as if it were empty until it is analysed, which by default takes up to a minute.
		"autovacuum_naptime=5s",
		// Nobody replicates from it.
		"wal_level=minimal",
		"max_wal_senders=0",
		// The one time zone that needs no files on the machine.
		"timezone=GMT",
		"log_timezone=GMT",
		"lc_messages=C",
		"log_line_prefix=%m [%p] %q%u@%d ",
		// Statements and details of errors may hold personal data.
		"log_min_error_statement=panic",
		"log_error_verbosity=terse",
	}
	if config.Volatile {
		settings = append(settings, "fsync=off", "synchronous_commit=off", "full_page_writes=off")
	} else {
		settings = append(settings, "fsync=on", "synchronous_commit=on", "full_page_writes=on")
	}
	args := []string{"-D", config.DataDir}
	for _, setting := range settings {
		args = append(args, "-c", setting)
	}
	return args
}
