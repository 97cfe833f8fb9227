package inventory

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/local/kittest"
	"github.com/meridian-store/meridian/replication/outbox"
)

func TestMain(m *testing.M) { kittest.Main(m) }

const (
	iad, dub, sin = "iad-1", "dub-1", "sin-1"
	holdSeconds   = 600
)

// shop is a running inventory service and short forms of what tests ask of it.
type shop struct{ *kittest.Service }

func start(t *testing.T, options ...kittest.Option) shop {
	t.Helper()
	return shop{kittest.Start(t, Definition(), append(options, kittest.WithRedis())...)}
}

// service makes a second copy on the same database whose loops do not run, for tests that call it directly.
func (s shop) service() *Service {
	return s.serviceIn(s.Region.Name)
}

// serviceIn makes such a copy in another region.
func (s shop) serviceIn(region string) *Service {
	writer := outbox.NewWriter(s.Name, s.Region.Region, time.Now)
	copied := assemble(newStore(s.DB, writer, time.Now, s.Regions), region, s.Regions, slog.New(slog.DiscardHandler))
	copied.bands = newAnnouncer(copied.store, defaultConfig().bandsEvery, nil)
	copied.counts = newCounts(rueidis.ClientOption{}, s.Env.Namespace, copied.log)
	copied.config, copied.now = defaultConfig(), time.Now
	return copied
}

func newSaga() string { return geo.NewID("sga", "use") }

func line(sku string, quantity int64) contract.SKUCount {
	return contract.SKUCount{SKU: sku, Quantity: quantity}
}

func request(saga, country string, lines ...contract.SKUCount) contract.ReservationRequest {
	return contract.ReservationRequest{SagaID: saga, Country: country, Lines: lines, HoldSeconds: holdSeconds}
}

func (s shop) reserve(t testing.TB, r contract.ReservationRequest) (contract.Reservation, int) {
	t.Helper()
	var got contract.Reservation
	return got, s.Do(t, http.MethodPost, "/internal/v1/reservations", r, &got, s.Internal()).StatusCode
}

// act releases or confirms.
func (s shop) act(t testing.TB, saga, action string) (contract.Reservation, int) {
	t.Helper()
	var got contract.Reservation
	return got, s.Do(t, http.MethodPost, "/internal/v1/reservations/"+saga+"/"+action, nil, &got, s.Internal()).StatusCode
}

func (s shop) get(t testing.TB, saga string) (contract.Reservation, int) {
	t.Helper()
	var got contract.Reservation
	return got, s.Do(t, http.MethodGet, "/internal/v1/reservations/"+saga, nil, &got, s.Internal()).StatusCode
}

func (s shop) asAdmin(t testing.TB) map[string]string {
	return map[string]string{"Authorization": s.Token(t, contract.RoleMerchandiser)}
}

// count applies counts and fails the test unless each is applied.
func (s shop) count(t testing.TB, counts ...contract.StockCount) {
	t.Helper()
	for _, result := range s.tryCount(t, counts...) {
		if result.Outcome != outcomeApplied {
			t.Fatalf("the count got %+v", result)
		}
	}
}

func (s shop) tryCount(t testing.TB, counts ...contract.StockCount) []contract.StockResult {
	t.Helper()
	var answer struct{ Results []contract.StockResult }
	body := map[string]any{"items": counts}
	if response := s.Do(t, http.MethodPost, "/api/v1/admin/inventory", body, &answer, s.asAdmin(t)); response.StatusCode != http.StatusOK {
		t.Fatalf("counting got %d", response.StatusCode)
	}
	if len(answer.Results) != len(counts) {
		t.Fatalf("%d counts got %d results", len(counts), len(answer.Results))
	}
	return answer.Results
}

func stock(sku, warehouse string, onHand int64) contract.StockCount {
	return contract.StockCount{SKU: sku, Warehouse: warehouse, OnHand: onHand, Reference: geo.NewID("cnt", "use")}
}

