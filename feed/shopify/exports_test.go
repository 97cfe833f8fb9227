package shopify

import (
	"bytes"
	stdcmp "cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/feed"
)

// exports are two of Shopify's own sample exports, with counts made by another program.
var exports = []struct {
	name       string
	report     feed.Report
	categories int
}{
	{"shopify-apparel.csv", feed.Report{Rows: 104, Products: 25, Variants: 96, Prices: 96, Images: 55, StockCounts: 96, Noted: 1}, 6},
	{"shopify-bicycles.csv", feed.Report{Rows: 1399, Products: 284, Variants: 1121, Prices: 1121, Images: 1034, StockCounts: 1121, Noted: 67}, 63},
}

func TestRealExports(t *testing.T) {
	t.Parallel()
	for _, export := range exports {
		t.Run(export.name, func(t *testing.T) {
			t.Parallel()
			content := shared(t, export.name)
			reader, err := Open(bytes.NewReader(content), Options{})
			if err != nil {
				t.Fatal(err)
			}
			items, report := drain(t, reader)
			if len(report.Refusals) > 0 {
				t.Errorf("refused: %v", report.Refusals)
			}
			notes := report.Notes
			report.Notes, report.Refusals = nil, nil
			if diff := cmp.Diff(export.report, report); diff != "" {
				t.Errorf("%s\n%v", diff, notes)
			}
			survey := reader.Survey()
			if survey.Rows != report.Rows || survey.Products != report.Products || survey.Bytes != int64(len(content)) ||
				reader.BytesRead() != survey.Bytes || len(survey.Categories()) != export.categories {
				t.Errorf("survey %d rows, %d products, %d bytes, %d categories", survey.Rows, survey.Products, survey.Bytes, len(survey.Categories()))
			}
			accountForEveryRow(t, content, items)
		})
	}
}

// accountForEveryRow goes through the file by another way and looks for each product, variant, price and picture.
func accountForEveryRow(t *testing.T, content []byte, items []feed.Item) {
	t.Helper()
	records, err := csv.NewReader(bytes.NewReader(content)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	at := map[string]int{}
	for i, name := range records[0] {
		at[name] = i
	}
	products, used := map[string]contract.ProductInput{}, map[string]bool{}
	for _, item := range items {
		products[item.Product.Slug] = item.Product
	}
	for number, record := range records[1:] {
		cell := func(name string) string { return strings.TrimSpace(record[at[name]]) }
		product, ok := products[cell("Handle")]
		if !ok {
			t.Fatalf("record %d: no product %q", number, cell("Handle"))
		}
		if title := cell("Title"); title != "" && (title != product.Title || cell("Vendor") != product.Brand || cell("Body (HTML)") != product.Description ||
			(cell("Published") == "true") != product.Published) {
			t.Errorf("record %d: %+v", number, product)
		}
		if src := cell("Image Src"); src != "" {
			found := false
			for _, image := range product.Images {
				found = found || image.URL == src && image.Alt == cell("Image Alt Text")
			}
			if !found {
				t.Errorf("record %d: %s has no picture %s", number, product.Slug, src)
			}
		}
		if cell("Variant Price") == "" {
			continue
		}
		variant, ok := find(product, cell("Option1 Value"), cell("Option2 Value"))
		if !ok || used[variant.SKU] {
			t.Fatalf("record %d: variant of %s missing or met twice: %q", number, product.Slug, variant.SKU)
		}
		used[variant.SKU] = true
		price := strings.TrimSuffix(variant.Prices[0].String(), " USD")
		if price != cell("Variant Price") || fmt.Sprint(variant.WeightGrams) != stdcmp.Or(cell("Variant Grams"), "0") ||
			variant.Barcode != strings.TrimPrefix(cell("Variant Barcode"), "'") {
			t.Errorf("record %d: %+v", number, variant)
		}
		if sku := strings.TrimPrefix(cell("Variant SKU"), "'"); !strings.HasPrefix(variant.SKU, sku) {
			t.Errorf("record %d: SKU %q became %q", number, sku, variant.SKU)
		}
		if before := cell("Variant Compare At Price"); before != "" {
			if len(variant.CompareAtPrices) != 1 || variant.CompareAtPrices[0].String() != before+" USD" {
				t.Errorf("record %d: compare-at %v, not %s", number, variant.CompareAtPrices, before)
			}
		}
	}
}

func find(product contract.ProductInput, values ...string) (contract.VariantInput, bool) {
	for _, variant := range product.Variants {
		same := true
		for i, value := range values {
			if i < len(product.Options) {
				same = same && variant.Options[product.Options[i].Name] == value
			}
		}
		if same {
			return variant, true
		}
	}
	return contract.VariantInput{}, false
}

// A file that was cut anywhere but exactly between two rows is refused before anything of it is handed out.
func TestCutExportsAreRefusedWhole(t *testing.T) {
	t.Parallel()
	for _, export := range exports {
		t.Run(export.name, func(t *testing.T) {
			t.Parallel()
			content := shared(t, export.name)
			whole := rowEnds(t, content)
			rapid.Check(t, func(t *rapid.T) {
				cut := rapid.IntRange(0, len(content)-1).Draw(t, "cut")
				_, err := Open(bytes.NewReader(content[:cut]), Options{})
				if whole[cut] {
					if err != nil {
						t.Fatalf("cut between rows at %d: %v", cut, err)
					}
					return
				}
				var refused *feed.FileError
				if !errors.As(err, &refused) {
					t.Fatalf("cut at %d of %d: got %v", cut, len(content), err)
				}
			})
			// The last row is where a cut shows least, so every place in it is tried.
			for cut := len(content) - 1; cut > len(content)-200; cut-- {
				if _, err := Open(bytes.NewReader(content[:cut]), Options{}); (err == nil) != whole[cut] {
					t.Errorf("cut at %d of %d: %v", cut, len(content), err)
				}
			}
		})
	}
}

// rowEnds gives the places behind each data row.
func rowEnds(t *testing.T, content []byte) map[int]bool {
	t.Helper()
	ends, parser := map[int]bool{}, csv.NewReader(bytes.NewReader(content))
	for row := 0; ; row++ {
		_, err := parser.Read()
		if errors.Is(err, io.EOF) {
			return ends
		}
		if err != nil {
			t.Fatal(err)
		}
		ends[int(parser.InputOffset())] = row > 0
	}
}

// One damaged byte refuses the file or at most the products it is in: every other product comes out as it was.
func TestDamagedBytesDoNotSpread(t *testing.T) {
	t.Parallel()
	content := shared(t, "shopify-apparel.csv")
	intact, _ := readAll(t, string(content), Options{})
	byLine := map[string]feed.Item{}
	for _, item := range intact {
		byLine[item.Product.Slug] = item
	}
	rapid.Check(t, func(t *rapid.T) {
		damaged := bytes.Clone(content)
		damaged[rapid.IntRange(0, len(content)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "byte")
		reader, err := Open(bytes.NewReader(damaged), Options{})
		var refused *feed.FileError
		if errors.As(err, &refused) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		changed := 0
		for {
			item, err := reader.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			item.Line = byLine[item.Product.Slug].Line
			if !cmp.Equal(byLine[item.Product.Slug], item) {
				changed++
			}
		}
		// A damaged handle parts a product in two, and may add a part to a neighbour; a damaged header line may touch them all.
		if headerIntact := bytes.HasPrefix(damaged, content[:bytes.IndexByte(content, '\n')+1]); headerIntact && changed > 3 {
			t.Fatalf("%d products changed", changed)
		}
	})
}
