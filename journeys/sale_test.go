package journeys_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/meridian-store/meridian/local/kittest"
)

// books looks into a service's database as its owner.
func (s *shop) books(t *testing.T, service string) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), s.databaseURL(t, service))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// shelved is what one statement sees of a SKU.
type shelved struct{ onHand, reserved, moved, lines, sold int64 }

func look(ctx context.Context, pool *pgxpool.Pool, sku string) (s shelved, err error) {
	err = pool.QueryRow(ctx, `
		SELECT (SELECT sum(on_hand)::INT8 FROM stock WHERE sku = $1), (SELECT sum(reserved)::INT8 FROM stock WHERE sku = $1),
			(SELECT sum(quantity)::INT8 FROM movements WHERE sku = $1), (SELECT COALESCE(sum(quantity), 0)::INT8 FROM reservation_lines WHERE sku = $1),
			(SELECT COALESCE(-sum(quantity), 0)::INT8 FROM movements WHERE sku = $1 AND kind = 'sold')`, sku).
		Scan(&s.onHand, &s.reserved, &s.moved, &s.lines, &s.sold)
	return s, err
}

// settled waits until the sales of a SKU are booked; the sums must be right at each look on the way.
func settled(t *testing.T, pool *pgxpool.Pool, sku string, sold int64) {
	t.Helper()
	kittest.Eventually(t, func() error {
		s, err := look(t.Context(), pool, sku)
		if err != nil {
			t.Fatal(err)
		}
		if s.onHand != s.moved || s.reserved != s.lines || s.reserved > s.onHand {
			t.Fatalf("the sums of %s are wrong: %+v", sku, s)
		}
		if s.sold != sold || s.reserved != 0 || s.onHand != 0 {
			return fmt.Errorf("%s is not settled: %+v", sku, s)
		}
		return nil
	})
}

// quiet waits until the events that a crowd left behind have been sent, which the journeys after it would otherwise wait for.
func (s *shop) quiet(t *testing.T) {
	t.Helper()
	for _, service := range []string{"order", "inventory", "payment"} {
		pool := s.books(t, service)
		kittest.Eventually(t, func() error {
			var waiting int
			if err := pool.QueryRow(t.Context(), `SELECT count(*) FROM outbox`).Scan(&waiting); err != nil {
				t.Fatal(err)
			}
			if waiting > 0 {
				return fmt.Errorf("%d events of %s wait to be sent", waiting, service)
			}
			return nil
		})
	}
}

// TestTheLastUnitIsSoldOnce: 200 shoppers near three regions, whose carts all hold the last unit, check out at once. It runs alone,
// as a race must.
func TestTheLastUnitIsSoldOnce(t *testing.T) {
	s := openShop(t)
	const shoppers = 200
	c := openCrowd(t, s, "JRN-LAST-UNIT", 1)
	members := make([]*member, shoppers)
	for i := range members {
		members[i] = c.member(i)
	}
	c.all(t, members, 32, func(m *member) error { return m.fill(t) })
	var bought atomic.Int64
	begun := time.Now()
	c.all(t, members, shoppers, func(m *member) error {
		got, err := m.buy(t)
		if got {
			bought.Add(1)
		}
		return err
	})
	took := time.Since(begun)
	if bought.Load() != 1 {
		t.Errorf("%d shoppers have bought the last unit", bought.Load())
	}
	settled(t, s.books(t, "inventory"), c.sku, 1)
	c.everywhere(t)
	t.Logf("%d shoppers raced for one unit through 3 gateways: %d order, %d times 409 out of stock, in %.1f s; %d were asked to come again.",
		shoppers, bought.Load(), shoppers-bought.Load(), took.Seconds(), c.sentAway.Load())
}

