// Package promotion says what a shop's promotions take off a basket. It is pure: rules and arithmetic, no clock, no storage.
//
// The rules, each stated once:
//   - An automatic promotion is for everyone; one with a code is for whoever has entered it. Codes are upper-case.
//   - A promotion is refused before it starts, from its end on, when its uses are spent, when the basket's goods are below its minimum,
//     and when the basket has none of the goods that it is for. The minimum is held against the goods before any discount.
//   - Stackable promotions apply together, the highest priority first, each to what those before it have left. An exclusive one applies
//     alone. The shopper gets whichever combination takes off most; between equals, the stackable ones, then the highest priority.
//   - What is taken off goods is split over their lines exactly (contract.Allocate), so that the parts of the lines sum to it. No line, and
//     no shipping, falls below zero.
//   - A percentage is rounded once, half up, over all the lines that it is for.
//   - Buy x, get y gives the cheapest of its units: of every x + y units y, of an unfinished set those beyond x. What is taken off a line's
//     units is their part of what the line still costs, times the percentage, each rounded half up.
package promotion

import (
	"slices"
	"strings"
	"time"

	"github.com/meridian-store/meridian/contract"
)

// Kind is how a promotion takes something off.
type Kind string

// The kinds.
const (
	Percentage   Kind = "percentage"
	Amount       Kind = "amount"
	BuyXGetY     Kind = "buy_x_get_y"
	FreeShipping Kind = "free_shipping"
)

// Promotion is a promotion as a merchant writes it.
type Promotion struct {
	Title string `json:"title" minLength:"1" maxLength:"200" doc:"What the shopper reads"`
	Code  string `json:"code,omitempty" maxLength:"40" doc:"Absent: automatic, for everyone. Letters, digits, - and _; upper and lower case are one" example:"SPRING-10"`
	Kind  Kind   `json:"kind" enum:"percentage,amount,buy_x_get_y,free_shipping"`
	// BasisPoints is what is taken off: of the goods for a percentage, of the units given for buy_x_get_y. 10000 is all of it.
	BasisPoints int64 `json:"basis_points,omitempty" minimum:"0" maximum:"10000" doc:"percentage and buy_x_get_y: 1000 is 10 %, 10000 is free"`
	// Amounts holds what is taken off in each currency; in others the promotion is not offered.
	Amounts []contract.Money `json:"amounts,omitempty" maxItems:"200" doc:"amount: one for each currency"`
	Buy     int64            `json:"buy,omitempty" minimum:"0" maximum:"1000" doc:"buy_x_get_y: units paid for"`
	Get     int64            `json:"get,omitempty" minimum:"0" maximum:"1000" doc:"buy_x_get_y: units given for them"`
	// SKUs are the goods that it is for, and takes off; without any, all goods.
	SKUs []string `json:"skus,omitempty" maxItems:"1000"`
	// ShippingMethods are those that it frees; without any, all.
	ShippingMethods []string `json:"shipping_methods,omitempty" maxItems:"50" doc:"free_shipping: the methods it is for"`
	// Minimum is what the goods have to come to, by currency; where it names some, the promotion is offered in those alone.
	Minimum  []contract.Money `json:"minimum_subtotal,omitempty" maxItems:"200"`
	StartsAt *time.Time       `json:"starts_at,omitempty"`
	EndsAt   *time.Time       `json:"ends_at,omitempty" doc:"The first moment at which it is over"`
	// UseLimit bounds the orders that use it, CustomerLimit those of one customer; 0 is no limit. Uses are counted while there is a limit.
	UseLimit      int64 `json:"use_limit,omitempty" minimum:"0" maximum:"1000000000" doc:"For the first so many orders; 0 is no limit"`
	CustomerLimit int64 `json:"customer_limit,omitempty" minimum:"0" maximum:"1000000" doc:"Orders of one customer; 0 is no limit"`
	Exclusive     bool  `json:"exclusive,omitempty" doc:"Applies alone"`
	Priority      int   `json:"priority,omitempty" minimum:"-1000" maximum:"1000" doc:"The highest applies first"`
}

// Offer is a promotion as one customer finds it.
type Offer struct {
	ID string
	Promotion
	// UsedUp: all its uses are spent; CustomerUsedUp: all of this customer's are.
	UsedUp, CustomerUsedUp bool
}

// NormalCode is the one way in which a code is written.
func NormalCode(code string) string { return strings.ToUpper(strings.TrimSpace(code)) }

// TimeRefusal says why a promotion does not apply at a time; "" when it does.
func (p Promotion) TimeRefusal(now time.Time) Reason {
	switch {
	case p.StartsAt != nil && now.Before(*p.StartsAt):
		return NotStarted
	case p.EndsAt != nil && !now.Before(*p.EndsAt):
		return Expired
	default:
		return ""
	}
}

// isFor says whether goods are among those that the promotion is for.
func (p Promotion) isFor(sku string) bool { return len(p.SKUs) == 0 || slices.Contains(p.SKUs, sku) }

// in gives the amount in a currency.
func in(amounts []contract.Money, currency string) (int64, bool) {
	for _, amount := range amounts {
		if amount.Currency == currency {
			return amount.Amount, true
		}
	}
	return 0, false
}
