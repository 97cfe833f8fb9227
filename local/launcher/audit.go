package launcher

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"

	"github.com/meridian-store/meridian/kit/sqldb"
	"github.com/meridian-store/meridian/regions"
	"github.com/meridian-store/meridian/regions/audit"
)

// sqlPasswords gives the passwords that Migrate sets.
func (s secrets) sqlPasswords() map[string]string {
	passwords := map[string]string{}
	maps.Copy(passwords, s.SQLRoles)
	if s.SQLAudit != "" { // a home from before there were audits gets one at its next start
		passwords[audit.Role] = s.SQLAudit
	}
	return passwords
}

// letAudit makes the role that audits and lets it read what it needs.
func letAudit(ctx context.Context, adminURL, password string) error {
	if password == "" {
		return nil
	}
	if err := sqldb.ProvisionReader(ctx, adminURL, audit.Role, password); err != nil {
		return fmt.Errorf("the role that audits: %w", err)
	}
	owner, err := url.Parse(adminURL)
	if err != nil {
		return errors.New("the owner's SQL address can not be read") // the error would show its password
	}
	for service, columns := range audit.Reads() {
		owner.Path = "/" + databaseOf(service)
		if err := sqldb.GrantReads(ctx, owner.String(), audit.Role, columns); err != nil {
			return fmt.Errorf("let audits read %s: %w", service, err)
		}
	}
	return nil
}

// AuditDatabases opens what an audit reads, as the role that audits: of the SQL cluster at an address, and without one of the copy that
// runs from a home. It does not connect yet. where is the cluster's host, for people.
func AuditDatabases(ctx context.Context, home Home, all []regions.Region, given string) (databases map[string]*sqldb.DB, where string, err error) {
	base, err := auditURL(home, all, given)
	if err != nil {
		return nil, "", err
	}
	databases = map[string]*sqldb.DB{}
	for service := range audit.Reads() {
		base.Path = "/" + databaseOf(service)
		db, err := sqldb.Open(ctx, base.String(), nil)
		if err != nil {
			return nil, "", fmt.Errorf("the database of %s: %w", service, err)
		}
		databases[service] = db
	}
	return databases, base.Host, nil
}

func auditURL(home Home, all []regions.Region, given string) (*url.URL, error) {
	if given == "" {
		for _, region := range all {
			if region.Engines.SQL != "" {
				return nil, fmt.Errorf("the SQL cluster stands elsewhere; MERIDIAN_SQL_AUDIT_URL must give its address as %s", audit.Role)
			}
		}
		state, _, err := ReadState(home)
		if err != nil {
			return nil, err
		}
		var s secrets
		if _, err := home.readJSON(secretsFile, &s); err != nil {
			return nil, err
		}
		given = sqlURL(address(Ports{Base: state.BasePort}.SQL()), audit.Role, s.SQLAudit, "", false)
	}
	base, err := url.Parse(given)
	if err != nil {
		return nil, errors.New("the SQL cluster's address can not be read") // the error would show its password
	}
	return base, nil
}
