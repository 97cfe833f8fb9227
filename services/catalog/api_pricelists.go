package catalog

import (
	"context"
	"net/http"
	"unicode/utf8"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/httpx"
)

func priceListRoutes(api *httpx.API, s *Service) {
	const lists, list, prices = "/api/v1/admin/price-lists", "/api/v1/admin/price-lists/{id}", "/api/v1/admin/price-lists/{id}/prices"
	admin(api, "create-price-list", http.MethodPost, lists, "Add a price list", http.StatusCreated, s.postPriceList)
	admin(api, "list-price-lists", http.MethodGet, lists, "Read all price lists", http.StatusOK, s.getPriceLists)
	admin(api, "get-price-list", http.MethodGet, list, "Read a price list", http.StatusOK, s.getPriceList)
	admin(api, "replace-price-list", http.MethodPut, list, "Replace a price list, but for its prices", http.StatusOK, s.putPriceList)
	admin(api, "delete-price-list", http.MethodDelete, list, "Delete a price list with its prices", http.StatusNoContent, s.deletePriceList)
	admin(api, "list-price-list-prices", http.MethodGet, prices, "Read a price list's prices by SKU", http.StatusOK, s.getListPrices)
	operation := adminOperation("write-price-list-prices", http.MethodPut, prices, "Set and remove prices of a price list")
	operation.SkipValidateBody = true // each item is held to its schema by itself
	httpx.Handle(api, operation, s.putListPrices)
}

type priceListOutput struct {
	ETag         string `header:"ETag" doc:"For If-Match"`
	CacheControl string `header:"Cache-Control"`
	Location     string `header:"Location"`
	Body         contract.PriceList
}

func answerPriceList(list contract.PriceList, err error) (*priceListOutput, error) {
	if err != nil {
		return nil, err
	}
	return &priceListOutput{ETag: recordTag(list.ID, list.Version), CacheControl: neverStored, Body: list}, nil
}

type createPriceListInput struct {
	Body contract.PriceListInput
}

func (s *Service) postPriceList(ctx context.Context, input *createPriceListInput) (*priceListOutput, error) {
	answer, err := answerPriceList(s.createPriceList(ctx, input.Body))
	if err != nil {
		return nil, err
	}
	answer.Location = "/api/v1/admin/price-lists/" + answer.Body.ID
	return answer, nil
}

type priceListsOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         struct {
		Items []contract.PriceList `json:"items"`
	}
}

func (s *Service) getPriceLists(ctx context.Context, _ *struct{}) (*priceListsOutput, error) {
	lists, err := priceLists(ctx, s.store.db)
	if err != nil {
		return nil, err
	}
	output := &priceListsOutput{CacheControl: neverStored}
	output.Body.Items = lists
	return output, nil
}

// PriceListPath names a price list. It is exported because only exported fields are read from requests.
type PriceListPath struct {
	ID string `path:"id" maxLength:"64"`
}

func (s *Service) getPriceList(ctx context.Context, input *PriceListPath) (*priceListOutput, error) {
	return answerPriceList(onePriceList(ctx, s.store.db, readPriceList, input.ID))
}

type replacePriceListInput struct {
	PriceListPath
	IfMatch string `header:"If-Match" doc:"Refuse with 412 unless this is the newest ETag"`
	Body    contract.PriceListInput
}

func (s *Service) putPriceList(ctx context.Context, input *replacePriceListInput) (*priceListOutput, error) {
	return answerPriceList(s.replacePriceList(ctx, input.ID, input.IfMatch, input.Body))
}

type deletePriceListInput struct {
	PriceListPath
	IfMatch string `header:"If-Match" doc:"Refuse with 412 unless this is the newest ETag"`
}

func (s *Service) deletePriceList(ctx context.Context, input *deletePriceListInput) (*struct{}, error) {
	return nil, s.removePriceList(ctx, input.ID, input.IfMatch)
}

type listPricesInput struct {
	PriceListPath
	Cursor string `query:"cursor" maxLength:"400" doc:"next_cursor of the page before"`
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}

type listPricesOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         struct {
		Items      []contract.ListPrice `json:"items"`
		NextCursor string               `json:"next_cursor,omitempty" doc:"Where the next page begins; absent on the last"`
	}
}

// getListPrices pages by the SKU itself, which is what its reader sorts by too.
func (s *Service) getListPrices(ctx context.Context, input *listPricesInput) (*listPricesOutput, error) {
	if err := checkText("cursor", input.Cursor); err != nil || !utf8.ValidString(input.Cursor) {
		return nil, contract.Invalid("cursor", "is not one that a page of prices gave")
	}
	if _, err := onePriceList(ctx, s.store.db, readPriceList, input.ID); err != nil {
		return nil, err
	}
	prices, err := s.store.listPrices(ctx, input.ID, input.Cursor, input.Limit)
	if err != nil {
		return nil, err
	}
	output := &listPricesOutput{CacheControl: neverStored}
	if len(prices) > input.Limit {
		prices = prices[:input.Limit]
		output.Body.NextCursor = prices[input.Limit-1].SKU
	}
	output.Body.Items = prices
	return output, nil
}

type putListPricesInput struct {
	PriceListPath
	IfMatch string `header:"If-Match" doc:"Refuse with 412 unless this is the newest ETag"`
	Body    struct {
		Items []unread[contract.ListPrice] `json:"items" minItems:"1" maxItems:"1000"`
	}
}

type putListPricesOutput struct {
	ETag         string `header:"ETag" doc:"For If-Match"`
	CacheControl string `header:"Cache-Control"`
	Body         struct {
		Results []contract.ListPriceResult `json:"results" doc:"In the order of the items"`
	}
}

func (s *Service) putListPrices(ctx context.Context, input *putListPricesInput) (*putListPricesOutput, error) {
	if err := checkCount(len(input.Body.Items), contract.MaxListPrices); err != nil {
		return nil, err
	}
	list, results, err := s.writePrices(ctx, input.ID, input.IfMatch, input.Body.Items)
	if err != nil {
		return nil, err
	}
	output := &putListPricesOutput{ETag: recordTag(list.ID, list.Version), CacheControl: neverStored}
	output.Body.Results = results
	return output, nil
}
