// Package publish sends a feed's products to a running shop, through the admin API that any program may use.
package publish

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/meridian-store/meridian/feed"
	"github.com/meridian-store/meridian/services/contract"
)

// ProductBatch and StockBatch are how many products and stock counts go in one request.
const (
	ProductBatch = 100
	StockBatch   = 1000
)

const (
	requestTimeout = time.Minute
	attempts       = 4
	firstWait      = 200 * time.Millisecond
	maxAnswer      = 16 << 20
)

// Publisher writes to one shop. It is for one goroutine.
type Publisher struct {
	// URL is a gateway's or the edge's; Token a bearer token of a merchandiser or an admin.
	URL, Token string
	// Warehouses receive each product's stock; none when empty.
	Warehouses []string
	// Reference names the feed's content: counts of a reference that was applied before change nothing.
	Reference string
	// Refused is told of each product or count that the shop refused.
	Refused func(feed.Refusal)

	outcome  Outcome
	products []feed.Item
	stock    []contract.StockCount
}

// Outcome counts what the shop made of the feed.
type Outcome struct {
	Created     int64 `json:"created"`
	Updated     int64 `json:"updated"`
	Unchanged   int64 `json:"unchanged"`
	Refused     int64 `json:"refused"`
	StockSet    int64 `json:"stock_set"`
	StockAsIs   int64 `json:"stock_unchanged"`
	StockDenied int64 `json:"stock_refused"`
}

// Outcome gives the counts so far.
func (p *Publisher) Outcome() Outcome { return p.outcome }

// Categories makes or renames categories, parents first.
func (p *Publisher) Categories(ctx context.Context, categories []contract.CategoryInput) error {
	if len(categories) == 0 {
		return nil
	}
	var answer struct {
		Results []contract.BulkResult `json:"results"`
	}
	for start := 0; start < len(categories); start += ProductBatch {
		batch := categories[start:min(start+ProductBatch, len(categories))]
		if err := p.post(ctx, "/api/v1/admin/categories/bulk", map[string]any{"items": batch}, &answer); err != nil {
			return err
		}
		for _, result := range answer.Results {
			if result.Outcome == "refused" {
				return fmt.Errorf("the shop refused the category %s: %s", result.Slug, result.Reason)
			}
		}
	}
	return nil
}

// Add takes one product; it is sent with its batch.
func (p *Publisher) Add(ctx context.Context, item feed.Item) error {
	p.products = append(p.products, item)
	if len(p.products) < ProductBatch {
		return nil
	}
	return p.sendProducts(ctx)
}

// Flush sends what has been added and not sent.
func (p *Publisher) Flush(ctx context.Context) error {
	if err := p.sendProducts(ctx); err != nil {
		return err
	}
	return p.sendStock(ctx)
}

func (p *Publisher) sendProducts(ctx context.Context) error {
	if len(p.products) == 0 {
		return nil
	}
	inputs := make([]contract.ProductInput, len(p.products))
	for i, item := range p.products {
		inputs[i] = item.Product
	}
	var answer struct {
		Results []contract.BulkResult `json:"results"`
	}
	if err := p.post(ctx, "/api/v1/admin/products/bulk", map[string]any{"items": inputs}, &answer); err != nil {
		return err
	}
	if len(answer.Results) != len(p.products) {
		return fmt.Errorf("the shop answered for %d of %d products", len(answer.Results), len(p.products))
	}
	for i, result := range answer.Results {
		p.count(p.products[i], result)
	}
	p.products = p.products[:0]
	if len(p.stock) < StockBatch {
		return nil
	}
	return p.sendStock(ctx)
}

// count notes what became of a product, and keeps its stock for sending unless it was refused.
func (p *Publisher) count(item feed.Item, result contract.BulkResult) {
	switch result.Outcome {
	case "created":
		p.outcome.Created++
	case "updated":
		p.outcome.Updated++
	case "unchanged":
		p.outcome.Unchanged++
	default:
		p.outcome.Refused++
		p.refuse(feed.Refusal{Line: item.Line, Handle: result.Slug, Column: result.Field, Reason: result.Reason})
		return
	}
	for _, warehouse := range p.Warehouses {
		for _, stock := range item.Stock {
			p.stock = append(p.stock, contract.StockCount{SKU: stock.SKU, Warehouse: warehouse, OnHand: stock.OnHand, Reference: p.Reference})
		}
	}
}

func (p *Publisher) sendStock(ctx context.Context) error {
	for len(p.stock) > 0 {
		batch := p.stock[:min(StockBatch, len(p.stock))]
		var answer struct {
			Results []contract.StockResult `json:"results"`
		}
		if err := p.post(ctx, "/api/v1/admin/inventory", map[string]any{"items": batch}, &answer); err != nil {
			return err
		}
		for _, result := range answer.Results {
			switch result.Outcome {
			case "applied":
				p.outcome.StockSet++
			case "unchanged":
				p.outcome.StockAsIs++
			default:
				p.outcome.StockDenied++
				p.refuse(feed.Refusal{Handle: result.SKU, Column: "stock in " + result.Warehouse, Reason: result.Reason})
			}
		}
		p.stock = p.stock[len(batch):]
	}
	p.stock = nil
	return nil
}

func (p *Publisher) refuse(refusal feed.Refusal) {
	if p.Refused != nil {
		p.Refused(refusal)
	}
}

// post sends a batch. A batch may be sent again safely, so one that met a missing or busy shop is.
func (p *Publisher) post(ctx context.Context, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("encode a batch: %w", err)
	}
	for attempt, wait := 1, firstWait; ; attempt, wait = attempt+1, wait*2 {
		again, err := p.try(ctx, path, body, out)
		if err == nil || !again || attempt == attempts {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-time.After(wait):
		}
	}
}

func (p *Publisher) try(ctx context.Context, path string, body []byte, out any) (again bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.URL+path, bytes.NewReader(body))
	if err != nil {
		return false, err
	}
	request.Header.Set("Authorization", "Bearer "+p.Token)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return true, fmt.Errorf("the shop cannot be reached: %w", err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return true, fmt.Errorf("read the shop's answer: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		busy := response.StatusCode >= 500 || response.StatusCode == http.StatusTooManyRequests
		return busy, fmt.Errorf("POST %s: %s", path, problemText(response.Status, answer))
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return false, fmt.Errorf("read the shop's answer: %w", err)
	}
	return false, nil
}

func problemText(status string, answer []byte) string {
	var problem struct{ Detail, Field string }
	if err := json.Unmarshal(answer, &problem); err != nil || problem.Detail == "" {
		return status
	}
	if problem.Field != "" {
		return problem.Field + ": " + problem.Detail
	}
	return problem.Detail
}
