package contract

// Limits of a cart, so that its price, its order and its events stay bounded.
const (
	MaxCartLines    = 200
	MaxLineQuantity = 999
)

// SKUCount is a number of units of a SKU.
type SKUCount struct {
	SKU      string `json:"sku"`
	Quantity int64  `json:"quantity"`
}

// Cart is a cart as its shopper reads it: lines in the order they were added, priced by the server at each read.
type Cart struct {
	ID       string     `json:"id"`
	Version  int64      `json:"version"`
	Currency string     `json:"currency"`
	Lines    []CartLine `json:"lines"`
	Subtotal Money      `json:"subtotal" doc:"Of the lines that can be bought"`
	// Count is the number of units over all lines.
	Count int64 `json:"count"`
	// Promotions are the codes that the shopper has entered; the quote says what each is worth.
	Promotions []CartPromotion `json:"promotions,omitempty"`
}

// CartPromotion is a promotion code in a cart.
type CartPromotion struct {
	Code  string `json:"code"`
	Title string `json:"title"`
}

// MaxCartCodes bounds the promotion codes of one cart.
const MaxCartCodes = 10

// CartLine is one SKU of a cart. Unavailable lines have no price and are not part of the subtotal.
type CartLine struct {
	SKU          string `json:"sku"`
	Quantity     int64  `json:"quantity"`
	ProductID    string `json:"product_id,omitempty"`
	Slug         string `json:"slug,omitempty"`
	Title        string `json:"title,omitempty"`
	VariantTitle string `json:"variant_title,omitempty"`
	Image        *Image `json:"image,omitempty"`
	UnitPrice    *Money `json:"unit_price,omitempty"`
	Total        *Money `json:"total,omitempty"`
	Stock        Band   `json:"stock"`
	Available    bool   `json:"available"`
	// PriceWas and StockWas are what the shopper was shown when the line was last changed or acknowledged, where that is different now.
	PriceWas *Money `json:"price_was,omitempty" doc:"The price that the shopper was shown, when it is another now"`
	StockWas Band   `json:"stock_was,omitempty" doc:"The availability that the shopper was shown, when it is another now"`
}

// CartContents is the cart without prices, as the order service takes it: GET /internal/v1/cart with the shopper's cart header.
type CartContents struct {
	CartID   string     `json:"cart_id"`
	Version  int64      `json:"version"`
	Currency string     `json:"currency"`
	Lines    []SKUCount `json:"lines"`
	// Codes are the promotion codes that the shopper has entered, in that order, upper-case.
	Codes []string `json:"codes,omitempty"`
	// TakenOrders are the orders, newest last, whose lines have been taken out of the cart already.
	TakenOrders []string `json:"taken_orders,omitempty"`
}
