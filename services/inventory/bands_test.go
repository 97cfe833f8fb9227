package inventory

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/local/kittest"
)

// bandBecomes waits until a band has been announced.
func (s shop) bandBecomes(t *testing.T, sku string, want contract.Band) {
	t.Helper()
	kittest.Eventually(t, func() error {
		var band contract.Band
		err := s.DB.QueryRow(t.Context(), `SELECT band FROM bands WHERE sku = $1`, sku).Scan(&band)
		if errors.Is(err, pgx.ErrNoRows) {
			return fmt.Errorf("%s has no band", sku)
		}
		if err != nil {
			t.Fatal(err)
		}
		if band != want {
			return fmt.Errorf("the band of %s is %q, want %s", sku, band, want)
		}
		return nil
	})
}

// announced reads a SKU's band events until one tells the wanted version.
func (s shop) announced(t *testing.T, sku string, until int64) []contract.BandChange {
	t.Helper()
	var changes []contract.BandChange
	s.WaitEvent(t, contract.TopicInventory, func(e contract.Event) bool {
		if e.Type != contract.StockBandChanged || e.Subject != sku {
			return false
		}
		var change contract.BandChange
		if err := e.Decode(&change); err != nil || e.AggregateVersion != change.Version {
			t.Errorf("got %+v of version %d, %v", change, e.AggregateVersion, err)
		}
		changes = append(changes, change)
		return change.Version == until
	})
	return changes
}

func TestOnlyAChangeOfBandIsAnnounced(t *testing.T) {
	t.Parallel()
	shop := start(t)
	shop.count(t, stock("A", iad, 6), stock("A", sin, 4))
	shop.bandBecomes(t, "A", contract.BandInStock)
	saga := newSaga()
	shop.reserve(t, request(newSaga(), "US", line("A", 1))) // 9: still in stock
	shop.reserve(t, request(newSaga(), "US", line("A", 4))) // 5: low
	shop.bandBecomes(t, "A", contract.BandLow)
	shop.reserve(t, request(saga, "US", line("A", 5))) // 0: out
	shop.bandBecomes(t, "A", contract.BandOut)
	shop.act(t, saga, "release") // 5: low again
	shop.bandBecomes(t, "A", contract.BandLow)
	want := []contract.BandChange{
		{SKU: "A", Band: contract.BandInStock, Version: 1}, {SKU: "A", Band: contract.BandLow, Version: 2},
		{SKU: "A", Band: contract.BandOut, Version: 3}, {SKU: "A", Band: contract.BandLow, Version: 4},
	}
	if got := shop.announced(t, "A", 4); !slices.Equal(got, want) {
		t.Errorf("announced %+v, want %+v", got, want)
	}
}

// Two last units in two warehouses go to two shoppers at once. Neither sale sees the other, and still the SKU must end as out.
func TestSalesThatDoNotSeeEachOtherEndInTheRightBand(t *testing.T) {
	t.Parallel()
	shop := start(t)
	for i := range 10 {
		sku := fmt.Sprintf("S%d", i)
		shop.count(t, stock(sku, iad, 1), stock(sku, dub, 1))
		var group sync.WaitGroup
		for _, country := range []string{"US", "IE"} {
			group.Go(func() { shop.reserve(t, request(newSaga(), country, line(sku, 1))) })
		}
		group.Wait()
		shop.bandBecomes(t, sku, contract.BandOut)
	}
}

// A process that died between a sale and its announcement leaves a stale band; the next start announces it.
func TestAStartAnnouncesWhatWasLeftUnsaid(t *testing.T) {
	t.Parallel()
	shop := start(t)
	shop.count(t, stock("A", iad, 9))
	shop.bandBecomes(t, "A", contract.BandInStock)
	shop.Stop(t)
	if _, _, err := shop.service().reserve(t.Context(), request(newSaga(), "US", line("A", 9))); err != nil {
		t.Fatal(err)
	}
	shop.Restart(t)
	shop.bandBecomes(t, "A", contract.BandOut)
}

// Several copies that announce at once give each version once.
func TestConcurrentAnnouncersAgree(t *testing.T) {
	t.Parallel()
	shop := start(t)
	var skus []string
	var counts []contract.StockCount
	for i := range 30 {
		skus = append(skus, fmt.Sprintf("C%d", i))
		counts = append(counts, stock(skus[i], iad, int64(i)))
	}
	var group sync.WaitGroup
	for range 4 {
		copied := shop.service()
		group.Go(func() {
			if _, err := copied.count(t.Context(), counts); err != nil {
				t.Error(err)
			}
			if err := copied.bands.announce(t.Context(), skus); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	var wrong int
	err := shop.DB.QueryRow(t.Context(), `
		SELECT count(*) FROM stock AS s JOIN bands AS b ON b.sku = s.sku WHERE b.version <> 1 OR b.band <>
		CASE WHEN on_hand = 0 THEN 'out' WHEN on_hand <= 5 THEN 'low' ELSE 'in_stock' END`).Scan(&wrong)
	if err != nil || wrong != 0 {
		t.Errorf("%d bands are wrong, %v", wrong, err)
	}
}
