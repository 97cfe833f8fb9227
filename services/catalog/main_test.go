package catalog

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/local/kittest"
	"github.com/meridian-store/meridian/replication/outbox"
)

func TestMain(m *testing.M) { kittest.Main(m) }

// shop is a catalog under test, with the service's own methods on the same database for what HTTP does not show.
type shop struct {
	*kittest.Service
	service *Service
}

func open(t testing.TB, options ...kittest.Option) shop {
	t.Helper()
	running := kittest.Start(t, Definition(), options...)
	writer := outbox.NewWriter(running.Name, running.Region.Region, time.Now)
	return shop{running, newService(running.DB, writer, running.Region.Code, running.Regions, time.Now)}
}

// dollars is the market of those who ask for no region.
func dollars() market { return market{currency: "USD", at: time.Now()} }

// admin gives the headers of someone who keeps the catalog, and others besides.
func (s shop) admin(t testing.TB, more ...string) map[string]string {
	t.Helper()
	headers := map[string]string{"Authorization": s.Token(t, contract.RoleMerchandiser)}
	for i := 0; i+1 < len(more); i += 2 {
		headers[more[i]] = more[i+1]
	}
	return headers
}

// shirt gives a product with sizes and colours, whose slug and SKUs begin with a word.
func shirt(word string, categories ...string) contract.ProductInput {
	product := contract.ProductInput{
		Slug: word, Title: "Shirt " + word, Description: "<p>" + strings.Repeat("Woven slowly. ", 30) + "</p>", Brand: "Ayers", Categories: categories,
		Tags: []string{"new", "cotton"}, Attributes: map[string]string{"material": "cotton"}, Published: true,
		Options: []contract.Option{{Name: "Size", Values: []string{"S", "M"}}, {Name: "Colour", Values: []string{"Blue", "Red"}}},
		Images:  []contract.Image{{URL: "https://img.example/" + word + ".jpg", Alt: word}},
	}
	for i, size := range []string{"S", "M"} {
		for j, colour := range []string{"Blue", "Red"} {
			product.Variants = append(product.Variants, contract.VariantInput{
				SKU: fmt.Sprintf("%s %s/%s", word, size, colour), Options: map[string]string{"Size": size, "Colour": colour},
				Prices:          []contract.Money{{Amount: int64(2000 + 100*i + 10*j), Currency: "USD"}, {Amount: int64(1900 + 100*i), Currency: "EUR"}},
				CompareAtPrices: []contract.Money{{Amount: 3000, Currency: "USD"}}, WeightGrams: 200,
			})
		}
	}
	return product
}

// mug gives a product without options.
func mug(word string, categories ...string) contract.ProductInput {
	return contract.ProductInput{
		Slug: word, Title: "Mug " + word, Categories: categories, Published: true,
		Variants: []contract.VariantInput{{SKU: word, Prices: []contract.Money{{Amount: 900, Currency: "USD"}}}},
	}
}

func bulkOf(products ...contract.ProductInput) map[string]any {
	return map[string]any{"items": products}
}

type bulkAnswer struct {
	Results []contract.BulkResult `json:"results"`
}

// outcomes counts what became of the items.
func (b bulkAnswer) outcomes() map[string]int {
	counts := map[string]int{}
	for _, result := range b.Results {
		counts[result.Outcome]++
	}
	return counts
}

func (s shop) putCategories(t testing.TB, inputs ...contract.CategoryInput) {
	t.Helper()
	var answer bulkAnswer
	s.Do(t, http.MethodPost, "/api/v1/admin/categories/bulk", map[string]any{"items": inputs}, &answer, s.admin(t))
	if answer.outcomes()[outcomeRefused] > 0 || len(answer.Results) != len(inputs) {
		t.Fatalf("categories: %+v", answer)
	}
}

func (s shop) putProducts(t testing.TB, products ...contract.ProductInput) bulkAnswer {
	t.Helper()
	var answer bulkAnswer
	response := s.Do(t, http.MethodPost, "/api/v1/admin/products/bulk", bulkOf(products...), &answer, s.admin(t))
	if response.StatusCode != http.StatusOK {
		t.Fatalf("bulk: %d", response.StatusCode)
	}
	return answer
}

func BenchmarkBulk(b *testing.B) {
	s := open(b)
	s.putCategories(b, contract.CategoryInput{Slug: "shirts", Name: "Shirts"})
	for _, repeat := range []bool{false, true} {
		b.Run(fmt.Sprintf("unchanged=%t", repeat), func(b *testing.B) {
			rows, round := 0, 0
			for b.Loop() {
				round++
				if repeat {
					round = 1
				}
				var products []contract.ProductInput
				for i := range MaxBulkProducts {
					products = append(products, shirt(fmt.Sprintf("p-%t-%d-%d", repeat, round, i), "shirts"))
				}
				s.putProducts(b, products...)
				rows += MaxBulkProducts
			}
			b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "products/s")
			b.ReportMetric(float64(rows*4)/b.Elapsed().Seconds(), "variants/s")
		})
	}
	b.Run("list", func(b *testing.B) {
		for b.Loop() {
			page, err := s.service.store.list(context.Background(), listQuery{category: "shirts", market: dollars(), limit: 20})
			if err != nil || len(page.items) != 20 {
				b.Fatal(err, len(page.items))
			}
		}
	})
	b.Run("product", func(b *testing.B) {
		for b.Loop() {
			if _, _, err := s.service.store.product(context.Background(), "p-true-1-0", dollars()); err != nil {
				b.Fatal(err)
			}
		}
	})
}
