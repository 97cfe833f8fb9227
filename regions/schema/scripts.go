package schema

import (
	"fmt"

	"github.com/meridian-store/meridian/kit/sqldb"
	"github.com/meridian-store/meridian/regions/audit"
	"github.com/meridian-store/meridian/regions/cluster"
)

// Scripts returns all that Migrate sends to a fresh cluster, but for passwords: what makes roles and databases first,
// then each database's own. regions are region names, the first the primary.
func Scripts(dialect sqldb.Dialect, regions []string) ([]sqldb.Script, error) {
	var all []sqldb.Script
	for _, definition := range cluster.Services() {
		if definition.Schema == nil {
			continue
		}
		name := Database(definition.Name)
		scripts, err := sqldb.Scripts(dialect, name, name, *definition.Schema, regions)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", definition.Name, err)
		}
		all = append(all, scripts...)
	}
	reads := map[string]map[string][]string{}
	for service, columns := range audit.Reads() {
		reads[Database(service)] = columns
	}
	all = append(all, sqldb.ReaderScripts(dialect, audit.Role, reads)...)
	return joinByDatabase(all), nil
}

// joinByDatabase gives one script for each database, in the order in which they first come.
func joinByDatabase(scripts []sqldb.Script) []sqldb.Script {
	var joined []sqldb.Script
	place := map[string]int{}
	for _, script := range scripts {
		i, known := place[script.Database]
		if !known {
			place[script.Database] = len(joined)
			joined = append(joined, script)
			continue
		}
		joined[i].Text += script.Text
	}
	return joined
}
