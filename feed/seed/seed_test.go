package seed

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/feed"
)

func generate(t require, config Config) iter.Seq[feed.Item] {
	t.Helper()
	items, err := Generate(config)
	if err != nil {
		t.Fatal(err)
	}
	return items
}

type require interface {
	Helper()
	Fatal(...any)
}

// fingerprint gives one line for all of a catalog, stock included.
func fingerprint(items iter.Seq[feed.Item]) string {
	sum := sha256.New()
	for item := range items {
		p := item.Product
		fmt.Fprintln(sum, p.Slug, p.Title, p.Description, p.Brand, p.Categories, p.Tags, p.Attributes, p.Options, p.Published, item.Stock)
		for _, v := range p.Variants {
			fmt.Fprintln(sum, v.SKU, v.Options, v.Prices, v.CompareAtPrices, v.Barcode, v.WeightGrams)
		}
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}

// A shop that was seeded by an older Meridian is seeded again after an upgrade: the same products must come out, or it would
// get others beside them. Change this value only with a word about that in the release's notes.
func TestTheDefaultCatalogStaysWhatItIs(t *testing.T) {
	t.Parallel()
	if got := fingerprint(generate(t, Config{})); got != "c7b89f7258eabb13" {
		t.Errorf("the default catalog's fingerprint is %s", got)
	}
}

func TestALargerCatalogBeginsWithTheSmaller(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		config := Config{Products: rapid.IntRange(1, 60).Draw(t, "products"), Categories: rapid.IntRange(1, MaxCategories).Draw(t, "categories"),
			Seed: rapid.Uint64().Draw(t, "seed")}
		larger := config
		larger.Products += rapid.IntRange(1, 60).Draw(t, "more")
		small, large := slices.Collect(generate(t, config)), slices.Collect(generate(t, larger))
		if len(small) != config.Products || len(large) != larger.Products {
			t.Fatalf("%d and %d products", len(small), len(large))
		}
		if diff := cmp.Diff(small, large[:len(small)]); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestAnotherSeedIsAnotherCatalog(t *testing.T) {
	t.Parallel()
	if fingerprint(generate(t, Config{Products: 10})) == fingerprint(generate(t, Config{Products: 10, Seed: 1})) {
		t.Error("seeds 0 and 1 give the same")
	}
}

// catalogFacts gathers what must hold over a whole catalog.
type catalogFacts struct {
	slugs, skus, barcodes map[string]bool
	perCategory           map[string]int
	bands                 map[contract.Band]int
	reduced               int
}

func TestTwentyThousandProducts(t *testing.T) {
	t.Parallel()
	const products = 20_000
	facts := catalogFacts{slugs: map[string]bool{}, skus: map[string]bool{}, barcodes: map[string]bool{},
		perCategory: map[string]int{}, bands: map[contract.Band]int{}}
	for item := range generate(t, Config{Products: products}) {
		facts.add(t, item)
		if t.Failed() {
			t.FailNow()
		}
	}
	if len(facts.slugs) != products {
		t.Errorf("%d products", len(facts.slugs))
	}
	for category, count := range facts.perCategory {
		if count < products/MaxCategories-1 || count > products/MaxCategories+1 {
			t.Errorf("%s has %d products", category, count)
		}
	}
	variants := len(facts.skus)
	if out, low := facts.bands[contract.BandOut], facts.bands[contract.BandLow]; out < variants/50 || out > variants/10 || low < variants/50 || low > variants/8 {
		t.Errorf("of %d variants %d are out, %d low", variants, out, low)
	}
	if facts.reduced < products/20 || facts.reduced > products/4 {
		t.Errorf("%d products are reduced", facts.reduced)
	}
}

func (f *catalogFacts) add(t *testing.T, item feed.Item) {
	t.Helper()
	product := item.Product
	if f.slugs[product.Slug] || feed.Slug(product.Slug) != product.Slug || len(product.Slug) > feed.MaxSlug {
		t.Errorf("slug %q is there twice or is none", product.Slug)
	}
	f.slugs[product.Slug] = true
	f.perCategory[product.Categories[0]]++
	if strings.Contains(product.Title+product.Description, "%!") || !strings.Contains(product.Description, "<p>") {
		t.Errorf("%s: %q, %q", product.Slug, product.Title, product.Description)
	}
	for key := range product.Attributes {
		if !slices.Contains(AttributeKeys(), key) {
			t.Errorf("%s: attribute %s is not announced", product.Slug, key)
		}
	}
	combinations := 1
	for _, option := range product.Options {
		combinations *= len(option.Values)
	}
	if len(product.Variants) != combinations || len(item.Stock) != combinations {
		t.Errorf("%s: %d variants and %d counts for %d combinations", product.Slug, len(product.Variants), len(item.Stock), combinations)
	}
	if len(product.Variants[0].CompareAtPrices) > 0 {
		f.reduced++
	}
	for i, variant := range product.Variants {
		f.addVariant(t, variant, item.Stock[i])
	}
}

func (f *catalogFacts) addVariant(t *testing.T, variant contract.VariantInput, stock feed.SKUStock) {
	t.Helper()
	if f.skus[variant.SKU] || f.barcodes[variant.Barcode] || len(variant.SKU) > feed.MaxSKU || stock.SKU != variant.SKU {
		t.Errorf("SKU %q or barcode %s is there twice, or the stock is of %q", variant.SKU, variant.Barcode, stock.SKU)
	}
	f.skus[variant.SKU], f.barcodes[variant.Barcode] = true, true
	f.bands[contract.BandOf(stock.OnHand)]++
	if !validEAN(variant.Barcode) {
		t.Errorf("%s: barcode %s", variant.SKU, variant.Barcode)
	}
	if variant.WeightGrams < 20 || variant.WeightGrams > 20_000 {
		t.Errorf("%s weighs %d g", variant.SKU, variant.WeightGrams)
	}
	amounts := map[string]int64{}
	for _, price := range variant.Prices {
		amounts[price.Currency] = price.Amount
	}
	for _, before := range variant.CompareAtPrices {
		if before.Amount <= amounts[before.Currency] {
			t.Errorf("%s: %s before, %v now", variant.SKU, before, variant.Prices)
		}
	}
	if ending := amounts["USD"] % 100; len(amounts) != 5 || (ending != 99 && ending != 95) || amounts["JPY"]%100 != 80 {
		t.Errorf("%s: prices %v", variant.SKU, variant.Prices)
	}
}

// validEAN adds the digits from the right, as the standard tells it, and not as the generator does.
func validEAN(code string) bool {
	if len(code) != 13 || code[0] != '2' {
		return false
	}
	sum := 0
	for i := range code {
		digit := int(code[len(code)-1-i] - '0')
		if i%2 == 1 {
			digit *= 3
		}
		sum += digit
	}
	return sum%10 == 0
}

func TestCurrenciesAreWorthTheSame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		cents, ending := rapid.Int64Range(400, 100_000).Draw(t, "cents"), rapid.IntRange(0, 1).Draw(t, "ending")
		for _, price := range prices(cents, ending, Currencies()) {
			habit := habits[price.Currency]
			exact := cents * habit.perDollar / 100
			if off := price.Amount - exact; price.Amount <= 0 || off > habit.step || off < -habit.step {
				t.Fatalf("%d cents are %s", cents, price)
			}
			if err := contract.ValidateCurrency("currency", price.Currency); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestTheTreeHoldsEveryProduct(t *testing.T) {
	t.Parallel()
	for count := 1; count <= MaxCategories; count++ {
		config := Config{Products: 3 * count, Categories: count}
		categories, err := Categories(config)
		if err != nil {
			t.Fatal(err)
		}
		known := map[string]bool{"": true}
		for _, category := range categories {
			if known[category.Slug] || !known[category.Parent] || feed.Slug(category.Name) != category.Slug {
				t.Errorf("%d categories: %+v is there twice, before its parent, or not what its name says", count, category)
			}
			known[category.Slug] = true
		}
		found := map[string]int{}
		for item := range generate(t, config) {
			for _, slug := range item.Product.Categories {
				if !known[slug] {
					t.Errorf("%s is in %s, which is not in the tree", item.Product.Slug, slug)
				}
			}
			found[item.Product.Categories[0]]++
		}
		if len(categories) != count || len(found) != count {
			t.Errorf("asked for %d categories, got %d, %d of them with products", count, len(categories), len(found))
		}
	}
}

func TestWhatCannotBeMadeIsRefused(t *testing.T) {
	t.Parallel()
	for field, config := range map[string]Config{
		"products": {Products: -1}, "categories": {Categories: MaxCategories + 1}, "currencies": {Currencies: []string{"USD", "XXX"}},
	} {
		if _, err := Generate(config); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
		if _, err := Categories(config); err == nil {
			t.Errorf("%s: Categories took it", field)
		}
	}
	if _, err := Generate(Config{Currencies: []string{"USD", "USD"}}); err == nil {
		t.Error("the same currency twice was taken")
	}
}

func TestACatalogCanBeLeftHalfway(t *testing.T) {
	t.Parallel()
	items, count := generate(t, Config{}), 0
	for range items {
		if count++; count == 3 {
			break
		}
	}
	if again := slices.Collect(items); len(again) != DefaultProducts {
		t.Errorf("%d products the second time", len(again))
	}
}

func BenchmarkGenerate(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		for item := range generate(b, Config{Products: 1000}) {
			if len(item.Product.Variants) == 0 {
				b.Fatal("no variants")
			}
		}
	}
}