// levels gives on hand and reserved by warehouse.
func (s shop) levels(t testing.TB, sku string) map[string][2]int64 {
	t.Helper()
	var answer struct{ Items []contract.StockLevel }
	s.Do(t, http.MethodGet, "/api/v1/admin/inventory/"+sku, nil, &answer, s.asAdmin(t))
	levels := map[string][2]int64{}
	for _, level := range answer.Items {
		levels[level.Warehouse] = [2]int64{level.OnHand, level.Reserved}
	}
	return levels
}

// audit checks the promises that hold at any time over the whole database.
func (s shop) audit(t testing.TB) {
	t.Helper()
	for promise, query := range map[string]string{
		"on hand is the sum of movements": `
			SELECT count(*) FROM (SELECT crdb_region, sku, warehouse, sum(on_hand) AS on_hand FROM stock GROUP BY crdb_region, sku, warehouse) AS s
			WHERE on_hand <> COALESCE((SELECT sum(quantity) FROM movements AS m
			WHERE m.crdb_region = s.crdb_region AND m.sku = s.sku AND m.warehouse = s.warehouse), 0)`,
		"no movement without its stock": `
			SELECT count(*) FROM movements AS m LEFT JOIN stock AS s ON s.crdb_region = m.crdb_region AND s.sku = m.sku
			AND s.warehouse = m.warehouse AND s.bucket = 0 WHERE s.sku IS NULL`,
		"reserved is the sum of live lines": `
			SELECT count(*) FROM stock AS s WHERE reserved <> COALESCE((SELECT sum(quantity) FROM reservation_lines AS l
			WHERE l.crdb_region = s.crdb_region AND l.sku = s.sku AND l.warehouse = s.warehouse AND l.bucket = s.bucket), 0)`,
		"reserved is never negative nor above on hand": `
			SELECT count(*) FROM stock WHERE reserved < 0 OR reserved > on_hand`,
		"lines belong to holds": `
			SELECT count(*) FROM reservation_lines AS l LEFT JOIN reservations AS r ON r.saga_id = l.saga_id
			WHERE r.state IS DISTINCT FROM 'held'`,
		"holds have their lines": `
			SELECT count(*) FROM reservations AS r WHERE state = 'held' AND jsonb_array_length(allocations) <>
			(SELECT count(*) FROM reservation_lines AS l WHERE l.saga_id = r.saga_id)`,
		"no more came back than was sold": `
			SELECT count(*) FROM reservations AS r WHERE
			(SELECT COALESCE(sum((a->>'quantity')::INT8), 0) FROM jsonb_array_elements(r.allocations) AS a) <
			(SELECT COALESCE(sum((a->>'quantity')::INT8), 0) FROM returns AS b, jsonb_array_elements(b.allocations) AS a WHERE b.saga_id = r.saga_id)`,
	} {
		var broken int
		if err := s.DB.QueryRow(t.Context(), query).Scan(&broken); err != nil || broken != 0 {
			t.Errorf("%s: broken in %d rows, %v", promise, broken, err)
		}
	}
}

func (s shop) waitEvent(t testing.TB, subject, eventType string) contract.Event {
	t.Helper()
	return s.WaitEvent(t, contract.TopicInventory, func(e contract.Event) bool { return e.Subject == subject && e.Type == eventType })
}

func (s shop) eventually(t testing.TB, saga, state string) {
	t.Helper()
	kittest.Eventually(t, func() error {
		if got, status := s.get(t, saga); got.State != state {
			return fmt.Errorf("the reservation is %q (status %d), want %s", got.State, status, state)
		}
		return nil
	})
}

func wantState(t testing.TB, got contract.Reservation, status int, state string, want int) {
	t.Helper()
	if got.State != state || status != want {
		t.Errorf("got status %d and a reservation %q, want %d and %q", status, got.State, want, state)
	}
}

func wantAllocations(t testing.TB, got []contract.Allocation, want ...contract.Allocation) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func decode(t testing.TB, response *http.Response, into any) {
	t.Helper()
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		t.Fatal(err)
	}
}

func defaultConfig() Config {
	var config Config
	config.SetDefaults()
	return config
}
