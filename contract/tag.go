package contract

import (
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
)

// Tags name what an answer shows, so that a change can reach every copy of what it makes untrue. They are not told apart by case.
//
// An answer bears the tag of each product that it shows, of the list that it is a page of, and of the prices that it was asked for.
const (
	// TagCategories is on the category tree.
	TagCategories = "categories"
	// TagList is on every list of products that has neither category nor brand.
	TagList = "list"
	// TagSearch is on every answer to a search.
	TagSearch = "search"
)

// PathPurgeAnswers is where a gateway is told what no longer holds of the answers that it keeps: POST of an AnswersPurge.
const PathPurgeAnswers = "/internal/v1/answers/purge"

// PathPurgeSearches is where a purger is told that its region's index has taken in a change: POST without a body, answered by 204 before
// anything is purged.
const PathPurgeSearches = "/internal/v1/searches/purge"

// MaxPurgeTags is how many tags one AnswersPurge may name.
const MaxPurgeTags = 10_000

// AnswersPurge names what no longer holds.
type AnswersPurge struct {
	Tags       []string `json:"tags,omitempty" maxItems:"10000"`
	Everything bool     `json:"everything,omitempty"`
}

// ProductTag is on whatever shows the product.
func ProductTag(id string) string { return "product:" + id }

// AbsentTag is on the answer that there is no product of this id or slug.
func AbsentTag(idOrSlug string) string { return "absent:" + idOrSlug }

// CategoryListTag is on the lists of a category, and BrandListTag on those of a brand: whatever enters or leaves them purges it. A brand is
// any text and so hashed.
func CategoryListTag(slug string) string { return "list:category:" + slug }

// BrandListTag is CategoryListTag's twin.
func BrandListTag(brand string) string {
	hash := fnv.New64a()
	hash.Write([]byte(strings.ToLower(brand)))
	return "list:brand:" + strconv.FormatUint(hash.Sum64(), 16)
}

// PriceTags are on whatever shows prices in a currency, in a region when one was asked for: a price list that names no products changes
// any of them.
func PriceTags(currency, region string) []string {
	if region == "" {
		return []string{"price:" + currency}
	}
	return []string{"price:" + currency, regionPriceTag(currency, region)}
}

func regionPriceTag(currency, region string) string { return "price:" + currency + ":" + region }

// StaleTags gives the tags of all that an event on product-events makes untrue; none for an event that changes nothing shoppers see.
func StaleTags(event Event) ([]string, error) {
	switch event.Type {
	case ProductCreated, ProductUpdated, ProductDeleted, ProductStockChanged:
		var change ProductChange
		if err := event.Decode(&change); err != nil {
			return nil, err
		}
		return change.staleTags(), nil
	case CategoryChanged:
		var change CategoryChange
		if err := event.Decode(&change); err != nil {
			return nil, err
		}
		return []string{TagCategories, CategoryListTag(change.Slug)}, nil
	case PriceListChanged:
		var change PriceListChange
		if err := event.Decode(&change); err != nil {
			return nil, err
		}
		return change.staleTags(), nil
	default:
		return nil, nil
	}
}

func (c ProductChange) staleTags() []string {
	tags := []string{ProductTag(c.ProductID)}
	if !c.Relisted {
		return tags
	}
	tags = append(tags, AbsentTag(c.ProductID), AbsentTag(c.Slug), TagList)
	for _, category := range c.Categories {
		tags = append(tags, CategoryListTag(category))
	}
	for _, brand := range []string{c.Brand, c.FormerBrand} {
		if brand != "" {
			tags = append(tags, BrandListTag(brand))
		}
	}
	slices.Sort(tags)
	return slices.Compact(tags)
}

func (c PriceListChange) staleTags() []string {
	if len(c.Products) == 0 {
		if c.Region != "" {
			return []string{regionPriceTag(c.Currency, c.Region)}
		}
		return PriceTags(c.Currency, "")
	}
	tags := make([]string, 0, len(c.Products))
	for _, id := range c.Products {
		tags = append(tags, ProductTag(id))
	}
	return tags
}
