package inventory

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/httpx"
)

// decodeSKU reads a SKU in a path, which is percent-encoded, because a SKU may contain a slash.
func decodeSKU(segment string) (string, error) {
	sku, err := url.PathUnescape(segment)
	if err != nil {
		return "", contract.Invalid("sku", "is not percent-encoded as a path segment")
	}
	return sku, validateSKU("sku", sku)
}

// stockOf reads a SKU's buckets; one that was never counted anywhere is not found.
func (s *Service) stockOf(ctx context.Context, sku string) ([]bucket, error) {
	buckets, err := s.store.stock(ctx, []string{sku})
	if err != nil {
		return nil, err
	}
	if len(buckets) == 0 {
		return nil, contract.Errorf(contract.CodeNotFound, "no warehouse has ever counted the SKU %s", sku)
	}
	return buckets, nil
}

// countOf gives what is available of a SKU, from Redis when it was read there or in SQL within the last second.
func (s *Service) countOf(ctx context.Context, sku string) (*count, error) {
	if n := s.counts.find(ctx, []string{sku})[0]; n != nil {
		return n, nil
	}
	readAt := time.Now()
	buckets, err := s.stockOf(ctx, sku)
	if err != nil {
		return nil, err
	}
	found := countsOf([]string{sku}, buckets, s.regions, readAt)
	s.counts.publish(found)
	return found[sku], nil
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

func (s *Service) getAvailability(ctx context.Context, input *availabilityInput) (*availabilityOutput, error) {
	sku, err := decodeSKU(input.SKU)
	if err != nil {
		return nil, err
	}
	n, err := s.countOf(ctx, sku)
	if err != nil {
		return nil, err
	}
	available := availability(sku, n, s.regions)
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

// availability gives the bands of a SKU.
func availability(sku string, n *count, regions []contract.Region) contract.Availability {
	result := contract.Availability{SKU: sku, Stock: contract.BandOf(n.total())}
	for _, region := range regions {
		result.Regions = append(result.Regions, contract.RegionAvailability{Region: region.Name, Stock: contract.BandOf(n.regions[region.Name])})
	}
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

func (s *Service) getStock(ctx context.Context, input *stockInput) (*stockOutput, error) {
	sku, err := decodeSKU(input.SKU)
	if err != nil {
		return nil, err
	}
	buckets, err := s.stockOf(ctx, sku)
	if err != nil {
		return nil, err
	}
	output := &stockOutput{CacheControl: "private, no-store"}
	output.Body.Items = levelsOf(buckets)
	return output, nil
}
