// Package schema gives every service its database: its role, its tables and the columns that an audit may read. It is
// what `meridian migrate` does on any cluster.
package schema

import (
	"context"
	"fmt"
	"net/url"

	"golang.org/x/sync/errgroup"

	"github.com/meridian-store/meridian/kit"
	"github.com/meridian-store/meridian/kit/sqldb"
	"github.com/meridian-store/meridian/regions/audit"
	"github.com/meridian-store/meridian/regions/cluster"
)

// Database returns the name of a service's database, which is also the name of its role.
func Database(service string) string { return "meridian_" + service }

// Migrate provisions and migrates the database of every service that has one. adminURL is the cluster's address as
// its owner. passwords are by service; the password under audit.Role is that of the role that audits, which is not
// made without one. regions are region names, the primary first. Migrate may be repeated.
func Migrate(ctx context.Context, adminURL string, passwords map[string]string, regions []string) error {
	if err := migrateAll(ctx, adminURL, passwords, regions); err != nil {
		return err
	}
	return grantAudit(ctx, adminURL, passwords[audit.Role])
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
	name := Database(definition.Name)
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
