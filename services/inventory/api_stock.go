package inventory

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/meridian-store/meridian/services/contract"
	"github.com/meridian-store/meridian/services/kit/httpx"
)

// decodeSKU reads a SKU in a path, which is percent-encoded, because a SKU may contain a slash.
func decodeSKU(segment string) (string, error) {
	sku, err := url.PathUnescape(segment)
	if err != nil {
		return "", contract.Invalid("sku", "is not percent-encoded as a path segment")
	}
	return sku, validateSKU("sku", sku)
}

// stockOf reads a SKU's levels; one that was never counted anywhere is not found.
func (s *service) stockOf(ctx context.Context, segment string) (string, []contract.StockLevel, error) {
	sku, err := decodeSKU(segment)
	if err != nil {
		return "", nil, err
	}
	levels, err := s.store.levels(ctx, []string{sku})
	if err != nil {
		return "", nil, err
	}
	if len(levels) == 0 {
		return "", nil, contract.Errorf(contract.CodeNotFound, "no warehouse has ever counted the SKU %s", sku)
	}
	return sku, levels, nil
}

type availabilityInput struct {
	SKU         string `path:"sku" maxLength:"300"`
	IfNoneMatch string `header:"If-None-Match" maxLength:"2000"`
}

type availabilityOutput struct {
	Status       int
	ETag         string `header:"ETag"`
	CacheControl string `header:"Cache-Control"`
	Body         contract.Availability
}

func (s *service) getAvailability(ctx context.Context, input *availabilityInput) (*availabilityOutput, error) {
	sku, levels, err := s.stockOf(ctx, input.SKU)
	if err != nil {
		return nil, err
	}
	available := availability(sku, levels, s.regions)
	output := &availabilityOutput{Status: http.StatusOK, CacheControl: "no-cache", Body: available}
	bands := []any{available.Stock}
	for _, region := range available.Regions {
		bands = append(bands, fmt.Sprintf("%s:%s", region.Region, region.Stock))
	}
	output.ETag = httpx.ETag(bands...)
	if input.IfNoneMatch != "" && httpx.Matches(input.IfNoneMatch, output.ETag) {
		output.Status = http.StatusNotModified
	}
	return output, nil
}

// availability gives the bands of a SKU over all regions' warehouses. Stock in a warehouse that no region has any more is not
// for sale.
func availability(sku string, levels []contract.StockLevel, regions []contract.Region) contract.Availability {
	result := contract.Availability{SKU: sku}
	var total int64
	for _, region := range regions {
		var available int64
		for _, level := range levels {
			here := slices.ContainsFunc(region.Warehouses, func(w contract.Warehouse) bool { return w.Code == level.Warehouse })
			if level.Region == region.Name && here {
				available += level.OnHand - level.Reserved
			}
		}
		total += available
		result.Regions = append(result.Regions, contract.RegionAvailability{Region: region.Name, Stock: contract.BandOf(available)})
	}
	result.Stock = contract.BandOf(total)
	return result
}

type stockInput struct {
	SKU string `path:"sku" maxLength:"300"`
}

type stockOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         struct {
		Items []contract.StockLevel `json:"items"`
	}
}

func (s *service) getStock(ctx context.Context, input *stockInput) (*stockOutput, error) {
	_, levels, err := s.stockOf(ctx, input.SKU)
	if err != nil {
		return nil, err
	}
	output := &stockOutput{CacheControl: "private, no-store"}
	output.Body.Items = levels
	return output, nil
}

type countInput struct {
	SKU  string `path:"sku" maxLength:"300"`
	Body struct {
		SKU       string `json:"sku,omitempty" maxLength:"100" doc:"May be left out; when given it is the SKU of the path"`
		Warehouse string `json:"warehouse" maxLength:"50" minLength:"1"`
		OnHand    int64  `json:"on_hand" minimum:"0" maximum:"1000000000"`
		Reference string `json:"reference" maxLength:"200" minLength:"1" doc:"Names this count; one that was applied before changes nothing"`
	}
}

type countOutput struct{ Body contract.StockResult }

// putCount answers a count that is refused with an error, because it is the whole request.
func (s *service) putCount(ctx context.Context, input *countInput) (*countOutput, error) {
	sku, err := decodeSKU(input.SKU)
	if err != nil {
		return nil, err
	}
	if input.Body.SKU != "" && input.Body.SKU != sku {
		return nil, contract.Invalid("sku", "is not the SKU of the path")
	}
	count := contract.StockCount{SKU: sku, Warehouse: input.Body.Warehouse, OnHand: input.Body.OnHand, Reference: input.Body.Reference}
	if lines, results := sortCounts([]contract.StockCount{count}, s.regions); len(lines) == 0 {
		return nil, contract.Errorf(contract.CodeInvalid, "%s", results[0].Reason)
	}
	results, err := s.count(ctx, []contract.StockCount{count})
	if err != nil {
		return nil, err
	}
	if results[0].Outcome == outcomeRefused {
		return nil, contract.Errorf(contract.CodeConflict, "%s", results[0].Reason)
	}
	return &countOutput{Body: results[0]}, nil
}

type countsInput struct {
	Body struct {
		Items []contract.StockCount `json:"items" minItems:"1" maxItems:"1000"`
	}
}

type countsOutput struct {
	Body struct {
		Results []contract.StockResult `json:"results" doc:"One for each item, in their order"`
	}
}

func (s *service) postCounts(ctx context.Context, input *countsInput) (*countsOutput, error) {
	results, err := s.count(ctx, input.Body.Items)
	if err != nil {
		return nil, err
	}
	output := &countsOutput{}
	output.Body.Results = results
	return output, nil
}

// count applies counts and gives one result for each, in their order.
func (s *service) count(ctx context.Context, counts []contract.StockCount) ([]contract.StockResult, error) {
	lines, results := sortCounts(counts, s.regions)
	if err := s.store.count(ctx, lines, results); err != nil {
		return nil, err
	}
	for _, result := range results {
		if result.Outcome == outcomeApplied {
			s.bands.note(result.SKU)
		}
	}
	return results, nil
}
