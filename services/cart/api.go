package cart

import (
	"context"
	"net/http"
	"net/url"

	"github.com/danielgtaylor/huma/v2"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/auth"
	"github.com/meridian-store/meridian/kit/httpx"
)

// routes declares the service's whole surface.
func routes(on *httpx.API, a *api) {
	declare := func(id, method, path, summary, description string) huma.Operation {
		return huma.Operation{
			OperationID: id, Method: method, Path: path, Summary: summary, Description: description, Tags: []string{"cart"},
			DefaultStatus: http.StatusOK, Middlewares: huma.Middlewares{keepPrivate},
			Errors: []int{http.StatusBadRequest, http.StatusNotFound, http.StatusInternalServerError, http.StatusServiceUnavailable},
		}
	}
	httpx.Handle(on, declare("get-cart", http.MethodGet, "/api/v1/cart", "Read the cart",
		"With a user's token and no X-Cart-Id it is the user's own. Without a cart, and with a cookie whose cart is gone, it is an empty cart without an id. "+
			"A header that opens no cart is answered 404."), a.get)
	httpx.Handle(on, declare("clear-cart", http.MethodDelete, "/api/v1/cart", "Take everything out of the cart", ""), a.clear)
	httpx.Handle(on, declare("add-cart-item", http.MethodPost, "/api/v1/cart/items", "Add to the cart",
		"Makes a cart when none is named, or when the one named is gone, and returns its name as X-Cart-Id and as the cookie `cart`."), a.add)
	httpx.Handle(on, declare("set-cart-item", http.MethodPut, "/api/v1/cart/items/{sku}", "Set the quantity of a SKU in the cart",
		"0 takes the SKU out. Makes a cart as adding does."), a.set)
	httpx.Handle(on, declare("remove-cart-item", http.MethodDelete, "/api/v1/cart/items/{sku}", "Take a SKU out of the cart", ""), a.remove)
	httpx.Handle(on, declare("acknowledge-cart", http.MethodPost, "/api/v1/cart/acknowledge", "Acknowledge changed prices and availability",
		"Lines tell price_was and stock_was where they differ from what the shopper was shown when the line was last changed or the cart last acknowledged."), a.acknowledge)
	httpx.Handle(on, declare("enter-cart-promotion", http.MethodPost, "/api/v1/cart/promotions", "Enter a promotion code",
		"The code must exist; whether it applies, and what it is worth, is in the quote. Makes a cart as adding does."), a.enter)
	httpx.Handle(on, declare("leave-cart-promotion", http.MethodDelete, "/api/v1/cart/promotions/{code}", "Take a promotion code out of the cart", ""), a.leave)
	take := declare("take-order-out", http.MethodPost, "/internal/v1/carts/{cart_id}/orders", "Take what an order bought out of its cart, once", "")
	take.DefaultStatus = http.StatusNoContent
	httpx.Handle(on, take, a.takeOrder)
	httpx.Handle(on, declare("merge-carts", http.MethodPost, "/internal/v1/carts/merge", "Move a guest's cart into a user's, once", ""), a.merge)
	httpx.Handle(on, declare("take-guest-cart-in", http.MethodPut, "/internal/v1/users/{user_id}/cart/guests/{cart_id}",
		"Take the lines of another region's closed cart into a user's, once", ""), a.takeGuestIn)
	httpx.Handle(on, declare("get-user-cart-contents", http.MethodGet, "/internal/v1/users/{user_id}/cart", "Read a user's own cart without prices", ""), a.userContents)
	rejoined := declare("get-rejoined", http.MethodGet, contract.PathRejoined, "Whether carts are as recent as the other regions'", "")
	rejoined.DefaultStatus = http.StatusNoContent
	httpx.Handle(on, rejoined, a.rejoining.test)
	httpx.Handle(on, declare("get-cart-contents", http.MethodGet, "/internal/v1/cart", "Read the cart without prices", ""), a.contents)
}

// keepPrivate keeps every answer, problems among them, out of shared caches: a cart is its shopper's alone.
func keepPrivate(ctx huma.Context, next func(huma.Context)) {
	ctx.SetHeader("Cache-Control", "private, no-store")
	next(ctx)
}

type api struct {
	shoppers *shoppers
	vault    *vault
	// rejoining tells whether carts are as recent as the other regions'.
	rejoining *rejoin
}

// Naming is how a request names its cart: the header goes before a user's token, and that before the cookie, which may be left over
// from before the login. It is exported, as SKUPath is, because only exported
// fields are read from requests.
type Naming struct {
	Header string `header:"X-Cart-Id" maxLength:"128" doc:"Names the cart: its id, a dot, and its secret"`
	// Another program's cookie of this name may hold anything, and must not lock its browser out.
	Cookie   string `cookie:"cart" doc:"The same as X-Cart-Id, for browsers"`
	Currency string `query:"currency" maxLength:"3" doc:"ISO 4217 code; chooses the currency of a cart that this request makes, and has no effect on another" default:"USD"`
}

// byCookie says whether only a cookie names the cart. It outlives the cart, and its browser cannot take it back.
func (n Naming) byCookie() bool { return n.Header == "" }

