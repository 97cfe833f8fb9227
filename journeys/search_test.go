package journeys_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"slices"
	"testing"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/httpclient"
	"github.com/meridian-store/meridian/local/engine/enginetest"
	"github.com/meridian-store/meridian/local/kittest"
)

const (
	indexedProducts = 400
	// Each bulk is a quarter of them: four thousand changes. Ten thousand are made where only the consumer and the engine run
	// (services/search, TestTheIndexIsTheCatalogAfterTenThousandChanges).
	indexedBulks = 40
)

// A region's engine, and its services with the consumer among them, are killed while products change. A group of consumers whose members
// were killed may stand still for a while, so what the events have not brought is left to the comparison; after it the index is the
// catalog, and stays so. The copy is the test's own, because nobody else may have to wait for that group.
func TestTheIndexIsTheCatalogWhoeverIsKilled(t *testing.T) {
	s := &shop{binary: binary(t), home: filepath.Join(scratch, "indexed")}
	s.up(t, enginetest.Ports(t, 100))
	t.Cleanup(func() { s.must(t, "down") })
	editor := s.token(t, contract.RoleMerchandiser)
	changed := make(chan error, 1)
	asStarted := *s // what is killed changes the status of s; the edge stays where it is
	go func() { changed <- asStarted.changeAtRandom(t.Context(), editor) }()
	kills := 0
	for done := false; !done || kills == 0; {
		select {
		case err := <-changed:
			if err != nil {
				t.Fatal(err)
			}
			done = true
		default:
			for _, name := range []string{"eu-west/search-engine", "eu-west/search"} {
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
		first := s.checkIndex(t, region.Name)
		second := s.checkIndex(t, region.Name)
		t.Logf("%s: after %d changes and %d kills in eu-west %d of %d products differed, then %d", region.Name, indexedBulks*indexedProducts/4, kills, first.Differing, first.Products, second.Differing)
		if first.Mended != first.Differing || second.Differing > 0 || second.Products == 0 {
			t.Errorf("%s: %+v, then %+v", region.Name, first, second)
		}
	}
}

// compared is what `meridian search check --json` prints; it exits with 1 when something differed.
type compared struct{ Products, Differing, Mended int }

func (s *shop) checkIndex(t *testing.T, region string) compared {
	t.Helper()
	var found compared
	kittest.Eventually(t, func() error {
		var out bytes.Buffer
		ran := s.run(t.Context(), &out, "search", "check", "--region", region, "--json")
		if err := json.Unmarshal(out.Bytes(), &found); err != nil {
			return errors.Join(ran, err) // the engine or the service is still on its way up
		}
		return nil
	})
	return found
}

// changeAtRandom makes, changes, hides and shows products, many at a time.
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
	header := map[string]string{"X-Edge-Location": "IAD", "Authorization": editor["Authorization"]}
	request := httpclient.Request{
		Method: http.MethodPost, URL: s.status.Edge.URL + "/api/v1/admin/products/bulk", Header: header,
		Body: map[string]any{"items": items},
	}
	var answer struct{ Results []contract.BulkResult }
	if err := request.Decode(ctx, &answer); err != nil || len(answer.Results) != len(items) {
		return fmt.Errorf("a bulk of %d items gives %d results (%w)", len(items), len(answer.Results), err)
	}
	for _, result := range answer.Results {
		if result.Outcome != "created" && result.Outcome != "updated" {
			return fmt.Errorf("%s was %s: %s", result.Slug, result.Outcome, result.Reason)
		}
	}
	return nil
}
