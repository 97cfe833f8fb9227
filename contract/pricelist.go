package contract

import "time"

// MaxListPrices is how many prices of a list one request writes.
const MaxListPrices = 1000

// PriceListInput is what an admin writes of a price list: where and when its prices hold in place of the variants' own.
type PriceListInput struct {
	Name     string `json:"name" maxLength:"200" minLength:"1"`
	Currency string `json:"currency" maxLength:"3" minLength:"3" doc:"ISO 4217 code of all its prices; it never changes"`
	Region   string `json:"region,omitempty" maxLength:"63" doc:"Name of the region; absent: all regions"`
	// Priority decides between the lists of one region, and between those of all regions; a region's own go before those of all.
	Priority int64      `json:"priority,omitempty" minimum:"0" maximum:"1000000" doc:"The highest wins"`
	StartsAt *time.Time `json:"starts_at,omitempty" doc:"The first moment at which it holds; absent: at once"`
	EndsAt   *time.Time `json:"ends_at,omitempty" doc:"The first moment at which it does not hold any more; absent: never"`
}

// PriceList is a price list as admins read it.
type PriceList struct {
	ID string `json:"id" example:"pls_use_01K9ZX3M5Q8T2V4W6Y7Z8A9BCD"`
	PriceListInput
	Version   int64     `json:"version" doc:"Rises with every change of the list or of its prices"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// ListPrice is one SKU's price in a list, in minor units of the list's currency: PUT /api/v1/admin/price-lists/{id}/prices takes up to
// MaxListPrices, and leaves the list's other prices as they are.
type ListPrice struct {
	SKU string `json:"sku" maxLength:"100" minLength:"1"`
	// Amount is absent only for a SKU that is Removed from the list.
	Amount    *int64 `json:"amount,omitempty" minimum:"0" maximum:"1000000000000" doc:"In minor units"`
	CompareAt *int64 `json:"compare_at,omitempty" minimum:"0" maximum:"1000000000000" doc:"In minor units"`
	Removed   bool   `json:"removed,omitempty" doc:"Takes the SKU off the list, so that another list's price or its own counts"`
}

// ListPriceResult tells what became of one price of a list: applied, unchanged or refused.
type ListPriceResult struct {
	SKU     string `json:"sku"`
	Outcome string `json:"outcome" enum:"applied,unchanged,refused"`
	Reason  string `json:"reason,omitempty"`
	Field   string `json:"field,omitempty"`
}
