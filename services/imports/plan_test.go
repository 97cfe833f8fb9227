package imports

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// explain gives the plan of a statement when the tables are too large to be read whole.
func explain(t *testing.T, s shop, sql string, args ...any) string {
	t.Helper()
	var plan []string
	err := s.DB.InTx(t.Context(), func(tx pgx.Tx) error {
		if _, err := tx.Exec(t.Context(), `SET LOCAL enable_seqscan = off`); err != nil {
			return err
		}
		rows, err := tx.Query(t.Context(), `EXPLAIN `+sql, args...)
		if err != nil {
			return err
		}
		plan, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(plan, "\n")
}
