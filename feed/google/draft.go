package google

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/feed"
)

const (
	// maxProductBytes bounds what one product may hold while its items come in.
	maxProductBytes = 8 << 20
	// maxValue bounds an option's or an attribute's characters.
	maxValue = 255
)

// axes are the attributes in which the variants of a group may differ, in the order in which a shopper chooses.
var axes = []struct{ name, option string }{
	{"color", "Color"}, {"size", "Size"}, {"material", "Material"}, {"pattern", "Pattern"}, {"gender", "Gender"}, {"age_group", "Age group"},
}

// draft is a product whose items are still coming in. After its first failure it keeps nothing.
type draft struct {
	reader *Reader
	// group is its item_group_id, "" for an item that has none; handle names it in reports.
	group, handle string
	line          int
	bytes         int
	product       contract.ProductInput
	groupTitle    string
	variants      []variant
	notes         []feed.Note
	failure       *feed.Refusal
}

// variant is an item before its group is whole: nobody knows yet which of its values are options.
type variant struct {
	contract.VariantInput
	line   int
	values [6]string
	// onHand is -1 where the feed says nothing.
	onHand int64
}

func newDraft(group string, first *record, reader *Reader) *draft {
	return &draft{reader: reader, group: group, handle: cmp.Or(group, first.first("id")), line: first.line}
}

// fail refuses the product, once, and lets go of what it holds.
func (d *draft) fail(line int, name, format string, args ...any) {
	if d.failure != nil {
		return
	}
	d.failure = &feed.Refusal{Line: line, Handle: excerpted(d.handle), Column: name, Reason: fmt.Sprintf(format, args...)}
	d.product, d.variants, d.notes = contract.ProductInput{}, nil, nil
}

func (d *draft) note(line int, name, format string, args ...any) {
	if d.failure == nil {
		d.notes = append(d.notes, feed.Note{Line: line, Handle: d.handle, Column: name, Reason: fmt.Sprintf(format, args...)})
	}
}

// add takes one item in.
func (d *draft) add(item *record) {
	id := item.first("id")
	// The id is taken even for a refused product, so that mending that one changes no other.
	fresh := id == "" || d.reader.claim(id)
	if d.failure != nil {
		return
	}
	switch d.bytes += item.size(); {
	case d.bytes > maxProductBytes:
		d.fail(item.line, "item_group_id", "the product is larger than %d MiB", maxProductBytes>>20)
	case id == "":
		d.fail(item.line, "id", "is blank")
	case !fresh:
		d.fail(item.line, "id", "an earlier item has the id %s", excerpt(id))
	case len(d.variants) == feed.MaxVariants:
		d.fail(item.line, "item_group_id", "the group has more than %d items", feed.MaxVariants)
	default:
		d.addTexts(item)
		d.addCategory(item)
		d.addImages(item)
		d.addVariant(item)
	}
}

// text gives a value unless it is too long, which refuses the product.
func (d *draft) text(item *record, name string, most int) string {
	value := item.first(name)
	if length := utf8.RuneCountInString(value); length > most {
		d.fail(item.line, name, "has %d characters, and %d at most are taken", length, most)
		return ""
	}
	return strings.Clone(value)
}

func (d *draft) addTexts(item *record) {
	for _, part := range []struct {
		into *string
		name string
		most int
	}{
		{&d.groupTitle, "item_group_title", feed.MaxTitle}, {&d.product.Title, "title", feed.MaxTitle},
		{&d.product.Description, "description", feed.MaxDescription}, {&d.product.Brand, "brand", feed.MaxBrand},
	} {
		if value := d.text(item, part.name, part.most); *part.into == "" {
			*part.into = value
		}
	}
	for _, name := range []string{"mpn", "condition", "google_product_category"} {
		d.addAttribute(item, name, item.first(name))
	}
}

