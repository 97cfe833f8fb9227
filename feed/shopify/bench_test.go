package shopify

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/feed"
)

// BenchmarkReader reads 10,000 rows in both passes; B/op over rows/op is what a row costs, whatever the file's size.
func BenchmarkReader(b *testing.B) {
	const products, variants = 2500, 4
	var file bytes.Buffer
	writer := NewWriter(&file, WriterOptions{})
	for p := range products {
		product := contract.ProductInput{Slug: fmt.Sprintf("product-%d", p), Title: "A product", Description: "<p>" + string(bytes.Repeat([]byte("word "), 100)) + "</p>",
			Options: []contract.Option{{Name: "Size"}}, Published: true}
		for v := range variants {
			product.Variants = append(product.Variants, contract.VariantInput{SKU: fmt.Sprintf("SKU-%d-%d", p, v),
				Options: map[string]string{"Size": fmt.Sprint(v)}, Prices: []contract.Money{{Amount: 1999, Currency: "USD"}}})
		}
		if err := writer.Write(feed.Item{Product: product}); err != nil {
			b.Fatal(err)
		}
	}
	if err := writer.Close(); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(file.Len()))
	b.ReportAllocs()
	for b.Loop() {
		reader, err := Open(bytes.NewReader(file.Bytes()), Options{})
		if err != nil {
			b.Fatal(err)
		}
		for {
			if _, err = reader.Next(); err != nil {
				break
			}
		}
		if report := reader.Report(); !errors.Is(err, io.EOF) || report.Variants != products*variants {
			b.Fatalf("%v: %+v", err, report)
		}
	}
	b.ReportMetric(float64(b.N*products*variants)/b.Elapsed().Seconds(), "rows/s")
}
