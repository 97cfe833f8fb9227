package shopify

import (
	"regexp"
	"slices"
	"strings"

	"github.com/meridian-store/meridian/feed"
)

// column is a meaning that a column of the file can have.
type column int

const (
	handleColumn column = iota
	titleColumn
	bodyColumn
	vendorColumn
	typeColumn
	productCategoryColumn
	tagsColumn
	publishedColumn
	statusColumn
	option1NameColumn
	option1ValueColumn
	option2NameColumn
	option2ValueColumn
	option3NameColumn
	option3ValueColumn
	skuColumn
	gramsColumn
	weightUnitColumn
	quantityColumn
	priceColumn
	compareAtColumn
	barcodeColumn
	imageColumn
	imagePositionColumn
	imageAltColumn
	variantImageColumn
	columnCount
)

// maxOptions is how many options a product has at most in Shopify's CSV.
const maxOptions = 3

// meanings gives each column name's meaning, in lower case: first Shopify's old template, then the new one.
var meanings = map[string]column{
	"handle": handleColumn, "title": titleColumn, "body (html)": bodyColumn, "body html": bodyColumn, "vendor": vendorColumn,
	"type": typeColumn, "custom product type": typeColumn, "product category": productCategoryColumn,
	"standard product type": productCategoryColumn, "standardized product type": productCategoryColumn,
	"tags": tagsColumn, "published": publishedColumn, "status": statusColumn,
	"option1 name": option1NameColumn, "option1 value": option1ValueColumn,
	"option2 name": option2NameColumn, "option2 value": option2ValueColumn,
	"option3 name": option3NameColumn, "option3 value": option3ValueColumn,
	"variant sku": skuColumn, "variant grams": gramsColumn, "variant weight unit": weightUnitColumn,
	"variant inventory qty": quantityColumn, "variant inventory quantity": quantityColumn,
	"variant price": priceColumn, "variant compare at price": compareAtColumn, "variant barcode": barcodeColumn,
	"variant barcodes": barcodeColumn, "image src": imageColumn, "image position": imagePositionColumn,
	"image alt text": imageAltColumn, "variant image": variantImageColumn,

	"url handle": handleColumn, "description": bodyColumn, "published on online store": publishedColumn, "sku": skuColumn,
	"weight value (grams)": gramsColumn, "weight unit for display": weightUnitColumn, "inventory quantity": quantityColumn,
	"price": priceColumn, "compare-at price": compareAtColumn, "compare at price": compareAtColumn, "barcode": barcodeColumn,
	"product image url": imageColumn, "variant image url": variantImageColumn,
}

// required lists the columns without which a file is no product export, under the names to ask for.
var required = []struct {
	column column
	name   string
}{{handleColumn, "Handle"}, {titleColumn, "Title"}, {priceColumn, "Variant Price"}}

// header knows where in a row each meaning stands.
type header struct {
	width int
	// at holds each meaning's index, -1 where the file has no such column; name its spelling in the file.
	at         [columnCount]int
	name       [columnCount]string
	attributes []attributeColumn
}

// attributeColumn is a column that becomes an attribute of the product.
type attributeColumn struct {
	index int
	name  string
	key   string
}

func parseHeader(names []string) (*header, error) {
	h := &header{width: len(names)}
	for i := range h.at {
		h.at[i] = -1
	}
	for i, name := range names {
		name = strings.TrimSpace(name)
		meaning, known := meanings[strings.ToLower(strings.Join(strings.Fields(name), " "))]
		if !known {
			if key := attributeKey(name); key != "" {
				h.attributes = append(h.attributes, attributeColumn{index: i, name: name, key: key})
			}
			continue
		}
		if h.at[meaning] >= 0 {
			return nil, &feed.FileError{Line: 1, Cause: feed.ErrColumnTwice,
				Problem: quoted(h.name[meaning]) + " and " + quoted(name) + " are both there for the same thing",
				Remedy:  "remove one of the two columns"}
		}
		h.at[meaning], h.name[meaning] = i, name
	}
	for _, need := range required {
		if h.at[need.column] < 0 {
			return nil, &feed.FileError{Line: 1, Cause: feed.ErrColumnMissing,
				Problem: "the header has no column " + quoted(need.name),
				Remedy:  "export the products from Shopify again as CSV, and keep its first line"}
		}
	}
	return h, nil
}

// value gives what a row says under a meaning, trimmed; "" where the file has no such column.
func (h *header) value(row []string, meaning column) string {
	if h.at[meaning] < 0 {
		return ""
	}
	return strings.TrimSpace(row[h.at[meaning]])
}

var (
	metafield = regexp.MustCompile(`^(.+?)\s*\(product\.metafields\.[^)]+\)$`)
	notWord   = regexp.MustCompile(`[^a-z0-9]+`)
)

// advertising lists Shopify's columns for Google that say how to advertise a product and nothing about it.
var advertising = []string{"custom_product", "adwords_grouping", "adwords_labels", "ad_group_name", "ads_labels"}

// attributeKey gives the attribute that a column becomes: "Google Shopping / Age Group" is age_group; "" for any other column.
func attributeKey(name string) string {
	label, google := "", false
	if prefix, rest, found := strings.Cut(name, "/"); found && strings.EqualFold(strings.TrimSpace(prefix), "Google Shopping") {
		label, google = rest, true
	} else if match := metafield.FindStringSubmatch(name); match != nil {
		label = match[1]
	}
	key := strings.Trim(notWord.ReplaceAllString(strings.ToLower(label), "_"), "_")
	if key == "manufacturer_part_number_mpn" {
		key = "mpn"
	}
	if google && slices.Contains(advertising, key) {
		return ""
	}
	return key
}

func quoted(name string) string { return `"` + name + `"` }
