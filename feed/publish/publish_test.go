package publish

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/feed"
)

// shop is a shop in memory with the real one's rules: a SKU belongs to one product, and a count of a known reference changes nothing.
type shop struct {
	mu       sync.Mutex
	products map[string]string
	owners   map[string]string
	stock    map[string]int64
	counted  map[string]bool
	// dies, when positive, counts down the requests until every further one fails.
	dies  int
	dead  bool
	sends int
}

var errCut = errors.New("cut off")

func newShop() *shop {
	return &shop{products: map[string]string{}, owners: map[string]string{"taken": "a product of somebody else"}, stock: map[string]int64{}, counted: map[string]bool{}}
}

func (s *shop) Send(_ context.Context, what Kind, batch json.RawMessage, answer any) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sends++; s.dies > 0 {
		if s.dies--; s.dies == 0 {
			s.dead = true
		}
	}
	if s.dead {
		return errCut
	}
	var results any
	if what == Stock {
		results = s.count(batch)
	} else {
		results = s.write(batch)
	}
	encoded, err := json.Marshal(map[string]any{"results": results})
	if err != nil {
		return err
	}
	return json.Unmarshal(encoded, answer)
}

func (s *shop) write(batch json.RawMessage) []contract.BulkResult {
	var in struct{ Items []contract.ProductInput }
	if err := json.Unmarshal(batch, &in); err != nil {
		panic(err)
	}
	var results []contract.BulkResult
	for _, product := range in.Items {
		results = append(results, s.writeOne(product))
	}
	return results
}

func (s *shop) writeOne(product contract.ProductInput) contract.BulkResult {
	result := contract.BulkResult{Slug: product.Slug, Outcome: "created"}
	for _, v := range product.Variants {
		if owner, owned := s.owners[v.SKU]; owned && owner != product.Slug {
			return contract.BulkResult{Slug: product.Slug, Outcome: "refused", Field: "variants[0].sku", Reason: "taken"}
		}
	}
	encoded, err := json.Marshal(product)
	if err != nil {
		panic(err)
	}
	switch before, known := s.products[product.Slug]; {
	case before == string(encoded):
		result.Outcome = "unchanged"
	case known:
		result.Outcome = "updated"
	}
	s.products[product.Slug] = string(encoded)
	maps.DeleteFunc(s.owners, func(_, owner string) bool { return owner == product.Slug })
	for _, v := range product.Variants {
		s.owners[v.SKU] = product.Slug
	}
	return result
}

func (s *shop) count(batch json.RawMessage) []contract.StockResult {
	var in struct{ Items []contract.StockCount }
	if err := json.Unmarshal(batch, &in); err != nil {
		panic(err)
	}
	var results []contract.StockResult
	for _, count := range in.Items {
		result := contract.StockResult{SKU: count.SKU, Warehouse: count.Warehouse, Outcome: "unchanged"}
		if key := count.SKU + "@" + count.Warehouse + count.Reference; !s.counted[key] {
			s.counted[key], s.stock[count.SKU], result.Outcome = true, count.OnHand, "applied"
		}
		results = append(results, result)
	}
	return results
}

func makeItems(n int) []feed.Item {
	var items []feed.Item
	for i := range n {
		sku := fmt.Sprintf("S%d", i)
		items = append(items, feed.Item{Line: i + 2, Product: contract.ProductInput{Slug: fmt.Sprintf("p-%d", i), Title: "P",
			Variants: []contract.VariantInput{{SKU: sku}}}, Stock: []feed.SKUStock{{SKU: sku, OnHand: int64(i)}}})
	}
	return items
}

// run publishes items and gives the last progress that it was told.
func run(shop *shop, items []feed.Item, from Progress, inFlight int) (Progress, error) {
	last := from
	p := &Publisher{Shop: shop, Warehouses: []string{"w"}, Reference: "r", InFlight: inFlight, From: from, Advanced: func(reached Progress) error {
		last = reached
		return nil
	}}
	p.Start(context.Background())
	defer p.Stop()
	for _, item := range items {
		if err := p.Add(item); err != nil {
			p.Stop()
			return last, err
		}
	}
	err := p.Flush()
	return last, err
}

