package journeys_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/meridian-store/meridian/services/contract"
)

const (
	// edgeKeeps is how long an edge location keeps a catalog answer: docs/adr/0005.
	edgeKeeps = 2 * time.Second
	// Two hundred changes, so that the second worst is the 99th percentile.
	changedProducts, changesOfEach = 20, 10
	// lookEvery is how often a location's shoppers read a product that changes.
	lookEvery = 25 * time.Millisecond
)

// change is how long one change of a price took to be seen, from when the admin was told that it is made.
type change struct {
	took  time.Duration
	stale int // reads that still had the old price
}

// Not parallel: it slows links that the others use.
func TestAChangeInOneRegionIsServedInAnotherSoonWithRealisticLinks(t *testing.T) {
	s := openShop(t)
	pairs := [][2]string{{"us-east", "eu-west"}, {"us-east", "ap-southeast"}, {"eu-west", "ap-southeast"}}
	t.Cleanup(func() {
		for _, pair := range pairs {
			s.must(t, "link", "heal", pair[0], pair[1])
		}
	})
	for _, pair := range pairs {
		s.must(t, "link", "delay", pair[0], pair[1])
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	editor := s.token(t, contract.RoleAdmin)
	var all []change
	var faults []error
	var mu sync.Mutex
	var working sync.WaitGroup
	for n := range changedProducts {
		p := priced{shop: s, slug: fmt.Sprintf("journey-fresh-%d", n), editor: editor}
		s.ask(t, "IAD", http.MethodPost, "/api/v1/admin/products", p.input(100), nil, editor).want(t, http.StatusCreated)
		working.Go(func() {
			changes, err := p.follow(ctx)
			mu.Lock()
			defer mu.Unlock()
			all, faults = append(all, changes...), append(faults, err)
		})
	}
	working.Wait()
	if err := errors.Join(faults...); err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(all, func(a, b change) int { return int(a.took - b.took) })
	stale := 0
	for _, c := range all {
		stale += c.stale
	}
	at := func(percent int) time.Duration { return all[len(all)*percent/100-1].took.Round(time.Millisecond) }
	t.Logf("%d changes in us-east, each seen in Singapore after: p50 %s, p90 %s, p99 %s, max %s (%d reads had the old price; looked every %s)",
		len(all), at(50), at(90), at(99), at(100), stale, lookEvery)
	if len(all) != changedProducts*changesOfEach || stale == 0 {
		t.Errorf("%d changes, %d reads before them: nothing was cached, so nothing was measured", len(all), stale)
	}
	// What must hold on the busiest machine: nobody is served from before a change for longer than a location keeps an answer.
	if worst := at(100); worst > edgeKeeps+patience {
		t.Errorf("a change took %s", worst)
	}
}

// priced is a product whose price an editor in the east of America changes, and a shopper in Singapore reads.
type priced struct {
	shop   *shop
	slug   string
	editor map[string]string
}

func (p priced) input(amount int64) contract.ProductInput {
	return contract.ProductInput{Slug: p.slug, Title: "Fresh", Published: true, Variants: []contract.VariantInput{
		{SKU: "JRN-" + p.slug, Prices: []contract.Money{{Amount: amount, Currency: "USD"}}},
	}}
}

// follow changes the price again and again, at moments that have nothing to do with when the edge last asked, and times each.
func (p priced) follow(ctx context.Context) ([]change, error) {
	var changes []change
	for n := range changesOfEach {
		amount := int64(101 + n)
		if _, err := p.watch(ctx, amount, time.Now().Add(rand.N(edgeKeeps))); err != nil {
			return nil, err
		}
		patch, err := json.Marshal(map[string]any{"variants": p.input(amount).Variants})
		if err != nil {
			return nil, err
		}
		got, err := p.send(ctx, "IAD", http.MethodPatch, "/api/v1/admin/products/"+p.slug, patch)
		if err != nil || got.status != http.StatusOK || got.header.Get(contract.HeaderRegion) != "us-east" {
			return nil, fmt.Errorf("change %s in %s: %d %s (%w)", p.slug, got.header.Get(contract.HeaderRegion), got.status, got.body, err)
		}
		seen, err := p.watch(ctx, amount, time.Time{})
		if err != nil {
			return nil, err
		}
		changes = append(changes, seen)
	}
	return changes, nil
}

// watch reads until a price is there; or, with an end, until then.
func (p priced) watch(ctx context.Context, amount int64, end time.Time) (change, error) {
	begun := time.Now()
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for stale := 0; ; stale++ {
		got, err := p.send(ctx, "SIN", http.MethodGet, "/api/v1/products/"+p.slug, nil)
		if err != nil {
			return change{}, err
		}
		var product contract.Product
		if err := json.Unmarshal(got.body, &product); err != nil || got.status != http.StatusOK || len(product.Variants) != 1 || product.Variants[0].Price == nil {
			return change{}, fmt.Errorf("%s reads %d %s (%w)", p.slug, got.status, got.body, err)
		}
		if region := got.header.Get(contract.HeaderRegion); region != "ap-southeast" {
			return change{}, fmt.Errorf("Singapore was served by %s", region)
		}
		if is := product.Variants[0].Price.Amount == amount; is || (!end.IsZero() && time.Now().After(end)) {
			return change{took: time.Since(begun), stale: stale}, nil
		}
		select {
		case <-ctx.Done():
			return change{}, fmt.Errorf("%s never costs %d: %w", p.slug, amount, ctx.Err())
		case <-ticker.C:
		}
	}
}

func (p priced) send(ctx context.Context, location, method, path string, body []byte) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, method, p.shop.status.Edge.URL+path, bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	request.Header.Set("X-Edge-Location", location)
	if method == http.MethodPatch {
		request.Header.Set("Content-Type", "application/merge-patch+json")
		request.Header.Set("Authorization", p.editor["Authorization"])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	read, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header, read}, err
}
