package catalog

import (
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/local/kittest"
)

// Two regions' catalogs write the same SKU, one behind the other: the second one waits for the first one's commit, and what it changes is
// what the first one left, though it began before that was to be seen.
func TestABandIsAnnouncedAlsoWhenItsWriterWaitedForAnother(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.putProducts(t, mug("mug"))
	s.setBands(t, contract.BandChange{SKU: "mug", Band: contract.BandInStock, Version: 1})
	second := make(chan error, 1)
	err := s.DB.InTx(t.Context(), func(tx pgx.Tx) error {
		var version string
		if err := tx.QueryRow(t.Context(), `UPDATE bands SET band = 'low', former = band, version = 2 WHERE sku = 'mug' RETURNING version()`).Scan(&version); err != nil {
			return err
		}
		if strings.Contains(version, "CockroachDB") {
			t.Skip("CockroachDB does not show who waits for a lock in PostgreSQL's way; it runs such a writer again.")
		}
		go func() {
			second <- s.service.store.setBands(t.Context(), s.service.writer, []contract.BandChange{{SKU: "mug", Band: contract.BandInStock, Version: 3}})
		}()
		kittest.Eventually(t, func() error {
			var waiting int
			err := s.DB.QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&waiting)
			if err == nil && waiting == 0 {
				return fmt.Errorf("nobody waits for the first writer yet")
			}
			return err
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := <-second; err != nil {
		t.Fatal(err)
	}
	s.WaitEvent(t, contract.TopicProducts, func(e contract.Event) bool { return e.Subject == "stock:mug" && e.AggregateVersion == 3 })
}

func (s shop) setBands(t *testing.T, changes ...contract.BandChange) {
	t.Helper()
	if err := s.service.store.setBands(t.Context(), s.service.writer, changes); err != nil {
		t.Fatal(err)
	}
}
