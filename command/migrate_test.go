package command_test

import (
	"strings"
	"testing"
)

func TestMigratePrintsTheWholeSchemaWithoutACluster(t *testing.T) {
	t.Parallel()
	for dialect, want := range map[string][]string{
		"cockroachdb": {`CREATE DATABASE "meridian_order"`, `USE "meridian_order"`, `ADD REGION IF NOT EXISTS "ap-southeast"`, "SURVIVE REGION FAILURE", `ALTER TABLE "orders" SET LOCALITY REGIONAL BY ROW`},
		"postgres":    {`CREATE DATABASE "meridian_order"`, `\connect "meridian_order"`, "CREATE DOMAIN crdb_internal_region", `CREATE ROLE "meridian_audit" LOGIN`, "CREATE TABLE orders"},
	} {
		code, out, problems := run(t, "migrate", "--print", "--dialect", dialect)
		if code != 0 {
			t.Fatalf("%s: exit %d: %s", dialect, code, problems)
		}
		for _, text := range want {
			if !strings.Contains(out, text) {
				t.Errorf("%s: %q is not printed", dialect, text)
			}
		}
		if strings.Contains(out, "WITH PASSWORD") {
			t.Errorf("%s: a password is printed", dialect)
		}
	}
	if code, _, _ := run(t, "migrate", "--print", "--dialect", "oracle"); code != 80 {
		t.Errorf("an unknown dialect gives exit %d", code)
	}
}
