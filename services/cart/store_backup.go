package cart

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/kit/sqldb"
)

// backups keeps copies of idle carts in SQL, each in its home region's rows.
type backups struct {
	db *sqldb.DB
	// regions are region names by code, as cart ids tell them.
	regions map[string]string
}

func newBackups(db *sqldb.DB, regions []contract.Region) *backups {
	b := &backups{db: db, regions: map[string]string{}}
	for _, region := range regions {
		b.regions[region.Code] = region.Name
	}
	return b
}

// usedCart is a cart and when it was last used.
type usedCart struct {
	cart
	lastUse time.Time
}

// savedLine is a line as a backup holds it.
type savedLine struct {
	SKU      string `json:"sku"`
	Quantity int64  `json:"quantity"`
	Region   string `json:"region,omitempty"`
	Version  int64  `json:"version"`
	Added    int64  `json:"added"`
}

// savedCode is a promotion code as a backup holds it.
type savedCode struct {
	Code    string `json:"code"`
	Title   string `json:"title"`
	Entered bool   `json:"entered"`
	Region  string `json:"region,omitempty"`
	Version int64  `json:"version"`
	Added   int64  `json:"added"`
}

// save writes carts that are newer than their backups: one round trip, one commit, whatever their number.
func (b *backups) save(ctx context.Context, carts []usedCart) error {
	if len(carts) == 0 {
		return nil
	}
	var regions, ids, hashes, currencies, lines, codes, orders []string
	var abandoned []bool
	var versions []int64
	var lastUses []time.Time
	for _, c := range carts {
		if c.site != "" {
			continue // its home has the backup
		}
		region, err := b.homeOf(c.id)
		if err != nil {
			continue // of a region that is no more: there is no home for its backup, and the others must not wait for one
		}
		saved, err := encodeSaved(c.cart)
		if err != nil {
			return err
		}
		regions, ids, versions = append(regions, region), append(ids, c.id), append(versions, c.version)
		hashes, currencies = append(hashes, c.secretHash), append(currencies, c.currency)
		lines, codes, orders = append(lines, saved.lines), append(codes, saved.codes), append(orders, saved.orders)
		abandoned, lastUses = append(abandoned, c.abandoned), append(lastUses, c.lastUse)
	}
	_, err := b.db.Exec(ctx, `
		INSERT INTO cart_backups AS b (crdb_region, cart_id, version, secret_hash, currency, lines, orders, updated_at, codes, abandoned)
		SELECT r, i, v, h, c, l::JSONB, o::JSONB, u, p::JSONB, a
		FROM unnest($1::TEXT[], $2::TEXT[], $3::INT8[], $4::TEXT[], $5::TEXT[], $6::TEXT[], $7::TEXT[], $8::TIMESTAMPTZ[], $9::TEXT[], $10::BOOL[])
			AS d(r, i, v, h, c, l, o, u, p, a)
		ON CONFLICT (crdb_region, cart_id) DO UPDATE SET
			version = excluded.version, lines = excluded.lines, orders = excluded.orders, updated_at = excluded.updated_at,
			codes = excluded.codes, abandoned = excluded.abandoned
		WHERE excluded.version > b.version OR (excluded.version = b.version AND excluded.updated_at > b.updated_at)`,
		regions, ids, versions, hashes, currencies, lines, orders, lastUses, codes, abandoned)
	if err != nil {
		return fmt.Errorf("back up %d carts: %w", len(carts), err)
	}
	return nil
}

const findBackup = `
	SELECT version, secret_hash, currency, lines, orders, updated_at, codes, abandoned FROM cart_backups
	WHERE crdb_region = $1 AND cart_id = $2`

