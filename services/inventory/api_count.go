package inventory

import (
	"context"

	"github.com/meridian-store/meridian/contract"
)

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
func (s *Service) putCount(ctx context.Context, input *countInput) (*countOutput, error) {
	sku, err := decodeSKU(input.SKU)
	if err != nil {
		return nil, err
	}
	if input.Body.SKU != "" && input.Body.SKU != sku {
		return nil, contract.Invalid("sku", "is not the SKU of the path")
	}
	count := contract.StockCount{SKU: sku, Warehouse: input.Body.Warehouse, OnHand: input.Body.OnHand, Reference: input.Body.Reference}
	if lines, results := readCounts([]contract.StockCount{count}, s.regions); len(lines) == 0 {
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

func (s *Service) postCounts(ctx context.Context, input *countsInput) (*countsOutput, error) {
	results, err := s.count(ctx, input.Body.Items)
	if err != nil {
		return nil, err
	}
	output := &countsOutput{}
	output.Body.Results = results
	return output, nil
}

// count applies counts and gives one result for each, in their order.
func (s *Service) count(ctx context.Context, counts []contract.StockCount) ([]contract.StockResult, error) {
	lines, results := readCounts(counts, s.regions)
	return s.move(ctx, lines, results)
}

type adjustmentsInput struct {
	Body struct {
		Items []contract.StockAdjustment `json:"items" minItems:"1" maxItems:"1000"`
	}
}

func (s *Service) postAdjustments(ctx context.Context, input *adjustmentsInput) (*countsOutput, error) {
	lines, results := readAdjustments(input.Body.Items, s.regions)
	results, err := s.move(ctx, lines, results)
	if err != nil {
		return nil, err
	}
	output := &countsOutput{}
	output.Body.Results = results
	return output, nil
}

func (s *Service) move(ctx context.Context, lines []stockLine, results []contract.StockResult) ([]contract.StockResult, error) {
	if err := s.store.move(ctx, lines, results); err != nil {
		return nil, err
	}
	var moved []string
	for _, result := range results {
		if result.Outcome == outcomeApplied {
			moved = append(moved, result.SKU)
		}
	}
	s.moreOf(moved)
	return results, nil
}
