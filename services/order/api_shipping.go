package order

import (
	"context"
	"maps"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/kit/httpx"
)

func (s *Service) shippingRoutes(api *httpx.API) {
	httpx.Handle(api, huma.Operation{
		OperationID: "list-shipping-methods", Method: http.MethodGet, Path: "/api/v1/shipping-methods", Tags: []string{"checkout"},
		Summary: "How an order may go to a country, and what each way costs in a currency before promotions and tax",
		Errors:  []int{http.StatusBadRequest, http.StatusUnavailableForLegalReasons},
	}, s.handleShippingMethods)
}

type shippingInput struct {
	Country  string `query:"country" required:"true" minLength:"2" maxLength:"2" example:"IE" doc:"ISO 3166-1 alpha-2"`
	Currency string `query:"currency" maxLength:"3" example:"EUR" doc:"Absent: USD"`
}

// ShippingMethod is one way in which an order may go, with its price.
type ShippingMethod struct {
	Code  string         `json:"code" example:"standard"`
	Price contract.Money `json:"price"`
}

type shippingOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         struct {
		Items []ShippingMethod `json:"items"`
	}
}

// handleShippingMethods lists the methods that have a price in the currency, by code. A country that no region claims is served by the
// rules of the region that answers, as its quote would be.
func (s *Service) handleShippingMethods(_ context.Context, input *shippingInput) (*shippingOutput, error) {
	if !geo.ValidCountry(input.Country) {
		return nil, contract.Invalid("country", "%q is not an ISO 3166-1 alpha-2 code such as IE", input.Country)
	}
	if err := s.mayServe("country", input.Country); err != nil {
		return nil, err
	}
	if input.Currency == "" {
		input.Currency = contract.DefaultCurrency
	}
	if err := contract.ValidateCurrency("currency", input.Currency); err != nil {
		return nil, err
	}
	output := &shippingOutput{CacheControl: private}
	output.Body.Items = []ShippingMethod{}
	to := destinationOf(input.Country, s.region, s.regions)
	for _, method := range slices.Sorted(maps.Keys(to.shipping)) {
		if amount, ok := to.shipping[method][input.Currency]; ok {
			output.Body.Items = append(output.Body.Items, ShippingMethod{Code: method, Price: contract.Money{Amount: amount, Currency: input.Currency}})
		}
	}
	return output, nil
}