// Cut off anywhere and as often as one likes, and gone on with from what was remembered then or a little earlier, a run ends in
// the shop in which an uninterrupted one ends.
func TestACutOffRunEndsInTheSameShop(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		items := makeItems(rapid.IntRange(1, 800).Draw(t, "items"))
		// Some products cannot be taken, whoever asks.
		for _, i := range rapid.SliceOfN(rapid.IntRange(1, 800), 0, 40).Draw(t, "bad") {
			if i < len(items) {
				items[i].Product.Variants[0].SKU, items[i].Stock = "taken", nil
			}
		}
		whole := newShop()
		want, err := run(whole, items, Progress{}, 1)
		if err != nil {
			t.Fatal(err)
		}
		cut, from := newShop(), Progress{}
		for {
			cut.dead, cut.dies = false, rapid.IntRange(0, 30).Draw(t, "dies")
			reached, err := run(cut, items, from, rapid.IntRange(1, 4).Draw(t, "in flight"))
			if err == nil {
				from = reached
				break
			}
			if !errors.Is(err, errCut) {
				t.Fatal(err)
			}
			if rapid.Bool().Draw(t, "saved") {
				from = reached
			}
		}
		if diff := cmp.Diff(whole.products, cut.products) + cmp.Diff(whole.stock, cut.stock); diff != "" {
			t.Fatal(diff)
		}
		if from.Done != int64(len(items)) || len(from.Again) > 0 || from.Outcome.Refused != want.Outcome.Refused ||
			from.Outcome.Created+from.Outcome.Unchanged != want.Outcome.Created {
			t.Fatalf("got %+v, want %+v", from, want)
		}
		if diff := cmp.Diff(want.Refusals, from.Refusals); diff != "" {
			t.Fatal(diff)
		}
	})
}

// What an earlier run brought in is not sent again.
func TestARunGoesOnWhereItStopped(t *testing.T) {
	t.Parallel()
	s, items := newShop(), makeItems(10*ProductBatch)
	s.dies = 11 // two requests a batch
	reached, err := run(s, items, Progress{}, 1)
	if !errors.Is(err, errCut) || reached.Done != 5*ProductBatch {
		t.Fatalf("%v: %+v", err, reached)
	}
	s.dead, s.sends = false, 0
	if reached, err = run(s, items, reached, 1); err != nil || s.sends != 10 || reached.Outcome.Created != int64(len(items)) || reached.Outcome.Unchanged != 0 {
		t.Fatalf("%v after %d requests: %+v", err, s.sends, reached)
	}
}

// A SKU that moves to a product that comes earlier in the feed is refused at first, and taken once its owner has let go.
func TestASKUMayMove(t *testing.T) {
	t.Parallel()
	s, items := newShop(), makeItems(3*ProductBatch)
	if _, err := run(s, items, Progress{}, 2); err != nil {
		t.Fatal(err)
	}
	last := len(items) - 1
	items[0].Product.Variants[0].SKU, items[last].Product.Variants[0].SKU = items[last].Product.Variants[0].SKU, "new"
	reached, err := run(s, items, Progress{}, 2)
	if err != nil || reached.Outcome.Refused != 0 || reached.Outcome.Updated != 2 || s.owners[fmt.Sprintf("S%d", last)] != "p-0" {
		t.Fatalf("%v: %+v", err, reached)
	}
}

// Refusals are told in the order of the feed whatever order the answers come in, and no more are kept than a report has room for.
func TestRefusalsAreInTheFeedsOrder(t *testing.T) {
	t.Parallel()
	s, items := newShop(), makeItems(2000)
	for i := range items {
		if i%2 == 1 {
			items[i].Product.Variants[0].SKU, items[i].Stock = "taken", nil
		}
	}
	reached, err := run(s, items, Progress{}, 8)
	if err != nil || reached.Outcome.Refused != 1000 || len(reached.Refusals) != feed.KeptFindings {
		t.Fatalf("%v: %+v, %d", err, reached.Outcome, len(reached.Refusals))
	}
	if !slices.IsSortedFunc(reached.Refusals, func(a, b feed.Refusal) int { return a.Line - b.Line }) {
		t.Error("the refusals are not in the order of the feed")
	}
}

// moody refuses service now and then.
type moody struct{ *shop }

func (m moody) Send(ctx context.Context, what Kind, batch json.RawMessage, answer any) error {
	if rand.IntN(3) == 0 {
		return contract.Errorf(contract.CodeUnavailable, "not now")
	}
	return m.shop.Send(ctx, what, batch, answer)
}

func TestABusyShopIsAskedAgain(t *testing.T) {
	t.Parallel()
	s := newShop()
	p := &Publisher{Shop: moody{s}, Warehouses: []string{"w"}, Reference: "r"}
	p.Start(t.Context())
	defer p.Stop()
	if err := p.Categories(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	for _, item := range makeItems(250) {
		if err := p.Add(item); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Flush(); err != nil || len(s.products) != 250 {
		t.Fatalf("%v: %d products", err, len(s.products))
	}
}

func TestLargeProductsMakeSmallBatches(t *testing.T) {
	t.Parallel()
	items := makeItems(12)
	for i := range items {
		items[i].Product.Description = strings.Repeat("x", 1<<20)
	}
	s := newShop()
	if _, err := run(s, items, Progress{}, 1); err != nil || s.sends != 8 {
		t.Fatalf("%v: %d requests, want 4 of products and 4 of stock", err, s.sends)
	}
}
