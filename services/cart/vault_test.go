package cart

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/kit/sqldb"
	"github.com/meridian-store/meridian/local/kittest"
)

// wipe makes the shop's Redis forget everything.
func (s shop) wipe(t *testing.T) {
	t.Helper()
	client := openRedis(t)
	for _, key := range keysOf(t, client, s.Env.Namespace) {
		if err := client.Do(t.Context(), client.B().Del().Key(key).Build()).Error(); err != nil {
			t.Fatal(err)
		}
	}
}

// savedVersion reads the version of a cart's backup, 0 when there is none.
func (s shop) savedVersion(t *testing.T, id string) int64 {
	t.Helper()
	var version int64
	err := s.DB.QueryRow(t.Context(), `SELECT version FROM cart_backups WHERE crdb_region = 'us-east' AND cart_id = $1`, id).Scan(&version)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		t.Fatal(err)
	}
	return version
}

func (s shop) waitSaved(t *testing.T, id string, atLeast int64) {
	t.Helper()
	kittest.Eventually(t, func() error {
		if version := s.savedVersion(t, id); version < atLeast {
			return fmt.Errorf("the backup is at version %d, not yet %d", version, atLeast)
		}
		return nil
	})
}

func TestIdleCartsOutliveRedis(t *testing.T) {
	t.Parallel()
	s := openShop(t, awake())
	idle, busy := shopper{shop: s}, shopper{shop: s}
	idle.add(t, "A", 2)
	idle.add(t, "B", 1)
	idle.do(t, "DELETE", "/api/v1/cart/items/A", nil)
	before := idle.add(t, "C/1", 3)
	s.clock.advance(31 * time.Minute)
	busy.add(t, "A", 1)
	s.waitSaved(t, idle.id(), before.Version)
	if version := s.savedVersion(t, busy.id()); version != 0 {
		t.Errorf("a cart in use was backed up at version %d", version)
	}
	s.wipe(t)
	after := idle.read(t)
	wantLines(t, after, countsOf(before)...)
	if after.Version <= before.Version || after.Currency != before.Currency {
		t.Errorf("came back at version %d, was %d", after.Version, before.Version)
	}
	if response := s.Do(t, "GET", "/api/v1/cart", nil, nil, busy.header()); response.StatusCode != http.StatusNotFound {
		t.Errorf("a cart that was never backed up: %d", response.StatusCode)
	}
	// It is a cart like any other again: it changes, and rests, and is backed up anew.
	changed := idle.add(t, "A", 1)
	s.clock.advance(31 * time.Minute)
	s.waitSaved(t, idle.id(), changed.Version)
}

func TestABackupOpensToItsSecretAlone(t *testing.T) {
	t.Parallel()
	s := shopper{shop: openShop(t, awake())}
	s.add(t, "A", 2)
	s.clock.advance(31 * time.Minute)
	s.waitSaved(t, s.id(), 1)
	s.wipe(t)
	wrong := map[string]string{contract.HeaderCartID: s.id() + "." + strings.Repeat("0", 32)}
	if response := s.Do(t, "GET", "/api/v1/cart", nil, nil, wrong); response.StatusCode != http.StatusNotFound {
		t.Errorf("a wrong secret: %d", response.StatusCode)
	}
	client := openRedis(t)
	for _, key := range keysOf(t, client, s.Env.Namespace) {
		if strings.Contains(key, ":cart:") {
			t.Errorf("a wrong secret brought %s back", key)
		}
	}
	// A change finds the backup just as a read does.
	wantLines(t, s.do(t, "DELETE", "/api/v1/cart/items/NOT-IN-IT", nil), contract.SKUCount{SKU: "A", Quantity: 2})
}

func TestABackupEndsWithItsRetention(t *testing.T) {
	t.Parallel()
	s := shopper{shop: openShop(t, awake())}
	s.add(t, "A", 2)
	s.clock.advance(31 * time.Minute)
	s.waitSaved(t, s.id(), 1)
	s.clock.advance(retention)
	kittest.Eventually(t, func() error {
		if s.savedVersion(t, s.id()) != 0 {
			return errors.New("an expired backup is still there")
		}
		return nil
	})
	s.wipe(t)
	if response := s.Do(t, "GET", "/api/v1/cart", nil, nil, s.header()); response.StatusCode != http.StatusNotFound {
		t.Errorf("an expired cart: %d", response.StatusCode)
	}
	name := s.name
	wantLines(t, s.add(t, "B", 1), contract.SKUCount{SKU: "B", Quantity: 1})
	if s.name == name {
		t.Error("a write with an expired cart's name made no new cart")
	}
}

