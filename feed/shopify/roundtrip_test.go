package shopify

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/feed"
	"github.com/meridian-store/meridian/feed/seed"
)

var writtenAttributes = []string{"gender", "age_group", "material"}

// word draws text as it may stand in a cell: trimmed, since readers trim, and never empty.
func word(t *rapid.T, label string) string {
	return rapid.StringMatching(`[a-zA-Zé"';<&自][a-zA-Z0-9é",;'\n &自-]{0,12}[a-z0-9"]`).Draw(t, label)
}

// drawItem draws a product of everything that the format can hold.
func drawItem(t *rapid.T, number int, currency string) feed.Item {
	product := contract.ProductInput{
		Slug: fmt.Sprintf("p-%d", number), Title: word(t, "title"), Description: rapid.SampledFrom([]string{"", "<p>a\n\"b\"</p>", word(t, "body")}).Draw(t, "body"),
		Brand: rapid.SampledFrom([]string{"", "Brae"}).Draw(t, "brand"), Published: rapid.Bool().Draw(t, "published"),
	}
	if rapid.Bool().Draw(t, "has category") {
		product.Categories = []string{rapid.SampledFrom([]string{"mugs", "wool-hats"}).Draw(t, "category")}
	}
	product.Tags = slices.Clip(rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"new", "wool; soft", `5" wide`, "a b"}), 0, 3, rapid.ID).Draw(t, "tags"))
	if keys := rapid.SliceOfNDistinct(rapid.SampledFrom(writtenAttributes), 0, 3, rapid.ID).Draw(t, "attributes"); len(keys) > 0 {
		product.Attributes = map[string]string{}
		for _, key := range keys {
			product.Attributes[key] = word(t, key)
		}
	}
	for i := range rapid.IntRange(0, 4).Draw(t, "images") {
		product.Images = append(product.Images, contract.Image{URL: fmt.Sprintf("https://img.example/%d/%d.jpg?v=1,2", number, i),
			Alt: rapid.SampledFrom([]string{"", "Front, from \"above\""}).Draw(t, "alt")})
	}
	combinations := []map[string]string{nil}
	for i := range rapid.IntRange(0, maxOptions).Draw(t, "options") {
		option := contract.Option{Name: fmt.Sprintf("Option, %d", i), Values: rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"S", "M", "1,5 l", `7"`}), 1, 3, rapid.ID).Draw(t, "values")}
		product.Options = append(product.Options, option)
		var wider []map[string]string
		for _, combination := range combinations {
			for _, value := range option.Values {
				next := map[string]string{option.Name: value}
				for name, known := range combination {
					next[name] = known
				}
				wider = append(wider, next)
			}
		}
		combinations = wider
	}
	item := feed.Item{Product: product}
	for i, options := range combinations {
		variant := contract.VariantInput{
			SKU: fmt.Sprintf("SKU %d/%d", number, i), Options: options, Barcode: rapid.SampledFrom([]string{"", "0012345678905"}).Draw(t, "barcode"),
			Prices:      []contract.Money{{Amount: rapid.Int64Range(0, contract.MaxAmount).Draw(t, "price"), Currency: currency}},
			WeightGrams: rapid.Int64Range(0, feed.MaxWeightGrams).Draw(t, "grams"),
		}
		if rapid.Bool().Draw(t, "reduced") {
			variant.CompareAtPrices = []contract.Money{{Amount: rapid.Int64Range(1, contract.MaxAmount).Draw(t, "before"), Currency: currency}}
		}
		if rapid.Bool().Draw(t, "pictured") {
			variant.Image = &contract.Image{URL: "https://img.example/v.jpg"}
		}
		if rapid.Bool().Draw(t, "counted") {
			item.Stock = append(item.Stock, feed.SKUStock{SKU: variant.SKU, OnHand: rapid.Int64Range(0, feed.MaxOnHand).Draw(t, "on hand")})
		}
		item.Product.Variants = append(item.Product.Variants, variant)
	}
	return item
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		currency := rapid.SampledFrom([]string{"USD", "JPY", "KWD"}).Draw(t, "currency")
		categories := []contract.CategoryInput{{Slug: "mugs", Name: "Mugs"}, {Slug: "wool-hats", Name: "Wool Hats"}}
		var file bytes.Buffer
		writer := NewWriter(&file, WriterOptions{Currency: currency, Attributes: writtenAttributes, Categories: categories})
		var want []feed.Item
		for number := range rapid.IntRange(1, 4).Draw(t, "products") {
			item := drawItem(t, number, currency)
			if err := writer.Write(item); err != nil {
				t.Fatal(err)
			}
			want = append(want, item)
		}
		if err := writer.Close(); err != nil {
			t.Fatal(err)
		}
		reader, err := Open(bytes.NewReader(file.Bytes()), Options{Currency: currency})
		if err != nil {
			t.Fatalf("%v\n%s", err, file.String())
		}
		var got []feed.Item
		for {
			item, err := reader.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, item)
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(feed.Item{}, "Line")); diff != "" {
			t.Fatalf("%s\n%v\n%s", diff, reader.Report().Refusals, file.String())
		}
		for _, category := range reader.Survey().Categories() {
			if !slices.Contains(categories, category) {
				t.Fatalf("category %+v", category)
			}
		}
	})
}

