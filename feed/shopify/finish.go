package shopify

import (
	"errors"
	"slices"
	"strings"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/feed"
)

// Shopify's way to write a product without options.
const (
	placeholderOption = "Title"
	placeholderValue  = "Default Title"
)

// finish makes the product of its rows; false when it is refused.
func (d *draft) finish() (feed.Item, bool) {
	if d.failure == nil {
		d.finishTexts()
	}
	if d.failure == nil {
		d.finishOptions()
	}
	if d.failure != nil {
		return feed.Item{}, false
	}
	item := feed.Item{Line: d.line}
	for i := range d.variants {
		variant := &d.variants[i]
		d.nameSKU(variant)
		d.product.Variants = append(d.product.Variants, variant.VariantInput)
		if variant.onHand >= 0 {
			item.Stock = append(item.Stock, feed.SKUStock{SKU: variant.SKU, OnHand: variant.onHand})
		}
	}
	d.product.Images = d.placedImages()
	item.Product = d.product
	return item, true
}

func (d *draft) finishTexts() {
	switch {
	case d.product.Title == "":
		d.fail(d.line, titleColumn, "is blank in every row of the product")
	case len(d.variants) == 0:
		d.fail(d.line, priceColumn, "no row of the product has a price, so there is nothing to sell")
	}
	d.product.Slug = d.handle
	if slug := feed.Slug(d.handle); slug != d.handle {
		d.product.Slug = feed.SlugOr("product", d.handle)
		if d.failure == nil {
			d.note(d.line, d.name[handleColumn], "its address is %s, for the handle is not fit for one", d.product.Slug)
		}
	}
	if len(d.product.Slug) > feed.MaxSlug {
		d.fail(d.line, handleColumn, "has more than %d characters", feed.MaxSlug)
	}
	switch strings.ToLower(d.published) {
	case "", "true":
		d.product.Published = true
	case "false":
	default:
		d.fail(d.line, publishedColumn, "%s is neither true nor false", excerpt(d.published))
	}
	switch strings.ToLower(d.status) {
	case "", "active":
	case "draft", "archived", "unlisted":
		d.product.Published = false
	default:
		d.fail(d.line, statusColumn, "%s is not active, draft, archived or unlisted", excerpt(d.status))
	}
}

// finishOptions gives every variant's option values their names, and refuses gaps and doubles: a shopper who picks a value of
// each option must end at one variant.
func (d *draft) finishOptions() {
	if len(d.variants) == 1 && d.options[0] == placeholderOption && d.variants[0].values[0] == placeholderValue {
		d.options[0], d.variants[0].values[0] = "", ""
	}
	var names []string
	for i, name := range d.options {
		at := option1NameColumn + column(2*i)
		if slices.Contains(names, name) {
			d.fail(d.line, at, "%s is the name of two options", excerpt(name))
			return
		}
		if name != "" {
			names = append(names, name)
			d.product.Options = append(d.product.Options, contract.Option{Name: name})
		}
	}
	offered, combinations := make([]map[string]bool, maxOptions), map[[maxOptions]string]bool{}
	for i := range d.variants {
		variant := &d.variants[i]
		if combinations[variant.values] {
			d.fail(variant.line, noColumn, "an earlier variant of the product has the same option values")
			return
		}
		combinations[variant.values] = true
		position := 0
		for at, name := range d.options {
			value := variant.values[at]
			switch {
			case name == "" && value != "":
				d.fail(variant.line, option1NameColumn+column(2*at), "is blank, and a variant has the value %s", excerpt(value))
				return
			case name != "" && value == "":
				d.fail(variant.line, option1ValueColumn+column(2*at), "is blank for a variant, and the product has the option %s", excerpt(name))
				return
			case name == "":
				continue
			}
			if variant.Options == nil {
				variant.Options = map[string]string{}
			}
			variant.Options[name] = value
			option := &d.product.Options[position]
			position++
			if offered[at] == nil {
				offered[at] = map[string]bool{}
			}
			if !offered[at][value] {
				offered[at][value] = true
				option.Values = append(option.Values, value)
			}
			if len(option.Values) > feed.MaxOptionValues {
				d.fail(variant.line, option1ValueColumn+column(2*at), "the option has more than %d values", feed.MaxOptionValues)
				return
			}
		}
	}
}

// nameSKU makes a SKU for a variant that has none of its own.
func (d *draft) nameSKU(variant *variantDraft) {
	if variant.SKU != "" && !variant.skuTaken {
		return
	}
	wanted := variant.SKU
	variant.SKU = d.skus.derive(wanted, d.product.Slug, variant.values[:])
	if wanted == "" {
		d.note(variant.line, d.name[skuColumn], "is blank, and becomes %s", variant.SKU)
	} else {
		d.note(variant.line, d.name[skuColumn], "%s is an earlier variant's too, and becomes %s here", excerpt(wanted), variant.SKU)
	}
}

func errAs(err error) (*contract.Error, bool) {
	var typed *contract.Error
	return typed, errors.As(err, &typed)
}