func TestBackupsCostOneStatementEach(t *testing.T) {
	t.Parallel()
	s := openShop(t, Config{Idle: time.Hour, Abandoned: time.Hour, Sweep: time.Hour})
	b := newBackups(s.DB, s.Regions)
	var carts []usedCart
	now := time.Now().UTC().Truncate(time.Microsecond)
	for i := range 3 {
		carts = append(carts, usedCart{lastUse: now, cart: cart{
			id: geo.NewID("crt", []string{"use", "euw", "use"}[i]), secretHash: "hash", currency: "USD", version: 5, orders: map[string]int64{"ord": 3},
			codes: []code{{code: "TEN", title: "Ten off", entered: true, version: 4, added: 4}}, abandoned: i == 0,
			lines: []line{{sku: "B", quantity: 0, version: 2, added: 1}, {sku: "A", quantity: 1, version: 3, added: 3}},
		}})
	}
	ofNowhere := usedCart{lastUse: now, cart: cart{id: geo.NewID("crt", "zzz"), version: 1}}
	costs := func(what string, trips, commits int64, do func(ctx context.Context) error) {
		t.Helper()
		ctx, counter := sqldb.Count(t.Context())
		if err := do(ctx); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if counter.RoundTrips() != trips || counter.Commits() != commits {
			t.Errorf("%s: %d round trips and %d commits", what, counter.RoundTrips(), counter.Commits())
		}
	}
	find := func(c usedCart) (found usedCart, err error) {
		costs("find", 1, 0, func(ctx context.Context) error {
			found, err = b.find(ctx, c.id, now.Add(-time.Second))
			return nil
		})
		return found, err
	}
	costs("save", 1, 1, func(ctx context.Context) error { return b.save(ctx, append(carts, ofNowhere)) })
	costs("save nothing", 0, 0, func(ctx context.Context) error { return b.save(ctx, nil) })
	for _, want := range carts {
		got, err := find(want)
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(usedCart{}, cart{}, line{}, code{})); err != nil || diff != "" {
			t.Errorf("%v; -saved +found:\n%s", err, diff)
		}
	}
	older := carts[0]
	older.version, older.lines = 4, nil
	if err := b.save(t.Context(), []usedCart{older}); err != nil {
		t.Fatal(err)
	}
	if got, err := find(carts[0]); err != nil || got.version != 5 || len(got.lines) != 2 {
		t.Errorf("an older cart replaced a newer backup: %+v, %v", got, err)
	}
	costs("forget older", 1, 1, func(ctx context.Context) error { return b.forget(ctx, carts[0].id, 5) })
	if _, err := find(carts[0]); err != nil {
		t.Errorf("a backup that is no older was forgotten: %v", err)
	}
	costs("forget", 1, 1, func(ctx context.Context) error { return b.forget(ctx, carts[0].id, 6) })
	if _, err := find(carts[0]); contract.CodeOf(err) != contract.CodeNotFound {
		t.Errorf("a forgotten backup: %v", err)
	}
	if _, err := b.find(t.Context(), carts[1].id, now); contract.CodeOf(err) != contract.CodeNotFound {
		t.Errorf("a backup past its retention: %v", err)
	}
	costs("expire", 1, 1, func(ctx context.Context) error {
		n, err := b.expire(ctx, "us-east", now, 10)
		if n != 1 { // the other one is homed elsewhere
			t.Errorf("expired %d backups", n)
		}
		return err
	})
}

func TestQueriesOnBackupsUseTheirIndexes(t *testing.T) {
	t.Parallel()
	s := openShop(t, Config{Idle: time.Hour, Abandoned: time.Hour, Sweep: time.Hour})
	now := time.Now()
	for what, c := range map[string]struct {
		query, index string
		args         []any
	}{
		"find":   {findBackup, "cart_backups_pkey", []any{"us-east", "crt"}},
		"expire": {expireBackups, "cart_backups_for_expiry", []any{"us-east", now, 10}},
	} {
		err := s.DB.InTx(t.Context(), func(tx pgx.Tx) error {
			if _, err := tx.Exec(t.Context(), `SET LOCAL enable_seqscan = off`); err != nil {
				return err
			}
			rows, err := tx.Query(t.Context(), `EXPLAIN `+c.query, c.args...)
			if err != nil {
				return err
			}
			plan, err := pgx.CollectRows(rows, pgx.RowTo[string])
			if err != nil {
				return err
			}
			if text := strings.Join(plan, "\n"); !strings.Contains(text, c.index) || strings.Contains(text, "Seq Scan") {
				t.Errorf("%s does not use %s:\n%s", what, c.index, text)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
