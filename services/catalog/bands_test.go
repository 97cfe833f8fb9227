package catalog

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/meridian-store/meridian/contract"
)

// However changes come in batches, what is known afterwards is what one after the other would have left.
func TestBatchesOfBandsLeaveWhatOneByOneWould(t *testing.T) {
	t.Parallel()
	s := open(t)
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		change := rapid.Custom(func(rt *rapid.T) contract.BandChange {
			return contract.BandChange{SKU: fmt.Sprintf("%d-%d", run, rapid.IntRange(0, 2).Draw(rt, "sku")),
				Band:    rapid.SampledFrom([]contract.Band{contract.BandInStock, contract.BandLow, contract.BandOut}).Draw(rt, "band"),
				Version: rapid.Int64Range(1, 4).Draw(rt, "version")}
		})
		want := map[string]contract.BandChange{}
		for _, batch := range rapid.SliceOfN(rapid.SliceOfN(change, 0, 6), 1, 4).Draw(rt, "batches") {
			for _, c := range batch {
				if known, before := want[c.SKU]; !before || known.Version < c.Version {
					want[c.SKU] = c
				}
			}
			if err := s.service.store.setBands(t.Context(), s.service.writer, batch); err != nil {
				rt.Fatal(err)
			}
		}
		got := map[string]contract.BandChange{}
		rows, err := s.DB.Query(t.Context(), `SELECT sku, band, version FROM bands WHERE sku LIKE $1`, fmt.Sprintf("%d-%%", run))
		if err != nil {
			rt.Fatal(err)
		}
		for rows.Next() {
			var c contract.BandChange
			if err := rows.Scan(&c.SKU, &c.Band, &c.Version); err != nil {
				rt.Fatal(err)
			}
			got[c.SKU] = c
		}
		if rows.Err() != nil {
			rt.Fatal(rows.Err())
		}
		if diff := cmp.Diff(want, got); diff != "" {
			rt.Fatalf("(-want +got):\n%s", diff)
		}
	})
}
