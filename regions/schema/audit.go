package schema

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/meridian-store/meridian/kit/sqldb"
	"github.com/meridian-store/meridian/regions/audit"
)

// grantAudit makes the role that audits and lets it read the columns that it needs.
func grantAudit(ctx context.Context, adminURL, password string) error {
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
		owner.Path = "/" + Database(service)
		if err := sqldb.GrantReads(ctx, owner.String(), audit.Role, columns); err != nil {
			return fmt.Errorf("let audits read %s: %w", service, err)
		}
	}
	return nil
}

// OpenAudited opens every database that an audit reads, by service. auditURL is the cluster's address as the role
// that audits. It does not connect yet. host is the cluster's, to be shown.
func OpenAudited(ctx context.Context, auditURL string) (databases map[string]*sqldb.DB, host string, err error) {
	base, err := url.Parse(auditURL)
	if err != nil {
		return nil, "", errors.New("the SQL cluster's address can not be read") // the error would show its password
	}
	databases = map[string]*sqldb.DB{}
	for service := range audit.Reads() {
		base.Path = "/" + Database(service)
		db, err := sqldb.Open(ctx, base.String(), nil)
		if err != nil {
			return nil, "", fmt.Errorf("the database of %s: %w", service, err)
		}
		databases[service] = db
	}
	return databases, base.Host, nil
}