func TestWriterRefusesWhatItWouldLose(t *testing.T) {
	t.Parallel()
	variant := contract.VariantInput{SKU: "S", Prices: []contract.Money{{Amount: 1, Currency: "USD"}}}
	whole := func(change func(*contract.ProductInput)) feed.Item {
		product := contract.ProductInput{Slug: "p", Title: "P", Variants: []contract.VariantInput{variant}}
		change(&product)
		return feed.Item{Product: product}
	}
	for name, item := range map[string]feed.Item{
		"four options": whole(func(p *contract.ProductInput) { p.Options = make([]contract.Option, 4) }),
		"comma in tag": whole(func(p *contract.ProductInput) { p.Tags = []string{"a,b"} }),
		"attribute":    whole(func(p *contract.ProductInput) { p.Attributes = map[string]string{"smell": "good"} }),
		"no variant":   whole(func(p *contract.ProductInput) { p.Variants = nil }),
		"no price":     whole(func(p *contract.ProductInput) { p.Variants = []contract.VariantInput{{SKU: "S"}} }),
	} {
		writer := NewWriter(io.Discard, WriterOptions{})
		if err := writer.Write(item); err == nil || !strings.Contains(err.Error(), "product p: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAnEmptyFileHasItsHeader(t *testing.T) {
	t.Parallel()
	var file bytes.Buffer
	if err := NewWriter(&file, WriterOptions{}).Close(); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(file.String(), "Handle,Title,") || strings.Count(file.String(), "\n") != 1 {
		t.Errorf("%q", file.String())
	}
}

func TestASeededCatalogSurvivesTheFormat(t *testing.T) {
	t.Parallel()
	config := seed.Config{Products: 200}
	items, err := seed.Generate(config)
	if err != nil {
		t.Fatal(err)
	}
	categories, err := seed.Categories(config)
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	writer := NewWriter(&file, WriterOptions{Currency: "GBP", Attributes: seed.AttributeKeys(), Categories: categories})
	var want []feed.Item
	for item := range items {
		if err := writer.Write(item); err != nil {
			t.Fatal(err)
		}
		item.Product.Categories = item.Product.Categories[:1]
		for i := range item.Product.Variants {
			variant := &item.Product.Variants[i]
			variant.Prices, variant.CompareAtPrices = onlyIn("GBP", variant.Prices), onlyIn("GBP", variant.CompareAtPrices)
		}
		want = append(want, item)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	got, report := readAll(t, file.String(), Options{Currency: "GBP"})
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(feed.Item{}, "Line")); diff != "" || report.Refused != 0 || report.Noted != 0 {
		t.Errorf("%s\n%v %v", diff, report.Refusals, report.Notes)
	}
}

func onlyIn(currency string, prices []contract.Money) []contract.Money {
	var only []contract.Money
	for _, price := range prices {
		if price.Currency == currency {
			only = append(only, price)
		}
	}
	return only
}
