package catalog

import (
	"fmt"
	"testing"

	"github.com/meridian-store/meridian/contract"
)

// What an import of many counts asks of the catalog: a statement for each band, or for each thousand.
func BenchmarkBands(b *testing.B) {
	for _, size := range []int{1, 1000} {
		b.Run(fmt.Sprintf("batch=%d", size), func(b *testing.B) {
			s := open(b)
			events := 0
			for b.Loop() {
				changes := make([]contract.BandChange, size)
				for i := range changes {
					changes[i] = contract.BandChange{SKU: fmt.Sprintf("SKU-%d", events+i), Band: contract.BandLow, Version: 1}
				}
				if err := s.service.store.setBands(b.Context(), s.service.writer, changes); err != nil {
					b.Fatal(err)
				}
				events += size
			}
			b.ReportMetric(float64(events)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

// What the price lists add to every read of a cart's prices.
func BenchmarkPriced(b *testing.B) {
	s := open(b)
	fill(b, s, 800)
	skus := []string{"p-0 S/Blue", "p-16 S/Blue", "p-32 S/Blue"}
	analyze(b, s)
	for lists := range 4 {
		if lists > 0 {
			made, err := s.service.createPriceList(b.Context(), contract.PriceListInput{Name: fmt.Sprint(lists), Currency: "USD", Priority: int64(lists)})
			if err != nil {
				b.Fatal(err)
			}
			if _, results, err := s.service.writePrices(b.Context(), made.ID, "", prices(b, priceOf(skus[0], 100), priceOf(skus[1], 200))); err != nil || results[0].Outcome != outcomeApplied {
				b.Fatal(results, err)
			}
		}
		b.Run(fmt.Sprintf("lists=%d", lists), func(b *testing.B) {
			for b.Loop() {
				if _, err := s.service.store.priced(b.Context(), skus, dollars()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
