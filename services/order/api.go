package order

import (
	"context"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/auth"
	"github.com/meridian-store/meridian/kit/httpx"
)

// private keeps every answer of this service out of every cache: all of them are about one shopper.
const private = "private, no-store"

// maxBody holds the longest request that the schemas allow, in UTF-8.
const maxBody = 32 << 10

// Routes declares the service's HTTP operations.
func (s *Service) Routes(api *httpx.API) {
	httpx.Handle(api, huma.Operation{
		OperationID: "quote-checkout", Method: http.MethodPost, Path: "/api/v1/checkout/quote", Tags: []string{"checkout"}, MaxBodyBytes: maxBody,
		Summary: "What a checkout would charge: lines, promotions, shipping, tax, total, and the quote that names them",
		Errors:  []int{http.StatusBadRequest, http.StatusNotFound, http.StatusConflict, http.StatusUnavailableForLegalReasons, http.StatusServiceUnavailable},
	}, s.handleQuote)
	httpx.Handle(api, huma.Operation{
		OperationID: "checkout", Method: http.MethodPost, Path: "/api/v1/checkout", Tags: []string{"checkout"}, MaxBodyBytes: maxBody,
		DefaultStatus: http.StatusCreated,
		Summary:       "Buys the cart, once for each Idempotency-Key; a repeat gets the byte-identical final answer",
		Responses: map[string]*huma.Response{"202": {
			Description: "The checkout goes on; Location is where to look",
			Content:     map[string]*huma.MediaType{"application/json": {Schema: &huma.Schema{Ref: "#/components/schemas/Order"}}},
		}},
		Errors: []int{http.StatusBadRequest, http.StatusPaymentRequired, http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity, http.StatusUnavailableForLegalReasons, http.StatusServiceUnavailable},
	}, s.handleCheckout)
	httpx.Handle(api, huma.Operation{
		OperationID: "list-orders", Method: http.MethodGet, Path: "/api/v1/orders", Tags: []string{"orders"},
		Summary: "The orders of a user, with their token and no X-Cart-Id, or of the presented cart; newest first",
		Errors:  []int{http.StatusBadRequest, http.StatusNotFound, http.StatusServiceUnavailable},
	}, s.handleList)
	httpx.Handle(api, huma.Operation{
		OperationID: "get-order", Method: http.MethodGet, Path: "/api/v1/orders/{id}", Tags: []string{"orders"},
		Summary: "An order and its history, for the user or the cart that bought it, or for support",
		Errors:  []int{http.StatusUnauthorized, http.StatusNotFound, http.StatusServiceUnavailable},
	}, s.handleGet)
	s.routesAfterSale(api)
	s.routesOfSupport(api)
	s.promotionRoutes(api)
	s.shippingRoutes(api)
}

// CartClaim is how a shopper presents a cart; the header goes before the cookie.
type CartClaim struct {
	Header string `header:"X-Cart-Id" maxLength:"100" doc:"<cart id>.<secret>"`
	Cookie string `cookie:"cart" maxLength:"100" doc:"The same, for browsers"`
}

// ref reads which cart a request presents: the header goes before a user's token, whose own cart it is, and that before the cookie,
// which may be left over from before the login.
func (s *Service) ref(ctx context.Context, c CartClaim) (cartRef, error) {
	claims, _ := auth.FromContext(ctx)
	isUser := contract.IsUserID(claims.Subject)
	text := c.Header
	if text == "" {
		if isUser {
			return userCartRef(claims.Subject)
		}
		text = c.Cookie
	}
	ref, err := parseCartRef(text)
	if isUser {
		ref.userID = claims.Subject
	}
	return ref, err
}

type quoteInput struct {
	CartClaim
	Body struct {
		ShippingAddress contract.Address `json:"shipping_address"`
		ShippingMethod  string           `json:"shipping_method" minLength:"1" maxLength:"50" example:"standard"`
		Email           string           `json:"email,omitempty" maxLength:"254" doc:"A guest's; with it the quote counts what they have used of promotions that are limited for each customer"`
	}
}

type quoteOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         contract.Quote
}

func (s *Service) handleQuote(ctx context.Context, input *quoteInput) (*quoteOutput, error) {
	ref, err := s.ref(ctx, input.CartClaim)
	if err != nil {
		return nil, err
	}
	priced, err := s.quote(ctx, ref, input.Body.ShippingAddress, input.Body.ShippingMethod, input.Body.Email)
	if err != nil {
		return nil, err
	}
	return &quoteOutput{CacheControl: private, Body: priced.quote}, nil
}

type checkoutInput struct {
	CartClaim
	Key  string `header:"Idempotency-Key" doc:"The same for every repeat of one checkout: 1 to 255 visible ASCII characters; required"`
	Body Request
}

// reply is what a checkout answers.
type reply struct {
	Status       int
	Location     string `header:"Location" doc:"The order"`
	RetryAfter   string `header:"Retry-After"`
	CacheControl string `header:"Cache-Control"`
	Body         document
}

// document is an answer that goes out byte for byte as it is kept.
type document answer

// MarshalJSON gives the kept bytes.
func (d document) MarshalJSON() ([]byte, error) { return d.body, nil }

// ContentType tells an order from a problem.
func (d document) ContentType(otherwise string) string {
	if d.status >= http.StatusBadRequest {
		return httpx.ProblemContentType
	}
	return otherwise
}

// Schema says that the document of a success is an order.
func (document) Schema(registry huma.Registry) *huma.Schema {
	return registry.Schema(reflect.TypeFor[contract.Order](), true, "")
}

func (s *Service) handleCheckout(ctx context.Context, input *checkoutInput) (*reply, error) {
	if err := validateKey(input.Key); err != nil {
		return nil, err
	}
	ref, err := s.ref(ctx, input.CartClaim)
	if err != nil {
		return nil, err
	}
	return s.checkout(ctx, ref, input.Key, input.Body)
}
