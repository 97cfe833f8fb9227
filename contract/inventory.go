package contract

import "time"

// Availability is what GET /api/v1/inventory/{sku} tells anyone: bands, not counts, so that competitors learn little.
type Availability struct {
	SKU     string               `json:"sku"`
	Stock   Band                 `json:"stock"`
	Regions []RegionAvailability `json:"regions"`
}

// RegionAvailability is a SKU's availability in one region's warehouses.
type RegionAvailability struct {
	Region string `json:"region"`
	Stock  Band   `json:"stock"`
}

// StockLevel is a SKU in one warehouse as operators see it.
type StockLevel struct {
	SKU       string `json:"sku"`
	Region    string `json:"region"`
	Warehouse string `json:"warehouse"`
	OnHand    int64  `json:"on_hand"`
	Reserved  int64  `json:"reserved"`
	// Buckets is the number of rows that the stock is kept in; more than one only while a SKU is in great demand.
	Buckets int64 `json:"buckets,omitempty"`
}

// StockCount sets what is on hand of a SKU in a warehouse: PUT /api/v1/admin/inventory/{sku} takes one, and
// POST /api/v1/admin/inventory {items} many. A count whose Reference was already applied to that SKU and warehouse changes
// nothing, so that an import that is run again does not undo the sales between.
type StockCount struct {
	SKU       string `json:"sku" maxLength:"100"`
	Warehouse string `json:"warehouse" maxLength:"50" minLength:"1"`
	OnHand    int64  `json:"on_hand" minimum:"0" maximum:"1000000000"`
	Reference string `json:"reference" maxLength:"200" minLength:"1"`
}

// StockResult tells what became of one count: applied, unchanged or refused.
type StockResult struct {
	SKU       string `json:"sku"`
	Warehouse string `json:"warehouse"`
	Outcome   string `json:"outcome" enum:"applied,unchanged,refused"`
	Reason    string `json:"reason,omitempty"`
}

// StockAdjustment changes what is on hand of a SKU in a warehouse by Delta: POST /api/v1/admin/inventory/adjustments {items} takes up
// to 1,000. One whose Reference was applied to that SKU and warehouse with that Kind before changes nothing.
type StockAdjustment struct {
	SKU       string `json:"sku" maxLength:"100" minLength:"1"`
	Warehouse string `json:"warehouse" maxLength:"50" minLength:"1"`
	// Delta is what comes (positive) or goes (negative); goods that are received only come.
	Delta     int64  `json:"delta" minimum:"-1000000000" maximum:"1000000000"`
	Kind      string `json:"kind" enum:"received,adjusted"`
	Reference string `json:"reference" maxLength:"200" minLength:"1"`
	Reason    string `json:"reason,omitempty" maxLength:"200" doc:"For people who read the ledger; no personal data"`
}

// StockMovement is one entry of a SKU's ledger; what is on hand is the sum of their quantities.
type StockMovement struct {
	SKU       string    `json:"sku"`
	Region    string    `json:"region"`
	Warehouse string    `json:"warehouse"`
	Kind      string    `json:"kind" enum:"received,sold,returned,adjusted"`
	Reference string    `json:"reference" doc:"The saga of a sale, the return's id, or the operator's own reference"`
	Quantity  int64     `json:"quantity" doc:"Signed: what leaves is negative"`
	Reason    string    `json:"reason,omitempty"`
	At        time.Time `json:"at"`
}
