package launcher

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"time"

	"github.com/meridian-store/meridian/regions"
	"github.com/meridian-store/meridian/regions/schema"
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
	if err := schema.Migrate(ctx, admin, l.secrets.sqlPasswords(), l.regionNames()); err != nil {
		return err
	}
	l.note("%-28s migrated in %.1f s", "databases", time.Since(begun).Seconds())
	return nil
}

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
	name := schema.Database(service)
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

// SQLOwner gives the owner's address and the roles' passwords, as schema.Migrate takes them, of the copy that runs
// from a home.
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

// SQLOwnerURL gives the owner's address of the SQL server that the copy of a home uses. It holds a password: never
// show it.
func SQLOwnerURL(home Home, all []regions.Region) (string, error) {
	for _, region := range all {
		if region.Engines.SQL == "" {
			continue
		}
		if admin := os.Getenv(sqlAdminEnv); admin != "" {
			return admin, nil
		}
		return "", fmt.Errorf("the SQL cluster stands elsewhere; %s must give its owner's address", sqlAdminEnv)
	}
	address, _, err := SQLOwner(home)
	return address, err
}
