package shopify

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/feed"
)

// WriterOptions say what a Shopify CSV is to hold of the products.
type WriterOptions struct {
	// Currency is the ISO 4217 code of the prices to write; contract.DefaultCurrency when empty.
	Currency string
	// Attributes are the keys of the attributes to write, each in a column "Google Shopping / <key>".
	Attributes []string
	// Categories give the names that are written as Type. A category that is not among them is written by its slug, and so is
	// one whose name has another slug.
	Categories []contract.CategoryInput
}

// Writer writes items as a Shopify product CSV. The format has room for one currency and for the first category of a product.
type Writer struct {
	csv        *csv.Writer
	options    WriterOptions
	types      map[string]string
	headerDone bool
}

// NewWriter makes a writer; Close ends the file.
func NewWriter(output io.Writer, options WriterOptions) *Writer {
	if options.Currency == "" {
		options.Currency = contract.DefaultCurrency
	}
	types := make(map[string]string, len(options.Categories))
	for _, category := range options.Categories {
		// A name that reads back as another slug would move its products to another category.
		if feed.SlugOr("category", category.Name) == category.Slug {
			types[category.Slug] = category.Name
		}
	}
	return &Writer{csv: csv.NewWriter(output), options: options, types: types}
}

// written lists the columns of every file: Shopify's old template, which all its tools read.
var written = []string{
	"Handle", "Title", "Body (HTML)", "Vendor", "Type", "Tags", "Published",
	"Option1 Name", "Option1 Value", "Option2 Name", "Option2 Value", "Option3 Name", "Option3 Value",
	"Variant SKU", "Variant Grams", "Variant Inventory Tracker", "Variant Inventory Qty", "Variant Inventory Policy",
	"Variant Fulfillment Service", "Variant Price", "Variant Compare At Price", "Variant Requires Shipping", "Variant Taxable",
	"Variant Barcode", "Image Src", "Image Alt Text", "Gift Card", "Variant Image", "Variant Weight Unit",
}

// Write writes one product: the first row holds what is the product's, each variant and each further picture has a row.
func (w *Writer) Write(item feed.Item) error {
	if err := w.header(); err != nil {
		return err
	}
	if err := w.writable(item.Product); err != nil {
		return fmt.Errorf("product %s: %w", item.Product.Slug, err)
	}
	onHand := map[string]int64{}
	for _, stock := range item.Stock {
		onHand[stock.SKU] = stock.OnHand
	}
	for i := range max(len(item.Product.Variants), len(item.Product.Images)) {
		row := map[string]string{"Handle": item.Product.Slug}
		if i == 0 {
			w.describe(item.Product, row)
		}
		if i < len(item.Product.Images) {
			row["Image Src"], row["Image Alt Text"] = item.Product.Images[i].URL, item.Product.Images[i].Alt
		}
		if i < len(item.Product.Variants) {
			if err := w.sell(item.Product, item.Product.Variants[i], onHand, row); err != nil {
				return fmt.Errorf("product %s: %w", item.Product.Slug, err)
			}
		}
		if err := w.row(row); err != nil {
			return err
		}
	}
	return nil
}

// Close writes what is buffered, and the header when nothing was written. It does not close the output.
func (w *Writer) Close() error {
	if err := w.header(); err != nil {
		return err
	}
	w.csv.Flush()
	if err := w.csv.Error(); err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}
	return nil
}

func (w *Writer) header() error {
	if w.headerDone {
		return nil
	}
	w.headerDone = true
	names := slices.Clone(written)
	for _, key := range w.options.Attributes {
		names = append(names, attributeName(key))
	}
	return w.record(names)
}

func (w *Writer) row(values map[string]string) error {
	record := make([]string, 0, len(written)+len(w.options.Attributes))
	for _, name := range written {
		record = append(record, values[name])
	}
	for _, key := range w.options.Attributes {
		record = append(record, values[attributeName(key)])
	}
	return w.record(record)
}

func (w *Writer) record(record []string) error {
	if err := w.csv.Write(record); err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}
	return nil
}

func attributeName(key string) string { return "Google Shopping / " + key }

// writable refuses what the format cannot hold and would silently lose.
func (w *Writer) writable(product contract.ProductInput) error {
	if len(product.Options) > maxOptions {
		return fmt.Errorf("has %d options, and the format holds %d", len(product.Options), maxOptions)
	}
	for _, tag := range product.Tags {
		if strings.Contains(tag, ",") {
			return fmt.Errorf("tag %q has a comma, which parts tags in this format", tag)
		}
	}
	for key := range product.Attributes {
		if !slices.Contains(w.options.Attributes, key) {
			return fmt.Errorf("attribute %q has no column; name it in WriterOptions.Attributes", key)
		}
	}
	if len(product.Variants) == 0 {
		return errors.New("has no variant")
	}
	return nil
}

func (w *Writer) describe(product contract.ProductInput, row map[string]string) {
	row["Title"], row["Body (HTML)"], row["Vendor"] = product.Title, product.Description, product.Brand
	row["Tags"], row["Published"], row["Gift Card"] = strings.Join(product.Tags, ", "), strconv.FormatBool(product.Published), "false"
	if len(product.Categories) > 0 {
		row["Type"] = product.Categories[0]
		if name, ok := w.types[product.Categories[0]]; ok {
			row["Type"] = name
		}
	}
	for i, option := range product.Options {
		row[fmt.Sprintf("Option%d Name", i+1)] = option.Name
	}
	if len(product.Options) == 0 {
		row["Option1 Name"] = placeholderOption
	}
	for key, value := range product.Attributes {
		row[attributeName(key)] = value
	}
}

func (w *Writer) sell(product contract.ProductInput, variant contract.VariantInput, onHand map[string]int64, row map[string]string) error {
	price, ok := in(w.options.Currency, variant.Prices)
	if !ok {
		return fmt.Errorf("SKU %s has no price in %s", variant.SKU, w.options.Currency)
	}
	row["Variant Price"] = price
	row["Variant Compare At Price"], _ = in(w.options.Currency, variant.CompareAtPrices)
	row["Variant SKU"], row["Variant Barcode"] = variant.SKU, variant.Barcode
	row["Variant Grams"], row["Variant Weight Unit"] = strconv.FormatInt(variant.WeightGrams, 10), "g"
	if units, counted := onHand[variant.SKU]; counted {
		row["Variant Inventory Qty"] = strconv.FormatInt(units, 10)
	}
	row["Variant Inventory Tracker"], row["Variant Inventory Policy"], row["Variant Fulfillment Service"] = "shopify", "deny", "manual"
	row["Variant Requires Shipping"], row["Variant Taxable"] = "true", "true"
	for i, option := range product.Options {
		row[fmt.Sprintf("Option%d Value", i+1)] = variant.Options[option.Name]
	}
	if len(product.Options) == 0 {
		row["Option1 Value"] = placeholderValue
	}
	if variant.Image != nil {
		row["Variant Image"] = variant.Image.URL
	}
	return nil
}

// in writes the price in a currency as the format does: "36.00".
func in(currency string, prices []contract.Money) (string, bool) {
	for _, price := range prices {
		if price.Currency == currency {
			return strings.TrimSuffix(price.String(), " "+currency), true
		}
	}
	return "", false
}
