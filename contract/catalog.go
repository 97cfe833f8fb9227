package contract

import "time"

// Band is how much of a SKU there is, coarsely, so that a sale seldom changes what the edge has cached.
type Band string

// The bands. BandLow is at most LowStock units available over all warehouses.
const (
	BandInStock Band = "in_stock"
	BandLow     Band = "low"
	BandOut     Band = "out"
)

// LowStock is the largest number of available units that is called low.
const LowStock = 5

// BandOf gives the band of an available quantity (on hand minus reserved).
func BandOf(available int64) Band {
	switch {
	case available <= 0:
		return BandOut
	case available <= LowStock:
		return BandLow
	default:
		return BandInStock
	}
}

// Product is a product as shoppers read it.
type Product struct {
	ID          string            `json:"id" example:"prd_use_01K9ZX3M5Q8T2V4W6Y7Z8A9BCD"`
	Slug        string            `json:"slug" example:"ayers-chambray"`
	Title       string            `json:"title"`
	Description string            `json:"description,omitempty" doc:"HTML, sanitised"`
	Brand       string            `json:"brand,omitempty"`
	Categories  []string          `json:"categories" doc:"Category slugs"`
	Tags        []string          `json:"tags,omitempty"`
	Attributes  map[string]string `json:"attributes,omitempty"`
	Options     []Option          `json:"options,omitempty"`
	Images      []Image           `json:"images,omitempty"`
	Variants    []Variant         `json:"variants"`
	// PriceFrom is the lowest variant price in the asked currency; absent when no variant has one.
	PriceFrom *Money    `json:"price_from,omitempty"`
	Stock     Band      `json:"stock" doc:"The best band of any variant"`
	Published bool      `json:"published"`
	Version   int64     `json:"version"`
	UpdatedAt time.Time `json:"updated_at"`
}

// Summary is a product as a list shows it.
type Summary struct {
	ID        string `json:"id"`
	Slug      string `json:"slug"`
	Title     string `json:"title"`
	Brand     string `json:"brand,omitempty"`
	Image     *Image `json:"image,omitempty"`
	PriceFrom *Money `json:"price_from,omitempty"`
	Stock     Band   `json:"stock"`
	// Categories are category slugs.
	Categories []string `json:"categories"`
}

// Option is one way in which variants differ, such as Size.
type Option struct {
	Name   string   `json:"name" maxLength:"100" minLength:"1"`
	Values []string `json:"values" maxItems:"500"`
}

// Image is a picture by its address.
type Image struct {
	URL string `json:"url" maxLength:"2048" format:"uri"`
	Alt string `json:"alt,omitempty" maxLength:"500"`
}

// Variant is what is sold: one SKU.
type Variant struct {
	SKU     string            `json:"sku" maxLength:"100" minLength:"1"`
	Title   string            `json:"title" doc:"Its option values, such as \"S / Blue\""`
	Options map[string]string `json:"options,omitempty"`
	// Price is in the asked currency; absent when the variant has none in it.
	Price          *Money `json:"price,omitempty"`
	CompareAtPrice *Money `json:"compare_at_price,omitempty"`
	Barcode        string `json:"barcode,omitempty"`
	WeightGrams    int64  `json:"weight_grams,omitempty"`
	Image          *Image `json:"image,omitempty"`
	Stock          Band   `json:"stock"`
}

// Category is a node of the category tree.
type Category struct {
	ID       string     `json:"id"`
	Slug     string     `json:"slug"`
	Name     string     `json:"name"`
	Parent   string     `json:"parent,omitempty" doc:"Slug of the parent; absent at the top"`
	Position int        `json:"position"`
	Version  int64      `json:"version"`
	Children []Category `json:"children,omitempty"`
}

// CategoryInput is what an admin writes of a category.
type CategoryInput struct {
	Slug     string `json:"slug" maxLength:"200" minLength:"1" pattern:"^[a-z0-9]+(-[a-z0-9]+)*$"`
	Name     string `json:"name" maxLength:"200" minLength:"1"`
	Parent   string `json:"parent,omitempty" maxLength:"200" doc:"Slug of the parent; absent at the top"`
	Position int    `json:"position,omitempty" minimum:"0" maximum:"1000000"`
}

// ProductInput is what an admin or an import writes of a product; its slug names it.
type ProductInput struct {
	Slug        string            `json:"slug" maxLength:"255" minLength:"1"`
	Title       string            `json:"title" maxLength:"500" minLength:"1"`
	Description string            `json:"description,omitempty" maxLength:"262144" doc:"HTML; scripts and handlers are removed"`
	Brand       string            `json:"brand,omitempty" maxLength:"200"`
	Categories  []string          `json:"categories,omitempty" maxItems:"50" doc:"Category slugs"`
	Tags        []string          `json:"tags,omitempty" maxItems:"250"`
	Attributes  map[string]string `json:"attributes,omitempty"`
	Options     []Option          `json:"options,omitempty" maxItems:"10"`
	Images      []Image           `json:"images,omitempty" maxItems:"250"`
	Variants    []VariantInput    `json:"variants" minItems:"1" maxItems:"2000"`
	Published   bool              `json:"published"`
}

// VariantInput is what an admin or an import writes of a variant.
type VariantInput struct {
	SKU     string            `json:"sku" maxLength:"100" minLength:"1"`
	Options map[string]string `json:"options,omitempty"`
	// Prices hold one price per currency; CompareAtPrices likewise.
	Prices          []Money `json:"prices" maxItems:"200"`
	CompareAtPrices []Money `json:"compare_at_prices,omitempty" maxItems:"200"`
	Barcode         string  `json:"barcode,omitempty" maxLength:"100"`
	WeightGrams     int64   `json:"weight_grams,omitempty" minimum:"0" maximum:"1000000000"`
	Image           *Image  `json:"image,omitempty"`
}

// BulkResult tells what became of one product of a bulk write.
type BulkResult struct {
	Slug string `json:"slug"`
	// Outcome is created, updated, unchanged or refused.
	Outcome string `json:"outcome" enum:"created,updated,unchanged,refused"`
	// Reason and Field say why it was refused.
	Reason string `json:"reason,omitempty"`
	Field  string `json:"field,omitempty"`
}

// PricedSKU is what the cart and the order need to know of a SKU: POST /internal/v1/skus {skus, currency, region} gives {items}.
// A SKU that is unknown or unpublished is left out; one without a price in the currency has none.
type PricedSKU struct {
	SKU          string `json:"sku"`
	ProductID    string `json:"product_id"`
	Slug         string `json:"slug"`
	Title        string `json:"title"`
	VariantTitle string `json:"variant_title"`
	Image        *Image `json:"image,omitempty"`
	Price        *Money `json:"price,omitempty"`
	Stock        Band   `json:"stock"`
}

// SKUQuery asks the catalog for prices of SKUs, as they are now, in a currency and a region.
type SKUQuery struct {
	SKUs     []string `json:"skus" minItems:"1" maxItems:"500"`
	Currency string   `json:"currency" minLength:"3" maxLength:"3"`
	// Region names the region whose price lists count beside those of all regions; absent, only those of all regions count.
	Region string `json:"region,omitempty" maxLength:"63"`
}
