package enginetest_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/local/engine/enginetest"
)

func TestDatabasesAreApartAndOrdinary(t *testing.T) {
	t.Parallel()
	server := enginetest.Postgres(t)
	for range 2 {
		conn, err := pgx.Connect(t.Context(), server.NewDatabase(t))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := conn.Close(t.Context()); err != nil && t.Context().Err() == nil {
				t.Error(err)
			}
		})
		// Fails the second time if both are one database.
		if _, err := conn.Exec(t.Context(), "create table product (id int primary key)"); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Exec(t.Context(), "create role other"); err == nil {
			t.Error("the role of a test database may make roles")
		}
	}
}

func TestDroppedDatabaseIsGone(t *testing.T) {
	t.Parallel()
	server := enginetest.Postgres(t)
	var address string
	t.Run("use", func(t *testing.T) { address = server.NewDatabase(t) })
	if conn, err := pgx.Connect(t.Context(), address); err == nil {
		t.Error("it can still be reached", conn.Close(t.Context()))
	}
}
