package contract

import "time"

// ReservationRequest asks inventory to hold stock for a saga: POST /internal/v1/reservations. Repeating it gives the same
// answer; after a release of the same saga it is refused, so that a late request cannot leak a hold.
type ReservationRequest struct {
	SagaID string `json:"saga_id" maxLength:"64" minLength:"1"`
	// Country is where the goods go; the nearest warehouse that has them is taken first.
	Country string     `json:"country" maxLength:"2"`
	Lines   []SKUCount `json:"lines" minItems:"1" maxItems:"200"`
	// HoldSeconds is how long the hold lasts unless it is confirmed.
	HoldSeconds int64 `json:"hold_seconds" minimum:"1" maximum:"86400"`
	// First says that the saga has never sent this request before, so that it cannot hold anything yet: only then may a hopeless
	// request be refused without a look at the saga's row.
	First bool `json:"first,omitempty"`
}

// Reservation is stock held for a saga.
type Reservation struct {
	SagaID      string       `json:"saga_id"`
	State       string       `json:"state" enum:"held,sold,released"`
	Allocations []Allocation `json:"allocations"`
	ExpiresAt   time.Time    `json:"expires_at"`
}

// Allocation is a number of units of a SKU from one warehouse of one region.
type Allocation struct {
	Region    string `json:"region"`
	Warehouse string `json:"warehouse"`
	SKU       string `json:"sku"`
	Quantity  int64  `json:"quantity"`
}

// The states of a reservation: held, then sold or released.
const (
	ReservationHeld     = "held"
	ReservationSold     = "sold"
	ReservationReleased = "released"
)

// StockReturn asks inventory to put units of a saga's sale back on hand, each into the warehouse it came from:
// POST /internal/v1/reservations/{saga_id}/returns. The same ReturnID changes nothing twice; more than was sold, less what came
// back before, is refused. A hold of a confirmed order that is not sold yet is sold first.
type StockReturn struct {
	ReturnID string     `json:"return_id" maxLength:"64" minLength:"1"`
	Lines    []SKUCount `json:"lines" minItems:"1" maxItems:"200"`
}
