package shopify

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/feed"
)

// FuzzReader holds the reader to its promises on any bytes: it ends, it fails only as it says, and what it hands out is
// within the contract's limits and sold under SKUs that occur once.
func FuzzReader(f *testing.F) {
	f.Add([]byte(simple + "a,A,Size,S,,,S1,1.00,5,https://h/a.jpg\na,,,M,,,,2.00,-1,\n"))
	f.Add([]byte(simple + "a,A,,,,,S1,1.00,,\nb,B,,,,,S1,1,,\na,,,,,,S2,1,,\n,,,x,,,,,,\n"))
	f.Add([]byte("\xef\xbb\xbf" + strings.ReplaceAll(simple, ",", ";")))
	f.Add([]byte(simple + "\"a\n\"\"b\",\"\",,,,,,,,\n"))
	f.Add([]byte("URL handle,Title,Price,Google Shopping / Gender\na,A,1,\xe9\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		reader, err := Open(bytes.NewReader(file), Options{})
		if err != nil {
			var refused *feed.FileError
			if !errors.As(err, &refused) || strings.Contains(err.Error(), "\n") {
				t.Fatalf("not a FileError on one line: %v", err)
			}
			return
		}
		skus, slugs := map[string]bool{}, map[string]bool{}
		for {
			item, err := reader.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("a checked file fails: %v", err)
			}
			if slugs[item.Product.Slug] {
				t.Fatalf("slug %q twice", item.Product.Slug)
			}
			slugs[item.Product.Slug] = true
			judge(t, item, skus)
		}
		report, survey := reader.Report(), reader.Survey()
		if report.Rows != survey.Rows || reader.BytesRead() != int64(len(file)) || report.Products+report.Refused < survey.Products {
			t.Fatalf("report %+v, survey %d rows, %d products", report, survey.Rows, survey.Products)
		}
	})
}

func judge(t *testing.T, item feed.Item, skus map[string]bool) {
	t.Helper()
	product := item.Product
	if product.Slug == "" || len(product.Slug) > feed.MaxSlug || product.Title == "" || len(product.Variants) == 0 || item.Line < 2 {
		t.Fatalf("incomplete: %+v", item)
	}
	for _, variant := range product.Variants {
		if variant.SKU == "" || skus[variant.SKU] || len([]rune(variant.SKU)) > feed.MaxSKU {
			t.Fatalf("SKU %q is empty, too long or there twice", variant.SKU)
		}
		skus[variant.SKU] = true
		if len(variant.Prices) != 1 || variant.Prices[0].Amount < 0 || variant.Prices[0].Amount > contract.MaxAmount {
			t.Fatalf("prices %v", variant.Prices)
		}
		if len(variant.Options) != len(product.Options) {
			t.Fatalf("options %v of %v", variant.Options, product.Options)
		}
	}
	for _, stock := range item.Stock {
		if !skus[stock.SKU] || stock.OnHand < 0 {
			t.Fatalf("stock %+v", stock)
		}
	}
}
