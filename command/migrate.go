package command

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/meridian-store/meridian/kit/sqldb"
	"github.com/meridian-store/meridian/regions/audit"
	"github.com/meridian-store/meridian/regions/cluster"
	"github.com/meridian-store/meridian/regions/schema"
)

type migrate struct {
	AdminURL string `env:"MERIDIAN_SQL_ADMIN_URL" help:"Address of the SQL cluster as its owner (better given by the environment); ${no_sql_address}."`
	Print    bool   `help:"Print what a fresh cluster is sent, instead of sending it. Needs no cluster; passwords are not in it."`
	Dialect  string `help:"The engine to print for: cockroachdb or postgres." default:"cockroachdb" enum:"cockroachdb,postgres"`
}

// Run provisions and migrates the database of every service. The services' passwords come from MERIDIAN_SQL_PASSWORD_<SERVICE>
// when the cluster stands elsewhere, and from the home otherwise; the role that audits is made there when MERIDIAN_SQL_PASSWORD_AUDIT
// is set.
func (m *migrate) Run(e *env) error {
	all, err := e.allRegions()
	if err != nil {
		return err
	}
	var names []string
	for _, region := range all {
		names = append(names, region.Name)
	}
	if m.Print {
		return printScripts(e.out, sqldb.Dialect(m.Dialect), names)
	}
	adminURL, passwords, err := m.target(e)
	if err != nil {
		return err
	}
	if err := schema.Migrate(e.ctx, adminURL, passwords, names); err != nil {
		return err
	}
	_, err = fmt.Fprintln(e.out, "Every service's database is at the newest schema.")
	return err
}

func (m *migrate) target(e *env) (string, map[string]string, error) {
	if m.AdminURL == "" {
		return e.copy.sqlOwner()
	}
	passwords := map[string]string{}
	var missing []error
	for _, definition := range cluster.Services() {
		if definition.Schema == nil {
			continue
		}
		name := "MERIDIAN_SQL_PASSWORD_" + strings.ToUpper(definition.Name)
		if passwords[definition.Name] = e.lookup(name); passwords[definition.Name] == "" {
			missing = append(missing, fmt.Errorf("%s is not set", name))
		}
	}
	if password := e.lookup("MERIDIAN_SQL_PASSWORD_AUDIT"); password != "" {
		passwords[audit.Role] = password
	}
	return m.AdminURL, passwords, errors.Join(missing...)
}

// printScripts writes a fresh cluster's schema for `cockroach sql` or psql, each database's part after the step into it.
func printScripts(out io.Writer, dialect sqldb.Dialect, regions []string) error {
	scripts, err := schema.Scripts(dialect, regions)
	if err != nil {
		return err
	}
	enter := "USE \"%s\";\n"
	if dialect == sqldb.Postgres {
		enter = "\\connect \"%s\"\n"
	}
	text := &strings.Builder{}
	fmt.Fprintf(text, "-- What `meridian migrate` sends to a fresh cluster of the regions %s, for %s.\n", strings.Join(regions, ", "), dialect)
	fmt.Fprintln(text, "-- It also sets each role's password, which is never printed.")
	for _, script := range scripts {
		if script.Database != "" {
			fmt.Fprintf(text, "\n"+enter, script.Database)
		}
		text.WriteString(script.Text)
	}
	_, err = io.WriteString(out, text.String())
	return err
}
