package catalog

// Changes as the columns of the tables, an array each: unnest() makes rows of them on the other side.

type productColumns struct {
	ids, slugs, titles, descriptions, brands, categories, tags, attributes, options, images []string

	published []bool
	versions  []int64
	hashes    [][]byte
}

func (p *productColumns) add(c *change) error {
	in := c.input
	for _, column := range []struct {
		to    *[]string
		value any
		empty string
	}{
		{&p.categories, in.Categories, "[]"}, {&p.tags, in.Tags, "[]"}, {&p.attributes, in.Attributes, "{}"},
		{&p.options, in.Options, "[]"}, {&p.images, in.Images, "[]"},
	} {
		text, err := asJSON(column.value, column.empty)
		if err != nil {
			return err
		}
		*column.to = append(*column.to, text)
	}
	p.ids, p.slugs, p.titles = append(p.ids, c.id), append(p.slugs, in.Slug), append(p.titles, in.Title)
	p.descriptions, p.brands = append(p.descriptions, in.Description), append(p.brands, in.Brand)
	p.published, p.versions, p.hashes = append(p.published, in.Published), append(p.versions, c.version), append(p.hashes, c.hash)
	return nil
}

func (p *productColumns) arguments() []any {
	return []any{p.ids, p.slugs, p.titles, p.descriptions, p.brands, p.categories, p.tags, p.attributes, p.options, p.images,
		p.published, p.versions, p.hashes}
}

type variantColumns struct {
	skus, products, titles, options, barcodes []string
	positions, weights                        []int64
	images                                    []*string
}

func (v *variantColumns) add(c *change) error {
	for i, variant := range c.input.Variants {
		options, err := asJSON(variant.Options, "{}")
		if err != nil {
			return err
		}
		var image *string
		if variant.Image != nil {
			text, err := asJSON(variant.Image, "null")
			if err != nil {
				return err
			}
			image = &text
		}
		v.skus, v.products, v.positions = append(v.skus, variant.SKU), append(v.products, c.id), append(v.positions, int64(i))
		v.titles, v.options = append(v.titles, variantTitle(c.input.Options, variant.Options)), append(v.options, options)
		v.barcodes, v.weights, v.images = append(v.barcodes, variant.Barcode), append(v.weights, variant.WeightGrams), append(v.images, image)
	}
	return nil
}

func (v *variantColumns) arguments() []any {
	return []any{v.skus, v.products, v.positions, v.titles, v.options, v.barcodes, v.weights, v.images}
}

type priceColumns struct {
	skus, currencies []string
	amounts          []int64
	compareAt        []*int64
}

func (p *priceColumns) add(c *change) {
	for _, variant := range c.input.Variants {
		compareAt := map[string]*int64{}
		for _, price := range variant.CompareAtPrices {
			compareAt[price.Currency] = &price.Amount
		}
		for _, price := range variant.Prices {
			p.skus, p.currencies = append(p.skus, variant.SKU), append(p.currencies, price.Currency)
			p.amounts, p.compareAt = append(p.amounts, price.Amount), append(p.compareAt, compareAt[price.Currency])
		}
	}
}

func (p *priceColumns) arguments() []any { return []any{p.skus, p.currencies, p.amounts, p.compareAt} }

// placeColumns are where products stand in the category tree.
type placeColumns struct {
	categories, products []string
	published, direct    []bool
}

func (p *placeColumns) add(c *change) {
	direct := map[string]bool{}
	for _, category := range c.input.Categories {
		direct[category] = true
	}
	for _, category := range c.categories {
		p.categories, p.published = append(p.categories, category), append(p.published, c.input.Published)
		p.products, p.direct = append(p.products, c.id), append(p.direct, direct[category])
	}
}

func (p *placeColumns) arguments() []any {
	return []any{p.categories, p.published, p.products, p.direct}
}
