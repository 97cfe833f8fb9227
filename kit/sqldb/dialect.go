package sqldb

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Dialect is the engine that schema statements are for. Every other statement means the same on both.
type Dialect string

// The engines.
const (
	Cockroach Dialect = "cockroachdb"
	Postgres  Dialect = "postgres"
)

func dialectOf(ctx context.Context, conn *pgx.Conn) (Dialect, error) {
	var version string
	if err := conn.QueryRow(ctx, `SELECT version()`).Scan(&version); err != nil {
		return "", fmt.Errorf("ask for the version: %w", err)
	}
	if strings.Contains(version, "CockroachDB") {
		return Cockroach, nil
	}
	return Postgres, nil
}
