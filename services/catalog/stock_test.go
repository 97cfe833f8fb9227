package catalog

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/local/kittest"
	"github.com/meridian-store/meridian/replication/outbox"
)

// Every region's catalog hears of a band, and writes the one table that they share. Shoppers' caches must hear once, when what they show
// is another thing, and not of sales that change nothing.
func TestABandIsAnnouncedOnceAndOnlyWhenShoppersSeeIt(t *testing.T) {
	t.Parallel()
	s := open(t)
	draft := mug("draft")
	draft.Published = false
	s.putProducts(t, mug("mug"), draft, mug("last"))
	hear := func(sku string, band contract.Band, version int64) {
		t.Helper()
		var regions sync.WaitGroup
		for _, region := range s.Regions {
			writer := outbox.NewWriter(s.Name, region.Region, time.Now)
			regions.Go(func() {
				if err := s.service.store.setBands(t.Context(), writer, []contract.BandChange{{SKU: sku, Band: band, Version: version}}); err != nil {
					t.Error(err)
				}
			})
		}
		regions.Wait()
	}
	announced := func() (told []string) {
		t.Helper()
		rows, err := s.DB.Query(t.Context(), `SELECT aggregate, version FROM outbox WHERE crdb_region <> $1 ORDER BY aggregate, version`, s.Region.Name)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var aggregate string
			var version int64
			if err := rows.Scan(&aggregate, &version); err != nil {
				t.Fatal(err)
			}
			told = append(told, fmt.Sprint(aggregate, " ", version))
		}
		return told
	}
	// The region's own relay sends what its own outbox holds: the others' outboxes keep theirs.
	own := map[string]bool{}
	for _, step := range []struct {
		sku     string
		band    contract.Band
		version int64
		told    bool
	}{
		{"mug", contract.BandInStock, 1, true}, {"mug", contract.BandInStock, 2, false}, {"mug", contract.BandLow, 4, true}, {"mug", contract.BandOut, 3, false},
		{"draft", contract.BandInStock, 1, false}, {"nobody's", contract.BandInStock, 1, false}, {"mug", contract.BandOut, 5, true}, {"last", contract.BandOut, 1, false},
		{"last", contract.BandLow, 2, true},
	} {
		hear(step.sku, step.band, step.version)
		if step.told {
			own[fmt.Sprint("stock:", step.sku, " ", step.version)] = true
		}
	}
	heard := map[string]int{}
	for _, line := range announced() {
		heard[line]++
	}
	for line := range own {
		if heard[line] > 1 {
			t.Errorf("%s was announced %d times", line, heard[line])
		}
		if heard[line] == 0 { // then this region was first, and its relay has sent it
			subject, _, _ := strings.Cut(line, " ")
			event := s.WaitEvent(t, contract.TopicProducts, func(e contract.Event) bool { return fmt.Sprint(e.Subject, " ", e.AggregateVersion) == line })
			var change contract.ProductChange
			if err := event.Decode(&change); err != nil || event.Type != contract.ProductStockChanged || "stock:"+change.SKUs[0] != subject || change.ProductID == "" || change.Relisted {
				t.Errorf("%s announces %+v as %s (%v)", line, change, event.Type, err)
			}
		}
	}
	for line := range heard {
		if !own[line] {
			t.Errorf("%s was announced, and shoppers see nothing of it", line)
		}
	}
}

func TestAnAnswerIsKeptNoLongerThanItsPricesHold(t *testing.T) {
	t.Parallel()
	clock := &moved{}
	s := open(t, kittest.WithNow(clock.now))
	s.putProducts(t, mug("mug"))
	caching := func(path string) string {
		t.Helper()
		return s.Do(t, http.MethodGet, path, nil, nil).Header.Get("CDN-Cache-Control")
	}
	paths := []string{"/api/v1/products/mug", "/api/v1/products", "/api/v1/products?currency=EUR", "/api/v1/products/mug?region=eu-west"}
	for _, path := range paths {
		if got := caching(path); got != edgeCaching {
			t.Errorf("%s without price lists: %s", path, got)
		}
	}
	begins, ends := clock.now().Add(10*time.Minute).UTC(), clock.now().Add(20*time.Minute).UTC()
	var list contract.PriceList
	s.Do(t, http.MethodPost, "/api/v1/admin/price-lists", contract.PriceListInput{Name: "Sale", Currency: "USD", Region: "eu-west", StartsAt: &begins, EndsAt: &ends}, &list, s.admin(t))
	if list.ID == "" {
		t.Fatal("no list was made")
	}
	within := func(path string, least, most int) {
		t.Helper()
		var age int
		got := caching(path)
		if _, err := fmt.Sscanf(got, "max-age=%d, stale-while-revalidate=0", &age); err != nil || age < least || age > most {
			t.Errorf("%s: %s, want a lifetime from %d to %d s", path, got, least, most)
		}
	}
	within("/api/v1/products/mug?region=eu-west", 500, 600)
	within("/api/v1/products?region=eu-west", 500, 600)
	for _, path := range paths[:3] {
		if got := caching(path); got != edgeCaching {
			t.Errorf("%s, of another market: %s", path, got)
		}
	}
	clock.ahead.Store(int64(15 * time.Minute))
	within("/api/v1/products/mug?region=eu-west", 200, 300)
	clock.ahead.Store(int64(25 * time.Minute))
	if got := caching("/api/v1/products/mug?region=eu-west"); got != edgeCaching {
		t.Errorf("after the list: %s", got)
	}
}
