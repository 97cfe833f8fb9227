package order

import (
	"context"
	"net/http"
	"net/url"

	"github.com/danielgtaylor/huma/v2"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/httpx"
)

// errorsOfDeeds are the statuses that anything done to an order may be refused with.
var errorsOfDeeds = []int{
	http.StatusBadRequest, http.StatusUnauthorized, http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity, http.StatusServiceUnavailable,
}

// routesAfterSale are what a shopper may do with an order of theirs.
func (s *Service) routesAfterSale(api *httpx.API) {
	httpx.Handle(api, huma.Operation{
		OperationID: "cancel-order", Method: http.MethodPost, Path: "/api/v1/orders/{id}/cancel", Tags: []string{"orders"}, MaxBodyBytes: maxBody,
		Summary: "Cancels an order of which nothing has been sent: the charge is refunded and the goods go back on sale", Errors: errorsOfDeeds,
	}, s.handleCancel)
	httpx.Handle(api, huma.Operation{
		OperationID: "return-order", Method: http.MethodPost, Path: "/api/v1/orders/{id}/returns", Tags: []string{"orders"}, MaxBodyBytes: maxBody,
		DefaultStatus: http.StatusCreated,
		Summary:       "Announces that goods come back; they are paid back once they have been received", Errors: errorsOfDeeds,
	}, s.handleReturn)
	httpx.Handle(api, huma.Operation{
		OperationID: "look-up-order", Method: http.MethodPost, Path: "/api/v1/orders/lookup", Tags: []string{"orders"}, MaxBodyBytes: maxBody,
		Summary: "An order by its number and the email address that it was placed with, for guests",
		Errors:  []int{http.StatusBadRequest, http.StatusNotFound, http.StatusTooManyRequests, http.StatusServiceUnavailable},
	}, s.handleLookup)
}

// Keyed is how everything that changes an order is asked for.
type Keyed struct {
	ID  string `path:"id" maxLength:"64"`
	Key string `header:"Idempotency-Key" doc:"The same for every repeat of one request: 1 to 255 visible ASCII characters; required"`
}

// Lines of an order, at most one for each line that a cart may have.
type lines []contract.SKUCount

// validate refuses what no order has.
func (l lines) validate() error {
	for i, line := range l {
		if line.SKU == "" {
			return contract.Invalid(field("lines", i, "sku"), "is required")
		}
		if line.Quantity < 1 || line.Quantity > contract.MaxCartLines*contract.MaxLineQuantity {
			return contract.Invalid(field("lines", i, "quantity"), "has to be from 1 to %d", contract.MaxCartLines*contract.MaxLineQuantity)
		}
	}
	return nil
}

// deedOutput is an answer as it is kept for repeats.
type deedOutput[T any] struct {
	CacheControl string `header:"Cache-Control"`
	ETag         string `header:"ETag" doc:"Of the order, for If-Match"`
	Location     string `header:"Location" doc:"The order"`
	Body         repeated[T]
}

func answerDeed[T any](orderID string, done acted, err error) (*deedOutput[T], error) {
	if err != nil {
		return nil, err
	}
	return &deedOutput[T]{CacheControl: private, ETag: httpx.ETag("order", done.version), Location: locationOf(orderID), Body: repeated[T]{done.answer}}, nil
}

type cancelInput struct {
	CartClaim
	Keyed
	Body struct {
		Reason string `json:"reason,omitempty" maxLength:"500"`
	}
}

func (s *Service) handleCancel(ctx context.Context, input *cancelInput) (*deedOutput[contract.OrderCancellation], error) {
	done, err := s.act(ctx, request{orderID: input.ID, key: input.Key, verb: "cancel", body: input.Body, may: s.buyer(ctx, input.CartClaim)},
		func(as author) (deed, error) { return as.cancelAll(input.Body.Reason) })
	return answerDeed[contract.OrderCancellation](input.ID, done, err)
}

type returnInput struct {
	CartClaim
	Keyed
	Body struct {
		Lines  lines  `json:"lines,omitempty" maxItems:"200" doc:"Everything that has been sent when absent"`
		Reason string `json:"reason,omitempty" maxLength:"500"`
	}
}

func (s *Service) handleReturn(ctx context.Context, input *returnInput) (*deedOutput[contract.OrderReturn], error) {
	if err := input.Body.Lines.validate(); err != nil {
		return nil, err
	}
	done, err := s.act(ctx, request{orderID: input.ID, key: input.Key, verb: "return", body: input.Body, may: s.buyer(ctx, input.CartClaim)},
		func(as author) (deed, error) { return as.askReturn(input.Body.Lines, input.Body.Reason) })
	return answerDeed[contract.OrderReturn](input.ID, done, err)
}

// validateTracking refuses a link that is not one: it is shown to shoppers.
func validateTracking(tracking *contract.Tracking) error {
	if tracking == nil || tracking.URL == "" {
		return nil
	}
	parsed, err := url.Parse(tracking.URL)
	if err != nil || (parsed.Scheme != "https" && parsed.Scheme != "http") || parsed.Host == "" {
		return contract.Invalid("tracking.url", "is not an http or https link")
	}
	return nil
}
