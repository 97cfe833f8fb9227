package inventory

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/sqldb"
	"github.com/meridian-store/meridian/local/kittest"
)

// saleClients ask at once, spread over the regions; saleUnits are on hand in one warehouse.
const (
	saleClients = 256
	saleUnits   = 1_000_000
	saleRounds  = 7
)

// BenchmarkFlashSale reserves one unit of one SKU at a time, as three regions' services that share a database do it, and as the
// plain way does it: one transaction for each, which takes from one row on condition and writes the reservation. It prints both
// rates and their ratio. The plain way writes no event and answers no repeat, so it is the least that could be done.
func BenchmarkFlashSale(b *testing.B) {
	for _, way := range []struct {
		processes int
		buckets   int64
	}{{1, 1}, {3, 1}, {3, 3}} {
		b.Run(fmt.Sprintf("processes=%d/buckets=%d", way.processes, way.buckets), func(b *testing.B) {
			shop := shop{kittest.Start(b, Definition())}
			shop.count(b, stock("HOT", iad, saleUnits))
			var services []*Service
			for _, region := range shop.Regions[:way.processes] {
				services = append(services, shop.process(b, region.Name))
			}
			if err := services[0].store.rebucket(b.Context(), "HOT", way.buckets, 0); err != nil {
				b.Fatal(err)
			}
			plain := newPlainShop(b, shop)
			ourWay := func(ctx context.Context, client int) error {
				_, _, err := services[client%len(services)].reserve(ctx, request(newSaga(), "US", line("HOT", 1)))
				return err
			}
			b.ResetTimer()
			var ours, theirs, ratios []float64
			for range saleRounds { // in turns, because the machine is not always equally busy
				ours, theirs = append(ours, rate(b, ourWay)), append(theirs, rate(b, plain.reserve))
				ratios = append(ratios, ours[len(ours)-1]/theirs[len(theirs)-1])
			}
			b.StopTimer()
			b.ReportMetric(median(ours), "reservations/s")
			b.ReportMetric(median(theirs), "plain/s")
			b.ReportMetric(median(ratios), "ratio")
			b.ReportMetric(0, "ns/op")
			var held, reserved int64
			err := shop.DB.QueryRow(b.Context(), `SELECT (SELECT sum(quantity)::INT8 FROM reservation_lines WHERE sku = 'HOT'),
				(SELECT sum(reserved)::INT8 FROM stock WHERE sku = 'HOT')`).Scan(&held, &reserved)
			if err != nil || held != reserved {
				b.Errorf("%d are reserved, the lines add up to %d, %v", reserved, held, err)
			}
		})
	}
}

// process is a region's service with connections of its own, as a process of its own has.
func (s shop) process(b *testing.B, region string) *Service {
	b.Helper()
	db, err := sqldb.Open(b.Context(), s.Env.SQLURL.Current(), nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(db.Close)
	own := s
	kept := *s.Service
	kept.DB = db
	own.Service = &kept
	return own.serviceIn(region)
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// rate runs a round of operations from all clients and gives their number a second.
func rate(b *testing.B, do func(ctx context.Context, client int) error) float64 {
	b.Helper()
	operations := max(b.N/saleRounds, 1)
	var next atomic.Int64
	var group sync.WaitGroup
	begun := time.Now()
	for client := range saleClients {
		group.Go(func() {
			for next.Add(1) <= int64(operations) {
				if err := do(b.Context(), client); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	return float64(operations) / time.Since(begun).Seconds()
}

// plainShop is the plain way on a shelf of its own in the same database.
type plainShop struct{ shop }

func newPlainShop(b *testing.B, s shop) plainShop {
	b.Helper()
	for _, statement := range []string{
		`INSERT INTO stock (crdb_region, sku, warehouse, on_hand) VALUES ('us-east', 'PLAIN', 'plain', 0)`,
		`INSERT INTO movements (crdb_region, sku, warehouse, kind, reference, quantity, at) VALUES ('us-east', 'PLAIN', 'plain', 'received', 'bench', 1000000, now())`,
		`UPDATE stock SET on_hand = 1000000 WHERE crdb_region = 'us-east' AND sku = 'PLAIN' AND warehouse = 'plain'`,
	} {
		if _, err := s.DB.Exec(b.Context(), statement); err != nil {
			b.Fatal(err)
		}
	}
	return plainShop{s}
}

func (p plainShop) reserve(ctx context.Context, _ int) error {
	return p.DB.InTx(ctx, func(tx pgx.Tx) error {
		saga := newSaga()
		tag, err := tx.Exec(ctx, `
			WITH taken AS (
				UPDATE stock SET reserved = reserved + 1
				WHERE crdb_region = 'us-east' AND sku = 'PLAIN' AND warehouse = 'plain' AND bucket = 0 AND on_hand - reserved >= 1
				RETURNING crdb_region
			), line AS (
				INSERT INTO reservation_lines (crdb_region, saga_id, sku, warehouse, quantity) SELECT crdb_region, $1, 'PLAIN', 'plain', 1 FROM taken
			)
			INSERT INTO reservations (crdb_region, saga_id, state, request_hash, allocations, expires_at, version, created_at, updated_at)
			SELECT crdb_region, $1, 'held', '', '[{"region":"us-east","warehouse":"plain","sku":"PLAIN","quantity":1}]', now() + INTERVAL '1 hour', 1, now(), now() FROM taken`, saga)
		if err == nil && tag.RowsAffected() != 1 {
			return contract.Errorf(contract.CodeOutOfStock, "nothing is left")
		}
		return err
	})
}
