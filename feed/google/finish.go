package google

import (
	"cmp"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/feed"
)

// finish makes the product of its items; false when it is refused.
func (d *draft) finish() (feed.Item, bool) {
	if d.failure == nil {
		d.product.Title = cmp.Or(d.groupTitle, d.product.Title)
		d.product.Slug, d.product.Published = feed.SlugOr("product", d.handle), true
		switch {
		case d.product.Title == "":
			d.fail(d.line, "title", "is blank")
		case len(d.product.Slug) > feed.MaxSlug:
			d.fail(d.line, "item_group_id", "has more than %d characters", feed.MaxSlug)
		default:
			d.finishOptions()
		}
	}
	if d.failure != nil {
		return feed.Item{}, false
	}
	item := feed.Item{Line: d.line}
	for _, v := range d.variants {
		d.product.Variants = append(d.product.Variants, v.VariantInput)
		if v.onHand >= 0 {
			item.Stock = append(item.Stock, feed.SKUStock{SKU: v.SKU, OnHand: v.onHand})
		}
	}
	item.Product = d.product
	return item, true
}

// finishOptions makes options of the axes in which the variants differ, and attributes of the others.
func (d *draft) finishOptions() {
	for at, axis := range axes {
		option := contract.Option{Name: axis.option}
		met, blank := map[string]bool{}, 0
		for i := range d.variants {
			value := d.variants[i].values[at]
			if value == "" {
				blank = d.variants[i].line
			} else if !met[value] {
				met[value] = true
				option.Values = append(option.Values, value)
			}
		}
		switch {
		case len(option.Values) == 0:
		case len(option.Values) > feed.MaxOptionValues:
			d.fail(d.line, axis.name, "the group has more than %d values", feed.MaxOptionValues)
			return
		case len(option.Values) == 1 && blank == 0:
			d.addAttribute(&record{line: d.line}, axis.name, option.Values[0])
		case blank > 0:
			d.fail(blank, axis.name, "is blank, and other items of the group have one")
			return
		default:
			d.product.Options = append(d.product.Options, option)
			for i := range d.variants {
				if d.variants[i].Options == nil {
					d.variants[i].Options = map[string]string{}
				}
				d.variants[i].Options[axis.option] = d.variants[i].values[at]
			}
		}
	}
	d.refuseDoubles()
}

// refuseDoubles refuses a group of which a shopper could not tell two items apart.
func (d *draft) refuseDoubles() {
	met := map[[6]string]bool{}
	for i := range d.variants {
		if met[d.variants[i].values] {
			d.fail(d.variants[i].line, "item_group_id", "an earlier item of the group has the same color, size, material, pattern, gender and age_group")
			return
		}
		met[d.variants[i].values] = true
	}
}
