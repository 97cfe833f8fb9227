package shopify

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/feed"
)

// maxProductBytes bounds what one product may hold while its rows come in.
const maxProductBytes = 8 << 20

// draft is a product whose rows are still coming in. After its first failure it forgets everything but its SKUs' claims.
type draft struct {
	*header
	handle    string
	line      int
	currency  string
	skus      *skus
	bytes     int
	product   contract.ProductInput
	published string
	status    string
	options   [maxOptions]string
	variants  []variantDraft
	images    []placedImage
	notes     []feed.Note
	failure   *feed.Refusal
}

// placedImage is a picture with the place the file gives it, 0 for none.
type placedImage struct {
	contract.Image
	position int
}

// add takes one row in.
func (d *draft) add(row []string, line int) {
	sku, taken := d.claimSKU(row)
	if d.failure != nil {
		return
	}
	for _, value := range row {
		d.bytes += len(value)
	}
	if d.bytes > maxProductBytes {
		d.fail(line, handleColumn, "the product is larger than %d MiB", maxProductBytes>>20)
		return
	}
	d.addTexts(row, line)
	d.addImage(row, line)
	if sku != "" || d.value(row, priceColumn) != "" || d.value(row, option1ValueColumn) != "" {
		d.addVariant(row, line, sku, taken)
	}
}

// claimSKU claims the row's SKU even in a refused product, so that mending that product renames no other's variants.
func (d *draft) claimSKU(row []string) (sku string, taken bool) {
	sku = unguarded(d.value(row, skuColumn))
	return sku, sku != "" && !d.skus.claim(sku)
}

// fail refuses the product, once, and lets go of what it holds.
func (d *draft) fail(line int, at column, format string, args ...any) {
	if d.failure != nil {
		return
	}
	name := ""
	if at >= 0 {
		name = d.name[at]
	}
	d.failure = &feed.Refusal{Line: line, Handle: d.handle, Column: name, Reason: fmt.Sprintf(format, args...)}
	d.product, d.variants, d.images, d.notes = contract.ProductInput{}, nil, nil, nil
}

// noColumn stands for a fault that no single column has.
const noColumn column = -1

func (d *draft) note(line int, name, format string, args ...any) {
	d.notes = append(d.notes, feed.Note{Line: line, Handle: d.handle, Column: name, Reason: fmt.Sprintf(format, args...)})
}

// text gives a row's value unless it is too long, which refuses the product.
func (d *draft) text(row []string, line int, at column, most int) string {
	value := d.value(row, at)
	if length := utf8.RuneCountInString(value); length > most {
		d.fail(line, at, "has %d characters, and %d at most are taken", length, most)
		return ""
	}
	return value
}

// addTexts takes what describes the product: the first row that says something is believed.
func (d *draft) addTexts(row []string, line int) {
	for _, part := range []struct {
		into *string
		at   column
		most int
	}{
		{&d.product.Title, titleColumn, feed.MaxTitle}, {&d.product.Description, bodyColumn, feed.MaxDescription},
		{&d.product.Brand, vendorColumn, feed.MaxBrand}, {&d.published, publishedColumn, 20}, {&d.status, statusColumn, 20},
		{&d.options[0], option1NameColumn, feed.MaxOptionName}, {&d.options[1], option2NameColumn, feed.MaxOptionName},
		{&d.options[2], option3NameColumn, feed.MaxOptionName},
	} {
		if value := d.text(row, line, part.at, part.most); *part.into == "" && value != "" {
			*part.into = strings.Clone(value)
		}
	}
	if name := categoryName(d.header, row); name != "" && len(d.product.Categories) == 0 {
		category, ok := category(name)
		if !ok {
			d.fail(line, typeColumn, "has more than %d characters", feed.MaxCategory)
			return
		}
		d.product.Categories = []string{category.Slug}
	}
	if tags := d.value(row, tagsColumn); tags != "" && len(d.product.Tags) == 0 {
		d.addTags(tags, line)
	}
	for _, attribute := range d.attributes {
		d.addAttribute(attribute, row, line)
	}
}

