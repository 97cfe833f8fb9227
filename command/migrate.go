package command

import (
	"errors"
	"fmt"
	"strings"

	"github.com/meridian-store/meridian/regions/cluster"
	"github.com/meridian-store/meridian/regions/local"
)

type migrate struct {
	AdminURL string `env:"MERIDIAN_SQL_ADMIN_URL" help:"Address of the SQL cluster as its owner (better given by the environment); the running copy's when absent."`
}

// Run provisions and migrates the database of every service. The services' passwords come from MERIDIAN_SQL_PASSWORD_<SERVICE>
// when the cluster stands elsewhere, and from the home otherwise.
func (m *migrate) Run(e *env) error {
	all, err := e.allRegions()
	if err != nil {
		return err
	}
	var names []string
	for _, region := range all {
		names = append(names, region.Name)
	}
	adminURL, passwords, err := m.target(e)
	if err != nil {
		return err
	}
	if err := local.Migrate(e.ctx, adminURL, passwords, names); err != nil {
		return err
	}
	_, err = fmt.Fprintln(e.out, "Every service's database is at the newest schema.")
	return err
}

func (m *migrate) target(e *env) (string, map[string]string, error) {
	if m.AdminURL == "" {
		_, home, err := e.running()
		if err != nil {
			return "", nil, err
		}
		return local.SQLOwner(home)
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
	return m.AdminURL, passwords, errors.Join(missing...)
}
