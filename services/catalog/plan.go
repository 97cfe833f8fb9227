package catalog

import (
	"bytes"
	"slices"
	"time"

	"github.com/meridian-store/meridian/contract"
)

// stored is what a write needs to know of a product that is there already.
type stored struct {
	id, slug, brand      string
	version              int64
	hash                 []byte
	published            bool
	createdAt, updatedAt time.Time
	// categories hold its own and all above them; skus are its variants'.
	categories, skus []string
}

// snapshot is the part of the database that some writes are judged by, locked until they are done.
type snapshot struct {
	bySlug map[string]*stored
	byID   map[string]*stored
	// owners give the product of each SKU in question.
	owners map[string]string
	// lineages give, for each category that exists, its own slug and those above it.
	lineages map[string][]string
}

// wish is one product that someone wants written. An empty id means whatever product has the slug, or a new one.
type wish struct {
	input contract.ProductInput
	hash  []byte
	id    string
}

// change is a wish that is granted and makes a difference.
type change struct {
	wish
	// before is nil for a new product.
	before  *stored
	version int64
	// categories hold the product's own and all above them.
	categories []string
}

// verdict tells what becomes of one wish; exactly one of change, unchanged and refused is set.
type verdict struct {
	change    *change
	unchanged *stored
	refused   error
}

// plan judges wishes by a snapshot, in order: what an earlier one takes, a later one cannot have.
func plan(state *snapshot, wishes []wish, newID func() string) []verdict {
	verdicts := make([]verdict, len(wishes))
	slugs, claimed := map[string]bool{}, map[string]string{}
	for i, w := range wishes {
		if slugs[w.input.Slug] {
			verdicts[i].refused = contract.Invalid("slug", "stands in this request twice")
			continue
		}
		slugs[w.input.Slug] = true
		verdicts[i] = judge(state, w, claimed)
		granted := verdicts[i].change
		if granted == nil {
			continue
		}
		if granted.before == nil {
			granted.id = newID()
		}
		for _, variant := range w.input.Variants {
			claimed[variant.SKU] = w.input.Slug
		}
	}
	return verdicts
}

func judge(state *snapshot, w wish, claimed map[string]string) verdict {
	before := state.bySlug[w.input.Slug]
	if w.id != "" {
		if before != nil && before.id != w.id {
			return verdict{refused: contract.Errorf(contract.CodeConflict, "another product has the slug %q", w.input.Slug)}
		}
		before = state.byID[w.id]
	}
	if before != nil && bytes.Equal(before.hash, w.hash) {
		return verdict{unchanged: before}
	}
	categories, err := state.expand(w.input.Categories)
	if err != nil {
		return verdict{refused: err}
	}
	for i, variant := range w.input.Variants {
		owner, owned := state.owners[variant.SKU]
		_, taken := claimed[variant.SKU]
		if taken || owned && (before == nil || owner != before.id) {
			return verdict{refused: skuTaken(i, variant.SKU)}
		}
	}
	granted := &change{wish: w, before: before, version: 1, categories: categories}
	if before != nil {
		granted.id, granted.version = before.id, before.version+1
	}
	return verdict{change: granted}
}

// expand gives categories with all above them.
func (s *snapshot) expand(categories []string) ([]string, error) {
	var all []string
	for _, category := range categories {
		lineage, known := s.lineages[category]
		if !known {
			return nil, contract.Invalid("categories", "there is no category %q", category)
		}
		all = append(all, lineage...)
	}
	return sortedSet(all), nil
}

func skuTaken(at int, sku string) error {
	err := contract.Invalid(fieldAt("variants", at, "sku"), "the SKU %q belongs to another product", sku)
	err.Code = contract.CodeConflict
	return err
}

// announcement gives the data of the event that tells of a change.
func (c *change) announcement() contract.ProductChange {
	skus := make([]string, 0, len(c.input.Variants))
	for _, variant := range c.input.Variants {
		skus = append(skus, variant.SKU)
	}
	categories := c.categories
	if c.before != nil {
		skus, categories = append(skus, c.before.skus...), slices.Concat(categories, c.before.categories)
	}
	told := contract.ProductChange{
		ProductID: c.id, Slug: c.input.Slug, Version: c.version, Published: c.input.Published, Brand: c.input.Brand,
		Categories: listed(sortedSet(categories)), SKUs: sortedSet(skus), Relisted: c.relisted(),
	}
	if c.before != nil && c.before.brand != c.input.Brand {
		told.FormerBrand = c.before.brand
	}
	return told
}

// relisted says whether lists hold the product now that did not, or no longer do. A draft is in none.
func (c *change) relisted() bool {
	switch {
	case c.before == nil:
		return c.input.Published
	case !c.before.published && !c.input.Published:
		return false
	default:
		return c.before.published != c.input.Published || c.before.slug != c.input.Slug || c.before.brand != c.input.Brand ||
			!slices.Equal(sortedSet(c.before.categories), c.categories)
	}
}

// farewell gives the data of the event that tells of a product's end.
func (s *stored) farewell() contract.ProductChange {
	return contract.ProductChange{
		ProductID: s.id, Slug: s.slug, Version: s.version + 1, Brand: s.brand,
		Categories: listed(sortedSet(s.categories)), SKUs: listed(sortedSet(s.skus)), Relisted: s.published,
	}
}

// listed makes JSON write an empty list where Go has none.
func listed(words []string) []string {
	if words == nil {
		return []string{}
	}
	return words
}