// TestAFlashSaleSellsExactlyWhatIsThere: 5,000 buyers near three regions, each with a cart of their own, for 500 units of one SKU. It
// runs alone, and prints what the shop did beside what the plain way does on the same server: one conditional update of one row and
// one row inserted for each reservation, one commit each.
func TestAFlashSaleSellsExactlyWhatIsThere(t *testing.T) {
	s := openShop(t)
	const buyers, units, atOnce = 5000, 500, 96
	c := openCrowd(t, s, "JRN-FLASH-SALE", units)
	pool := s.books(t, "inventory")
	members := make([]*member, buyers)
	for i := range members {
		members[i] = c.member(i)
	}
	var bought, refused atomic.Int64
	var soldOut, refusing atomic.Int64 // nanoseconds
	begun := time.Now()
	c.all(t, members, atOnce, func(m *member) error {
		if err := m.fill(t); err != nil {
			return err
		}
		asked := time.Now()
		got, err := m.buy(t)
		switch {
		case err != nil:
		case got:
			if bought.Add(1) == units {
				soldOut.Store(int64(time.Since(begun)))
			}
		default:
			refused.Add(1)
			refusing.Add(int64(time.Since(asked)))
		}
		return err
	})
	took := time.Since(begun)
	if bought.Load() != units || refused.Load() != buyers-units {
		t.Fatalf("%d have bought and %d were refused, want %d and %d", bought.Load(), refused.Load(), units, buyers-units)
	}
	settled(t, pool, c.sku, units)
	answered := time.Since(begun)
	c.everywhere(t)
	s.quiet(t)
	var reservations float64
	err := pool.QueryRow(t.Context(), `
		SELECT count(*) / GREATEST(extract(epoch FROM max(created_at) - min(created_at)), 0.001)::FLOAT8 FROM reservations
		WHERE allocations->0->>'sku' = $1`, c.sku).Scan(&reservations)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d buyers, %d units, 3 regions, %d at once: exactly %d sold, %d times asked to come again. %.0f reservations/s and %.0f orders/s while they lasted (whole visits: cart, checkout); "+
		"all %d answered in %.1f s, %.0f/s, a refusal in %.0f ms on average; all sales were booked after %.1f s and all events sent after %.1f s. The plain single row, SQL alone: %.0f reservations/s.",
		buyers, units, atOnce, bought.Load(), c.sentAway.Load(), reservations, units/time.Duration(soldOut.Load()).Seconds(),
		buyers, took.Seconds(), buyers/took.Seconds(), time.Duration(refusing.Load()).Seconds()*1000/float64(refused.Load()),
		answered.Seconds(), time.Since(begun).Seconds(), plainRate(t, pool, atOnce))
}

// plainRate measures the plain way for two seconds.
func plainRate(t *testing.T, pool *pgxpool.Pool, clients int) float64 {
	t.Helper()
	exec := func(sql string) {
		t.Helper()
		if _, err := pool.Exec(context.WithoutCancel(t.Context()), sql); err != nil {
			t.Fatal(err)
		}
	}
	exec(`CREATE TABLE journey_plain_stock (sku TEXT PRIMARY KEY, on_hand INT8 NOT NULL, reserved INT8 NOT NULL)`)
	exec(`CREATE TABLE journey_plain_reservations (id INT8 PRIMARY KEY, sku TEXT NOT NULL)`)
	defer exec(`DROP TABLE journey_plain_stock, journey_plain_reservations`)
	exec(`INSERT INTO journey_plain_stock VALUES ('S', 1000000000, 0)`)
	var done, id atomic.Int64
	var group sync.WaitGroup
	begun := time.Now()
	for range clients {
		group.Go(func() {
			for time.Since(begun) < 2*time.Second {
				_, err := pool.Exec(t.Context(), `
					WITH taken AS (UPDATE journey_plain_stock SET reserved = reserved + 1 WHERE sku = 'S' AND on_hand - reserved >= 1 RETURNING sku)
					INSERT INTO journey_plain_reservations SELECT $1, sku FROM taken`, id.Add(1))
				if err != nil {
					t.Error(err)
					return
				}
				done.Add(1)
			}
		})
	}
	group.Wait()
	return float64(done.Load()) / time.Since(begun).Seconds()
}
