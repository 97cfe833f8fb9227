package promotion

import (
	"cmp"
	"slices"
	"time"

	"github.com/meridian-store/meridian/contract"
)

// Reason is why a code takes nothing off.
type Reason string

// The reasons.
const (
	Unknown          Reason = "unknown"             // there is no such code any more
	NotStarted       Reason = "not_started"         // its time has not come
	Expired          Reason = "expired"             // its time is over
	UsedUp           Reason = "used_up"             // all its uses are spent
	CustomerLimit    Reason = "customer_limit"      // this customer has used it as often as one may
	OtherCurrency    Reason = "other_currency"      // it is not offered in the cart's currency
	BelowMinimum     Reason = "minimum_not_reached" // the goods come to too little
	OtherGoods       Reason = "no_goods_for_it"     // the cart has none, or too few, of the goods that it is for
	OtherMethod      Reason = "other_shipping"      // it is for another shipping method
	NotCombinable    Reason = "not_combinable"      // another combination takes off more
	NothingToTakeOff Reason = "nothing_to_take_off" // what it is for costs nothing already
)

// Line is one SKU of a basket.
type Line struct {
	SKU       string
	Quantity  int64
	UnitPrice int64
}

func (l Line) total() int64 { return l.UnitPrice * l.Quantity }

// Basket is what promotions are held against; amounts are minor units of its currency.
type Basket struct {
	Currency string
	// Lines hold each SKU once.
	Lines    []Line
	Shipping int64
	Method   string
}

func (b Basket) subtotal() (sum int64) {
	for _, line := range b.Lines {
		sum += line.total()
	}
	return sum
}

// Applied is a promotion that applies, and what it takes off goods and shipping together.
type Applied struct {
	Offer
	Amount int64
}

// Outcome is what all promotions do to a basket.
type Outcome struct {
	// Applied are those that take something off, in the order in which they do.
	Applied []Applied
	// Lines is what is taken off each SKU, Shipping what is taken off shipping.
	Lines    map[string]int64
	Shipping int64
	Refused  []contract.CodeRefusal
}

// Total is all that is taken off.
func (o Outcome) Total() (sum int64) {
	for _, applied := range o.Applied {
		sum += applied.Amount
	}
	return sum
}

// Apply finds what the offers take off a basket whose shopper has entered codes. Neither the order of the lines nor that of the offers
// changes the outcome; refusals come in the order of the codes.
func Apply(basket Basket, offers []Offer, codes []string, now time.Time) Outcome {
	basket.Lines = slices.SortedFunc(slices.Values(basket.Lines), func(a, b Line) int { return cmp.Compare(a.SKU, b.SKU) })
	refused := map[string]Reason{}
	var stackable []Offer
	var combinations [][]Offer
	for _, offer := range byPriority(offers) {
		if offer.Code != "" && !slices.Contains(codes, offer.Code) {
			continue
		}
		refused[offer.Code] = basket.refusal(offer, now)
		switch {
		case refused[offer.Code] != "":
		case offer.Exclusive:
			combinations = append(combinations, []Offer{offer})
		default:
			stackable = append(stackable, offer)
		}
	}
	best := basket.combine(stackable)
	for _, combination := range combinations {
		if other := basket.combine(combination); other.Total() > best.Total() {
			best = other
		}
	}
	best.Refused = basket.refusals(codes, refused, best, append(combinations, stackable))
	return best
}

func byPriority(offers []Offer) []Offer {
	return slices.SortedFunc(slices.Values(offers), func(a, b Offer) int {
		return cmp.Or(cmp.Compare(b.Priority, a.Priority), cmp.Compare(a.ID, b.ID))
	})
}

// refusal says why an offer does not apply to a basket at all; "" when it does.
func (b Basket) refusal(offer Offer, now time.Time) Reason {
	if reason := offer.TimeRefusal(now); reason != "" {
		return reason
	}
	_, offered := in(offer.Amounts, b.Currency)
	minimum, named := in(offer.Minimum, b.Currency)
	switch {
	case offer.UsedUp:
		return UsedUp
	case offer.CustomerUsedUp:
		return CustomerLimit
	case offer.Kind == Amount && !offered, len(offer.Minimum) > 0 && !named:
		return OtherCurrency
	case b.subtotal() < minimum:
		return BelowMinimum
	case b.units(offer.Promotion) <= offer.Buy:
		return OtherGoods
	case len(offer.ShippingMethods) > 0 && !slices.Contains(offer.ShippingMethods, b.Method):
		return OtherMethod
	default:
		return ""
	}
}

func (b Basket) units(p Promotion) (sum int64) {
	for _, line := range b.Lines {
		if p.isFor(line.SKU) {
			sum += line.Quantity
		}
	}
	return sum
}

// refusals explains every code that takes nothing off.
func (b Basket) refusals(codes []string, refused map[string]Reason, best Outcome, combinations [][]Offer) []contract.CodeRefusal {
	applied := map[string]bool{}
	for _, a := range best.Applied {
		applied[a.Code] = true
	}
	var all []contract.CodeRefusal
	for i, code := range codes {
		if applied[code] || slices.Contains(codes[:i], code) {
			continue
		}
		reason, found := refused[code]
		switch {
		case !found:
			reason = Unknown
		case reason == "":
			reason = b.whyNot(code, combinations)
		}
		all = append(all, contract.CodeRefusal{Code: code, Reason: string(reason)})
	}
	return all
}

// whyNot tells an offer that another combination beats from one that is worth nothing.
func (b Basket) whyNot(code string, combinations [][]Offer) Reason {
	for _, combination := range combinations {
		for _, offer := range combination {
			if offer.Code == code && b.combine([]Offer{offer}).Total() > 0 {
				return NotCombinable
			}
		}
	}
	return NothingToTakeOff
}
