package publish

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/meridian-store/meridian/contract"
)

// deliver sends products and, for those that were taken, their stock.
func (p *Publisher) deliver(entries []entry) (result, error) {
	products := make([]json.RawMessage, len(entries))
	for i, e := range entries {
		products[i] = e.product
	}
	var answer struct {
		Results []contract.BulkResult `json:"results"`
	}
	if err := p.send(p.ctx, Products, products, &answer); err != nil {
		return result{}, err
	}
	if len(answer.Results) != len(entries) {
		return result{}, fmt.Errorf("the shop answered for %d of %d products", len(answer.Results), len(entries))
	}
	r := result{end: entries[len(entries)-1].place + 1}
	var counts []contract.StockCount
	lines := map[string]int{}
	for i, e := range entries {
		if !r.count(e, answer.Results[i]) {
			continue
		}
		for _, warehouse := range p.Warehouses {
			for _, stock := range e.stock {
				lines[stock.SKU] = e.line
				counts = append(counts, contract.StockCount{SKU: stock.SKU, Warehouse: warehouse, OnHand: stock.OnHand, Reference: p.Reference})
			}
		}
	}
	for start := 0; start < len(counts); start += StockBatch {
		var answer struct {
			Results []contract.StockResult `json:"results"`
		}
		if err := p.send(p.ctx, Stock, counts[start:min(start+StockBatch, len(counts))], &answer); err != nil {
			return result{}, err
		}
		for _, counted := range answer.Results {
			r.countStock(counted, lines[counted.SKU])
		}
	}
	return r, nil
}

const (
	attempts  = 6
	firstWait = 200 * time.Millisecond
)

// send asks the shop. A batch may be sent again safely, so one that met a missing or busy shop is.
func (p *Publisher) send(ctx context.Context, what Kind, items, answer any) error {
	body, err := json.Marshal(map[string]any{"items": items})
	if err != nil {
		return fmt.Errorf("encode a batch: %w", err)
	}
	pauses := backoff.NewExponentialBackOff()
	pauses.InitialInterval, pauses.Multiplier = firstWait, 2
	var last error
	_, err = backoff.Retry(ctx, func() (struct{}, error) {
		last = p.Shop.Send(ctx, what, body, answer)
		if last != nil && !passing(last) {
			return struct{}{}, backoff.Permanent(last)
		}
		return struct{}{}, last
	}, backoff.WithBackOff(pauses), backoff.WithMaxTries(attempts), backoff.WithMaxElapsedTime(0))
	if err != nil && ctx.Err() != nil {
		return errors.Join(last, err)
	}
	return err
}

// passing says whether the same request may succeed a little later.
func passing(err error) bool {
	code := contract.CodeOf(err)
	return code == contract.CodeUnavailable || code == contract.CodeTooMany
}
