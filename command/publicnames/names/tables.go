package names

import (
	"context"
	"fmt"

	"github.com/meridian-store/meridian/command/publicnames/ddl"
	"github.com/meridian-store/meridian/kit/sqldb"
	"github.com/meridian-store/meridian/regions"
	"github.com/meridian-store/meridian/regions/audit"
	"github.com/meridian-store/meridian/regions/schema"
)

// tables lists databases, tables and columns as a fresh cluster has them after all migrations.
func tables(_ context.Context, to *list) error {
	all, err := regions.Shipped()
	if err != nil {
		return err
	}
	var names []string
	for _, region := range all {
		names = append(names, region.Name)
	}
	scripts, err := schema.Scripts(sqldb.Cockroach, names)
	if err != nil {
		return err
	}
	for _, script := range scripts {
		if script.Database == "" {
			continue
		}
		to.add("sql-database", script.Database)
		found, err := ddl.Read(script.Text)
		if err != nil {
			return fmt.Errorf("read the schema of %s: %w", script.Database, err)
		}
		for table, columns := range found {
			to.add("sql-table", script.Database+"."+table)
			for _, column := range columns {
				to.add("sql-column", script.Database+"."+table+"."+column)
			}
		}
	}
	to.add("sql-role", audit.Role)
	return nil
}