// request reads who asks. The token has been verified.
func (a *api) request(ctx context.Context, n Naming) (request, error) {
	if err := contract.ValidateCurrency("currency", n.Currency); err != nil {
		return request{}, err
	}
	r := request{currency: n.Currency}
	text := n.Header
	if n.byCookie() {
		claims, _ := auth.FromContext(ctx)
		if who, isUser := claimOfUser(claims.Subject); isUser {
			r.who = &who
			return r, nil
		}
		text = n.Cookie
	}
	if who, wellFormed := parseClaim(text); wellFormed {
		r.who = &who
	}
	return r, nil
}

// cartOutput is the whole cart, and its name when this request made it.
type cartOutput struct {
	CartID string `header:"X-Cart-Id" doc:"The new cart's name; it is not shown again"`
	Cookie string `header:"Set-Cookie"`
	Body   contract.Cart
}

func (a *api) get(ctx context.Context, in *Naming) (*cartOutput, error) {
	return a.withCart(ctx, *in, a.shoppers.read)
}

func (a *api) clear(ctx context.Context, in *Naming) (*cartOutput, error) {
	return a.withCart(ctx, *in, a.shoppers.clear)
}

type addInput struct {
	Naming
	Body struct {
		SKU      string `json:"sku" minLength:"1" maxLength:"100"`
		Quantity int64  `json:"quantity,omitempty" minimum:"1" maximum:"999" default:"1"`
	}
}

func (a *api) add(ctx context.Context, in *addInput) (*cartOutput, error) {
	return a.put(ctx, in.Naming, modeAdd, in.Body.SKU, in.Body.Quantity)
}

// SKUPath is a SKU as a segment of a path: percent-encoded, so up to 12 characters for each of its own.
type SKUPath struct {
	SKU string `path:"sku" minLength:"1" maxLength:"1200" doc:"Percent-encoded: a slash in a SKU is %2F"`
}

func (p SKUPath) decode() (string, error) {
	sku, err := url.PathUnescape(p.SKU)
	if err != nil {
		return "", contract.Invalid("sku", "is not percent-encoded as a path is")
	}
	return sku, validateSKU(sku)
}

type setInput struct {
	Naming
	SKUPath
	Body struct {
		Quantity int64 `json:"quantity" minimum:"0" maximum:"999"`
	}
}

func (a *api) set(ctx context.Context, in *setInput) (*cartOutput, error) {
	sku, err := in.decode()
	if err != nil {
		return nil, err
	}
	if in.Body.Quantity == 0 {
		return a.takeOut(ctx, in.Naming, sku)
	}
	return a.put(ctx, in.Naming, modeSet, sku, in.Body.Quantity)
}

type removeInput struct {
	Naming
	SKUPath
}

func (a *api) remove(ctx context.Context, in *removeInput) (*cartOutput, error) {
	sku, err := in.decode()
	if err != nil {
		return nil, err
	}
	return a.takeOut(ctx, in.Naming, sku)
}

func (a *api) takeOut(ctx context.Context, in Naming, sku string) (*cartOutput, error) {
	return a.withCart(ctx, in, func(ctx context.Context, r request) (answer, error) { return a.shoppers.remove(ctx, r, sku) })
}

// put makes a cart when there is none to change.
func (a *api) put(ctx context.Context, in Naming, mode, sku string, quantity int64) (*cartOutput, error) {
	if err := validateSKU(sku); err != nil {
		return nil, err
	}
	r, err := a.request(ctx, in)
	if err != nil {
		return nil, err
	}
	done, err := a.shoppers.put(ctx, r, mode, sku, quantity)
	if err != nil {
		return nil, err
	}
	return output(in, r, done), nil
}

// withCart does what needs no more than a cart that exists. Where none is named, or only by a token or by a cookie whose cart is gone,
// the cart is empty; a header was set by a program, which is told that its cart is gone.
func (a *api) withCart(ctx context.Context, in Naming, do func(context.Context, request) (answer, error)) (*cartOutput, error) {
	r, err := a.request(ctx, in)
	if err != nil {
		return nil, err
	}
	done, err := do(ctx, r)
	if in.byCookie() && contract.CodeOf(err) == contract.CodeNotFound {
		return &cartOutput{Body: emptyCart(r.currency)}, nil
	}
	if err != nil {
		return nil, err
	}
	return output(in, r, done), nil
}

func output(in Naming, r request, done answer) *cartOutput {
	out := &cartOutput{CartID: done.made, Body: done.cart}
	if done.made != "" {
		out.Cookie = cookieOf(done.made)
	} else if in.byCookie() && !r.byUser() {
		// Whoever uses a cart prolongs its life, and the cookie must not end before it.
		out.Cookie = cookieOf(in.Cookie)
	}
	return out
}

func cookieOf(text string) string {
	cookie := http.Cookie{ //nolint:gosec // not Secure: a shop on a laptop speaks plain HTTP, and the cookie must come back there too
		Name: contract.CookieCart, Value: text, Path: "/", MaxAge: int(retention.Seconds()), HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
	return cookie.String()
}
