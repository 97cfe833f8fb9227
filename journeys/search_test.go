package journeys_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meridian-store/meridian/services/contract"
	"github.com/meridian-store/meridian/services/kit/kittest"
)

const (
	indexedProducts = 400
	// Each bulk is a quarter of them: ten thousand changes.
	indexedBulks = 100
)

// Not parallel: it kills what the others use. A region's engine and consumer are killed while its products change; nothing but events
// brings the rest into its index, and the index is the catalog.
func TestTheIndexIsTheCatalogWhoeverIsKilled(t *testing.T) {
	s := openShop(t)
	editor := s.token(t, contract.RoleMerchandiser)
	changed := make(chan error, 1)
	go func() { changed <- s.changeAtRandom(t.Context(), editor) }()
	kills := 0
	for done := false; !done; {
		select {
		case err := <-changed:
			if err != nil {
				t.Fatal(err)
			}
			done = true
		default:
			for _, name := range []string{"eu-west/search-engine", "eu-west/catalog"} {
				victim := slices.IndexFunc(partsOf(s.status), func(p part) bool { return p.name == name })
				if victim < 0 {
					t.Fatalf("status shows no %s", name)
				}
				s.killAndAwait(t, partsOf(s.status)[victim])
				kills++
			}
		}
	}
	for _, region := range s.status.Regions {
		kittest.Eventually(t, func() error { return s.searchHasAll(t, region.Name) })
		var found struct{ Products, Differing int }
		if err := json.Unmarshal([]byte(s.must(t, "search", "check", "--region", region.Name, "--json")), &found); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: after %d changes and %d kills in eu-west %d of %d products differ", region.Name, indexedBulks*indexedProducts/4, kills, found.Differing, found.Products)
	}
}

// changeAtRandom makes, changes, hides and deletes products, many at a time.
func (s *shop) changeAtRandom(ctx context.Context, editor map[string]string) error {
	for bulk := range indexedBulks {
		first := rand.IntN(4) * indexedProducts / 4
		var items []contract.ProductInput
		for n := range indexedProducts / 4 {
			slug := fmt.Sprintf("journey-index-%d", first+n)
			items = append(items, contract.ProductInput{Slug: slug, Title: fmt.Sprintf("Index %d %d", n, bulk), Published: rand.IntN(5) > 0, Variants: []contract.VariantInput{
				{SKU: "JRN-" + slug, Prices: []contract.Money{{Amount: 1 + rand.Int64N(100_000), Currency: "USD"}}}}})
		}
		if err := s.sendBulk(ctx, items, editor); err != nil {
			return err
		}
	}
	return nil
}

func (s *shop) sendBulk(ctx context.Context, items []contract.ProductInput, editor map[string]string) error {
	body, err := json.Marshal(map[string]any{"items": items})
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.status.Edge.URL+"/api/v1/admin/products/bulk", bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("X-Edge-Location", "IAD")
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", editor["Authorization"])
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	var answer struct{ Results []contract.BulkResult }
	if err := errors.Join(json.NewDecoder(response.Body).Decode(&answer), response.Body.Close()); err != nil || len(answer.Results) != len(items) {
		return fmt.Errorf("a bulk gives %s (%w)", response.Status, err)
	}
	for _, result := range answer.Results {
		if result.Outcome != "created" && result.Outcome != "updated" {
			return fmt.Errorf("%s was %s: %s", result.Slug, result.Outcome, result.Reason)
		}
	}
	return nil
}

// searchHasAll says whether a region's search service has put all events of products behind it, and the mirrors have brought all.
func (s *shop) searchHasAll(t *testing.T, region string) error {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(s.engine(t, region, "broker").Address))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	done, err := admin.FetchOffsets(t.Context(), contract.ServiceSearch)
	if err != nil {
		return err
	}
	ends, err := admin.ListEndOffsets(t.Context(), contract.TopicProducts)
	if err != nil {
		return err
	}
	waiting := int64(0)
	ends.Each(func(end kadm.ListedOffset) {
		at, _ := done.Lookup(end.Topic, end.Partition)
		waiting += end.Offset - max(at.At, 0)
	})
	if waiting > 0 {
		return fmt.Errorf("%s: search has %d records of products before it", region, waiting)
	}
	return nil
}