// find reads the backup of a cart that was used after some time: one round trip. contract.CodeNotFound when there is none.
func (b *backups) find(ctx context.Context, id string, after time.Time) (usedCart, error) {
	region, err := b.homeOf(id)
	if err != nil {
		return usedCart{}, err
	}
	found := usedCart{cart: cart{id: id}}
	var lines, codes, orders []byte
	err = b.db.QueryRow(ctx, findBackup, region, id).
		Scan(&found.version, &found.secretHash, &found.currency, &lines, &orders, &found.lastUse, &codes, &found.abandoned)
	if errors.Is(err, pgx.ErrNoRows) || (err == nil && !found.lastUse.After(after)) {
		return usedCart{}, errNoCart()
	}
	found.lastUse = found.lastUse.UTC()
	if err != nil {
		return usedCart{}, contract.Unavailable(err, "carts cannot be reached now; try again shortly")
	}
	if err := decodeSaved(&found.cart, lines, codes, orders); err != nil {
		return usedCart{}, err
	}
	return found, nil
}

// forget deletes a cart's backup that is older than a version: one round trip, one commit.
func (b *backups) forget(ctx context.Context, id string, version int64) error {
	region, err := b.homeOf(id)
	if err != nil {
		return err
	}
	if _, err := b.db.Exec(ctx, `DELETE FROM cart_backups WHERE crdb_region = $1 AND cart_id = $2 AND version < $3`, region, id, version); err != nil {
		return fmt.Errorf("delete an old backup: %w", err)
	}
	return nil
}

const expireBackups = `
	DELETE FROM cart_backups WHERE crdb_region = $1 AND cart_id IN (
		SELECT cart_id FROM cart_backups WHERE crdb_region = $1 AND updated_at <= $2 ORDER BY crdb_region, updated_at LIMIT $3)`

// expire deletes some backups of a region's carts that were not used after some time, and says how many: one round trip, one commit.
func (b *backups) expire(ctx context.Context, region string, until time.Time, limit int) (int64, error) {
	done, err := b.db.Exec(ctx, expireBackups, region, until, limit)
	if err != nil {
		return 0, fmt.Errorf("delete expired backups: %w", err)
	}
	return done.RowsAffected(), nil
}

// homeOf gives the region whose rows hold a cart; contract.CodeNotFound for a region that does not exist.
func (b *backups) homeOf(id string) (string, error) {
	parsed, err := geo.ParseID(id)
	if name, known := b.regions[parsed.Region]; err == nil && known {
		return name, nil
	}
	return "", errNoCart()
}

// saved is a cart's lists as a backup's columns hold them.
type saved struct{ lines, codes, orders string }

func encodeSaved(c cart) (saved, error) {
	lines, codes := make([]savedLine, 0, len(c.lines)), make([]savedCode, 0, len(c.codes))
	for _, l := range c.lines {
		lines = append(lines, savedLine{SKU: l.sku, Quantity: l.quantity, Region: l.region, Version: l.version, Added: l.added})
	}
	for _, each := range c.codes {
		codes = append(codes, savedCode{Code: each.code, Title: each.title, Entered: each.entered, Region: each.region, Version: each.version, Added: each.added})
	}
	var columns saved
	for _, column := range []struct {
		into *string
		list any
	}{{&columns.lines, lines}, {&columns.codes, codes}, {&columns.orders, c.orders}} {
		encoded, err := json.Marshal(column.list)
		if err != nil {
			return saved{}, fmt.Errorf("encode the backup of cart %s: %w", c.id, err)
		}
		*column.into = string(encoded)
	}
	return columns, nil
}

func decodeSaved(c *cart, lines, codes, orders []byte) error {
	var savedLines []savedLine
	var savedCodes []savedCode
	for _, column := range []struct {
		from []byte
		list any
	}{{lines, &savedLines}, {codes, &savedCodes}, {orders, &c.orders}} {
		if err := json.Unmarshal(column.from, column.list); err != nil {
			return fmt.Errorf("read the backup of cart %s: %w", c.id, err)
		}
	}
	for _, l := range savedLines {
		c.lines = append(c.lines, line{sku: l.SKU, quantity: l.Quantity, region: l.Region, version: l.Version, added: l.Added})
	}
	for _, each := range savedCodes {
		c.codes = append(c.codes, code{code: each.Code, title: each.Title, entered: each.Entered, region: each.Region, version: each.Version, added: each.Added})
	}
	sortLines(c.lines)
	sortCodes(c.codes)
	return nil
}
