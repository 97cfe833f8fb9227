package launcher

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/meridian-store/meridian/kit"
	"github.com/meridian-store/meridian/kit/sqldb"
	"github.com/meridian-store/meridian/regions/audit"
	"github.com/meridian-store/meridian/regions/cluster"
)

// sqlAdminEnv names the owner of an SQL cluster that stands elsewhere; the local one's owner is made here.
const sqlAdminEnv = "MERIDIAN_SQL_ADMIN_URL"

// migrate gives every service its role, its database and the newest schema.
func (l *launcher) migrate(ctx context.Context) error {
	begun := time.Now()
	admin, err := l.sqlAdminURL()
	if err != nil {
		return err
	}
	if err := Migrate(ctx, admin, l.secrets.sqlPasswords(), l.regionNames()); err != nil {
		return err
	}
	l.note("%-28s migrated in %.1f s", "databases", time.Since(begun).Seconds())
	return nil
}

// Migrate provisions and migrates the database of every service that has one. passwords are by service, and by audit.Role that of the
// role that audits; without it there is none.
func Migrate(ctx context.Context, adminURL string, passwords map[string]string, regions []string) error {
	if err := migrateAll(ctx, adminURL, passwords, regions); err != nil {
		return err
	}
	return letAudit(ctx, adminURL, passwords[audit.Role])
}

func migrateAll(ctx context.Context, adminURL string, passwords map[string]string, regions []string) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, definition := range cluster.Services() {
		if definition.Schema != nil {
			group.Go(func() error { return migrateOne(ctx, adminURL, definition, passwords[definition.Name], regions) })
		}
	}
	return group.Wait()
}

func migrateOne(ctx context.Context, adminURL string, definition kit.Definition, password string, regions []string) error {
	name := databaseOf(definition.Name)
	if err := sqldb.Provision(ctx, adminURL, name, name, password); err != nil {
		return fmt.Errorf("%s: %w", definition.Name, err)
	}
	owner, err := url.Parse(adminURL)
	if err != nil {
		return fmt.Errorf("read the owner's SQL address: %w", err)
	}
	owner.Path = "/" + name
	if err := sqldb.Migrate(ctx, owner.String(), *definition.Schema, name, regions); err != nil {
		return fmt.Errorf("%s: %w", definition.Name, err)
	}
	return nil
}

// databaseOf names a service's database and its role, which are called the same.
func databaseOf(service string) string { return "meridian_" + service }

// sqlAdminURL is the owner's address of the SQL cluster.
func (l *launcher) sqlAdminURL() (string, error) {
	if !l.ownsSQL() {
		if admin := os.Getenv(sqlAdminEnv); admin != "" {
			return admin, nil
		}
		return "", fmt.Errorf("the region files name an SQL cluster, so %s must give its owner's address", sqlAdminEnv)
	}
	return sqlURL(address(l.ports.SQL()), "postgres", l.secrets.SQLAdmin, "postgres", false), nil
}

// sqlURL is a service's own address of the SQL cluster.
func (l *launcher) sqlURL(i int, service string) string {
	name := databaseOf(service)
	if outside := l.Regions[i].Engines.SQL; outside != "" {
		return sqlURL(outside, name, l.secrets.SQLRoles[service], name, true)
	}
	return sqlURL(address(l.ports.SQL()), name, l.secrets.SQLRoles[service], name, false)
}

// sqlURL writes a connection string; a cluster that stands elsewhere is reached over TLS.
func sqlURL(host, user, password, database string, tls bool) string {
	mode := "disable"
	if tls {
		mode = "verify-full"
	}
	address := url.URL{Scheme: "postgres", User: url.UserPassword(user, password), Host: host, Path: "/" + database, RawQuery: "sslmode=" + mode}
	return address.String()
}

// ownsSQL says whether the one SQL server is ours to start.
func (l *launcher) ownsSQL() bool {
	for _, region := range l.Regions {
		if region.Engines.SQL != "" {
			return false
		}
	}
	return true
}

// SQLOwner gives the owner's address and the roles' passwords, as Migrate takes them, of the copy that runs from a home.
func SQLOwner(home Home) (adminURL string, passwords map[string]string, err error) {
	state, _, err := ReadState(home)
	if err != nil {
		return "", nil, err
	}
	var s secrets
	if _, err := home.readJSON(secretsFile, &s); err != nil {
		return "", nil, err
	}
	return sqlURL(address(Ports{Base: state.BasePort}.SQL()), "postgres", s.SQLAdmin, "postgres", false), s.sqlPasswords(), nil
}
