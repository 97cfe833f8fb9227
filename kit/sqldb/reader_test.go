package sqldb_test

import (
	"net/url"
	"testing"

	"github.com/meridian-store/meridian/kit/sqldb"
	"github.com/meridian-store/meridian/local/engine/enginetest"
)

func TestAReaderReadsWhatItWasLastGrantedAndNothingElse(t *testing.T) {
	t.Parallel()
	admin := enginetest.Postgres(t).SuperuserURL()
	owner, err := url.Parse(enginetest.Postgres(t).NewDatabase(t))
	if err != nil {
		t.Fatal(err)
	}
	role := owner.User.Username() + "_reader"
	db, err := sqldb.Open(t.Context(), owner.String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	exec(t, db, `CREATE TABLE people (id INT8, name TEXT)`, `CREATE TABLE others (id INT8)`)
	reader := *owner
	for round, columns := range []map[string][]string{{"people": {"id", "name"}, "others": {"id"}}, {"people": {"id"}}} {
		password := []string{"first", "second's"}[round]
		if err := sqldb.ProvisionReader(t.Context(), admin, role, password); err != nil {
			t.Fatal(err)
		}
		if err := sqldb.GrantReads(t.Context(), owner.String(), role, columns); err != nil {
			t.Fatal(err)
		}
		reader.User = url.UserPassword(role, password)
	}
	read, err := sqldb.Open(t.Context(), reader.String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	exec(t, read, `SELECT id FROM people`)
	for _, refused := range []string{`SELECT name FROM people`, `SELECT id FROM others`, `DELETE FROM people`, `INSERT INTO people (id) VALUES (1)`} {
		_, err := read.Exec(t.Context(), refused)
		refusal, ok := sqldb.AsPgError(err)
		if ok && refusal.Code == "42501" {
			continue
		}
		if enginetest.Postgres(t).Cockroach() && refused == `SELECT name FROM people` {
			continue // it has no rights on columns
		}
		t.Errorf("%s: %v", refused, err)
	}
}
