// Package seed makes a believable catalog of any size out of nothing. It is deterministic: the same configuration gives the
// same products to the byte, on every machine, and a larger catalog begins with the products of the smaller one.
package seed

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/feed"
)

// What a Config without wishes gives.
const (
	DefaultProducts = 2000
	// MaxCategories is how many categories there are to choose from, and the default.
	MaxCategories = 12
	// MaxProducts is how many products have distinct barcodes.
	MaxProducts = 100_000_000
)

// Config says which catalog to make. The zero value is the default shop.
type Config struct {
	// Products is how many products there are; DefaultProducts when 0.
	Products int
	// Categories is how many of the MaxCategories categories the products are spread over; all of them when 0. Parents come
	// before their children, so that any number gives a whole tree.
	Categories int
	// Seed chooses among catalogs.
	Seed uint64
	// Currencies are the ISO 4217 codes in which every variant has a price; USD, EUR, GBP, SGD and JPY when empty.
	Currencies []string
}

func (c Config) withDefaults() Config {
	if c.Products == 0 {
		c.Products = DefaultProducts
	}
	if c.Categories == 0 {
		c.Categories = MaxCategories
	}
	if len(c.Currencies) == 0 {
		c.Currencies = []string{"USD", "EUR", "GBP", "SGD", "JPY"}
	}
	return c
}

// Validate refuses what no catalog can be made of.
func (c Config) Validate() error {
	c = c.withDefaults()
	switch {
	case c.Products < 1 || c.Products > MaxProducts:
		return contract.Invalid("products", "%d is not between 1 and %d", c.Products, MaxProducts)
	case c.Categories < 1 || c.Categories > MaxCategories:
		return contract.Invalid("categories", "%d is not between 1 and %d", c.Categories, MaxCategories)
	}
	for i, currency := range c.Currencies {
		if _, known := habits[currency]; !known {
			return contract.Invalid("currencies", "%q is not one of those that the seed has prices in: %s", currency, strings.Join(Currencies(), ", "))
		}
		if slices.Contains(c.Currencies[:i], currency) {
			return contract.Invalid("currencies", "%s is named twice", currency)
		}
	}
	return nil
}

// Generate gives the catalog's products in order, each with its stock. It can be ranged over again and again.
func Generate(config Config) (iter.Seq[feed.Item], error) {
	if err := config.Validate(); err != nil {
		return nil, fmt.Errorf("seed: %w", err)
	}
	maker := newMaker(config.withDefaults())
	return func(yield func(feed.Item) bool) {
		for i := range maker.Products {
			if !yield(maker.product(i)) {
				return
			}
		}
	}, nil
}

// Categories gives the tree that Generate's products are in, parents first. Every category has products: after any number of
// products that the number of categories divides, equally many of its own.
func Categories(config Config) ([]contract.CategoryInput, error) {
	if err := config.Validate(); err != nil {
		return nil, fmt.Errorf("seed: %w", err)
	}
	inputs := make([]contract.CategoryInput, 0, MaxCategories)
	for i, category := range shelves()[:config.withDefaults().Categories] {
		inputs = append(inputs, contract.CategoryInput{Slug: category.slug, Name: category.name, Parent: category.parent, Position: i})
	}
	return inputs, nil
}

// AttributeKeys lists the keys of the attributes that products have, not all on each.
func AttributeKeys() []string { return []string{"color", "gender", "material", "origin"} }
