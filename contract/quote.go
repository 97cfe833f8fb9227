package contract

// Quote is the full breakdown of what a checkout would charge.
type Quote struct {
	// Quote names exactly this breakdown; a checkout that sends it is refused when the breakdown has changed.
	Quote    string      `json:"quote" example:"qte_5f1c…"`
	CartID   string      `json:"cart_id"`
	Currency string      `json:"currency"`
	Lines    []QuoteLine `json:"lines"`
	// Subtotal is the sum of the lines' totals, before any discount.
	Subtotal Money `json:"subtotal"`
	// Promotions are those that apply, and what each takes off goods and shipping together.
	Promotions []QuotePromotion `json:"promotions,omitempty"`
	// Discount is what all promotions take off, goods and shipping together.
	Discount Money `json:"discount"`
	// NotApplied are the codes in the cart that take nothing off, and why; the quote's name does not depend on them.
	NotApplied     []CodeRefusal `json:"not_applied,omitempty"`
	ShippingMethod string        `json:"shipping_method"`
	Shipping       Money         `json:"shipping"`
	Tax            QuoteTax      `json:"tax"`
	Total          Money         `json:"total"`
}

// QuoteLine is one SKU of a quote.
type QuoteLine struct {
	SKU       string `json:"sku"`
	Title     string `json:"title"`
	Quantity  int64  `json:"quantity"`
	UnitPrice Money  `json:"unit_price"`
	// Total is before Discount, the line's part of what promotions take off goods; the parts of all lines sum to it exactly.
	Total    Money `json:"total"`
	Discount Money `json:"discount"`
}

// QuotePromotion is a promotion that applies to a quote. Amount is what it takes off, never negative.
type QuotePromotion struct {
	ID     string `json:"id"`
	Code   string `json:"code,omitempty" doc:"Absent for a promotion that needs no code"`
	Title  string `json:"title"`
	Amount Money  `json:"amount"`
}

// CodeRefusal tells why a code takes nothing off.
type CodeRefusal struct {
	Code string `json:"code"`
	// Reason is for programs; the order service's package promotion lists them.
	Reason string `json:"reason" example:"used_up"`
}

// QuoteTax is the tax of a quote: part of the total when included, added to it otherwise.
type QuoteTax struct {
	Name            string `json:"name"`
	RateBasisPoints int64  `json:"rate_basis_points"`
	Included        bool   `json:"included"`
	Amount          Money  `json:"amount"`
}