// maxTag bounds a tag's characters, as Shopify does.
const maxTag = 255

func (d *draft) addTags(list string, line int) {
	seen := map[string]bool{}
	for tag := range strings.SplitSeq(list, ",") {
		tag = strings.TrimSpace(tag)
		if tag == "" || seen[tag] {
			continue
		}
		if utf8.RuneCountInString(tag) > maxTag {
			d.fail(line, tagsColumn, "%s has more than %d characters", excerpt(tag), maxTag)
			return
		}
		seen[tag] = true
		d.product.Tags = append(d.product.Tags, strings.Clone(tag))
	}
	if len(d.product.Tags) > feed.MaxTags {
		d.fail(line, tagsColumn, "names %d tags, and %d at most are taken", len(d.product.Tags), feed.MaxTags)
	}
}

// maxAttribute bounds an attribute's characters: metafields may hold whole documents, which describe but do not classify.
const maxAttribute = 1000

func (d *draft) addAttribute(attribute attributeColumn, row []string, line int) {
	value := strings.TrimSpace(row[attribute.index])
	if attribute.key == "mpn" {
		value = unguarded(value)
	}
	if _, known := d.product.Attributes[attribute.key]; known || value == "" || d.failure != nil {
		return
	}
	if utf8.RuneCountInString(value) > maxAttribute {
		d.note(line, attribute.name, "is left out, for it has more than %d characters", maxAttribute)
		return
	}
	if d.product.Attributes == nil {
		d.product.Attributes = map[string]string{}
	}
	d.product.Attributes[attribute.key] = strings.Clone(value)
}

func (d *draft) addImage(row []string, line int) {
	address := d.address(row, line, imageColumn)
	if address == "" {
		return
	}
	for _, known := range d.images {
		if known.URL == address {
			return
		}
	}
	image := placedImage{Image: contract.Image{URL: address, Alt: strings.Clone(d.text(row, line, imageAltColumn, feed.MaxImageAlt))}}
	if place := d.value(row, imagePositionColumn); place != "" {
		position, err := strconv.Atoi(place)
		if err != nil {
			d.fail(line, imagePositionColumn, "%s is not a whole number", excerpt(place))
			return
		}
		image.position = position
	}
	if d.images = append(d.images, image); len(d.images) > feed.MaxImages {
		d.fail(line, imageColumn, "the product has more than %d pictures", feed.MaxImages)
	}
}

// address reads a picture's address, which must be one that a browser can fetch.
func (d *draft) address(row []string, line int, at column) string {
	text := d.text(row, line, at, feed.MaxImageURL)
	if text == "" {
		return ""
	}
	address, err := url.Parse(text)
	if err != nil || address.Host == "" || (address.Scheme != "http" && address.Scheme != "https") {
		d.fail(line, at, "%s is not an http or https address", excerpt(text))
		return ""
	}
	return strings.Clone(text)
}

// placedImages gives the pictures in the order of their places or, unless all have one, of their rows.
func (d *draft) placedImages() []contract.Image {
	if !slices.ContainsFunc(d.images, func(image placedImage) bool { return image.position == 0 }) {
		slices.SortStableFunc(d.images, func(a, b placedImage) int { return cmp.Compare(a.position, b.position) })
	}
	var images []contract.Image
	for _, image := range d.images {
		images = append(images, image.Image)
	}
	return images
}

// unguarded takes off the apostrophe that keeps Excel from reading digits as a number.
func unguarded(text string) string { return strings.TrimSpace(strings.TrimPrefix(text, "'")) }

// excerpt quotes the start of a value for a report.
func excerpt(text string) string {
	if runes := []rune(text); len(runes) > 60 {
		text = string(runes[:60]) + "…"
	}
	return strconv.Quote(text)
}