// addAttribute keeps the first item's value.
func (d *draft) addAttribute(item *record, name, value string) {
	if _, kept := d.product.Attributes[name]; kept || value == "" || d.failure != nil {
		return
	}
	if utf8.RuneCountInString(value) > 1000 {
		d.note(item.line, name, "is left out, for it has more than 1000 characters")
		return
	}
	if d.product.Attributes == nil {
		d.product.Attributes = map[string]string{}
	}
	d.product.Attributes[name] = strings.Clone(value)
}

func (d *draft) addCategory(item *record) {
	path, ok := categories(categoryPath(item))
	if !ok {
		d.fail(item.line, "product_type", "names a category of more than %d characters or %d steps", feed.MaxCategory, maxDepth)
		return
	}
	if len(path) > 0 && len(d.product.Categories) == 0 && d.failure == nil {
		d.product.Categories = []string{path[len(path)-1].Slug}
	}
}

func (d *draft) addImages(item *record) {
	for _, name := range []string{"image_link", "additional_image_link"} {
		for _, address := range item.fields[name] {
			if !d.fetchable(item, name, address) {
				return
			}
			if slices.ContainsFunc(d.product.Images, func(known contract.Image) bool { return known.URL == address }) {
				continue
			}
			if d.product.Images = append(d.product.Images, contract.Image{URL: strings.Clone(address)}); len(d.product.Images) > feed.MaxImages {
				d.fail(item.line, name, "the product has more than %d pictures", feed.MaxImages)
				return
			}
		}
	}
}

// fetchable refuses the product for a picture's address that no browser can fetch.
func (d *draft) fetchable(item *record, name, address string) bool {
	parsed, err := url.Parse(address)
	if err != nil || parsed.Host == "" || (parsed.Scheme != "http" && parsed.Scheme != "https") || utf8.RuneCountInString(address) > feed.MaxImageURL {
		d.fail(item.line, name, "%s is not an http or https address of at most %d characters", excerpt(address), feed.MaxImageURL)
	}
	return d.failure == nil
}

func (d *draft) addVariant(item *record) {
	v := variant{line: item.line, onHand: -1}
	v.SKU = d.text(item, "id", feed.MaxSKU)
	if strings.ContainsFunc(v.SKU, func(r rune) bool { return r < ' ' }) {
		d.fail(item.line, "id", "holds a line break")
	}
	v.Barcode = d.text(item, "gtin", feed.MaxBarcode)
	for i, axis := range axes {
		v.values[i] = d.text(item, axis.name, maxValue)
	}
	d.addPrice(item, &v)
	v.WeightGrams = d.grams(item)
	v.onHand = d.onHand(item)
	if address := item.first("image_link"); address != "" {
		v.Image = &contract.Image{URL: strings.Clone(address)}
	}
	if d.failure == nil {
		d.variants = append(d.variants, v)
	}
}

// onHand reads what there is: -1 for a feed that does not say how many.
func (d *draft) onHand(item *record) int64 {
	switch state := attribute(item.first("availability")); state {
	case "", "in_stock", "preorder", "backorder", "available_for_order", "limited_availability":
	case "out_of_stock":
		return 0
	default:
		d.fail(item.line, "availability", "%s is not in_stock, out_of_stock, preorder or backorder", excerpt(state))
		return -1
	}
	quantity := item.first("quantity")
	if quantity == "" {
		return -1
	}
	count, err := strconv.ParseInt(quantity, 10, 64)
	if err != nil || count < 0 || count > feed.MaxOnHand {
		d.fail(item.line, "quantity", "%s is not a whole number up to %d", excerpt(quantity), feed.MaxOnHand)
		return -1
	}
	return count
}

func errAs(err error) (*contract.Error, bool) {
	var typed *contract.Error
	return typed, errors.As(err, &typed)
}

// excerpt quotes the start of a value for a report.
func excerpt(text string) string { return strconv.Quote(excerpted(text)) }

func excerpted(text string) string {
	if runes := []rune(text); len(runes) > 60 {
		text = string(runes[:60]) + "…"
	}
	return text
}
