// Package publish sends a feed's products to a running shop in batches, several at once, and remembers how far it came, so that a
// run that was cut off is taken up where it stopped.
package publish

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/feed"
)

// ProductBatch and StockBatch are how many products and stock counts go in one request, and batchBytes how much JSON, unless a
// single product is larger.
const (
	ProductBatch = 100
	StockBatch   = 1000
	batchBytes   = 4 << 20
)

// DefaultInFlight is how many batches are under way at once. The shop works on one while the next is read and encoded; more than
// a few only wait for each other's locks.
const DefaultInFlight = 3

// Publisher writes one feed to one shop. Its methods are for one goroutine; call Start before any other, and Flush in the end or
// Stop when giving up.
type Publisher struct {
	Shop Shop
	// Warehouses receive each product's stock; none when empty.
	Warehouses []string
	// Reference names the feed's content: counts of a reference that was applied before change nothing.
	Reference string
	// InFlight is how many batches are under way at once; DefaultInFlight when 0.
	InFlight int
	// From is where an earlier run with the same feed stopped; the zero value for none.
	From Progress
	// Advanced, when not nil, is told of each step of the progress, one at a time and not on the caller's goroutine. Its error ends
	// the run.
	Advanced func(Progress) error

	ctx     context.Context
	cancel  context.CancelFunc
	slots   chan struct{}
	workers sync.WaitGroup

	// next is the place of the next item in the feed, batches the number of the next batch.
	next    int64
	batches int
	batch   []entry
	bytes   int
	again   map[int64]bool

	ledger ledger
}

// entry is one product on its way.
type entry struct {
	place   int64
	line    int
	slug    string
	product json.RawMessage
	stock   []feed.SKUStock
}

// Start makes the publisher ready to take items. What is under way ends with ctx.
func (p *Publisher) Start(ctx context.Context) {
	if p.InFlight == 0 {
		p.InFlight = DefaultInFlight
	}
	p.ctx, p.cancel = context.WithCancel(ctx)
	p.slots = make(chan struct{}, p.InFlight)
	p.again = map[int64]bool{}
	for _, place := range p.From.Again {
		p.again[place] = true
	}
	p.ledger = ledger{progress: p.From.clone(), advanced: p.Advanced, waiting: map[int]result{}}
}

// Progress tells how far the shop has answered without a gap.
func (p *Publisher) Progress() Progress { return p.ledger.snapshot() }

// Categories makes or renames categories, parents first.
func (p *Publisher) Categories(ctx context.Context, categories []contract.CategoryInput) error {
	for start := 0; start < len(categories); start += ProductBatch {
		var answer struct {
			Results []contract.BulkResult `json:"results"`
		}
		batch := categories[start:min(start+ProductBatch, len(categories))]
		if err := p.send(ctx, Categories, batch, &answer); err != nil {
			return err
		}
		for _, result := range answer.Results {
			if result.Outcome == "refused" {
				return contract.Errorf(contract.CodeConflict, "the shop refused the category %s: %s", result.Slug, result.Reason)
			}
		}
	}
	return nil
}

// Add takes the feed's next product, which shares no SKU with another of the feed; it is sent with its batch. A product that the earlier run brought in is passed over.
func (p *Publisher) Add(item feed.Item) error {
	place := p.next
	p.next++
	if place < p.From.Done && !p.again[place] {
		return nil
	}
	product, err := json.Marshal(item.Product)
	if err != nil {
		return fmt.Errorf("encode the product %s: %w", item.Product.Slug, err)
	}
	e := entry{place: place, line: item.Line, slug: item.Product.Slug, product: product, stock: item.Stock}
	if place < p.From.Done {
		p.ledger.postpone(e)
		return nil
	}
	if len(p.batch) > 0 && p.bytes+len(product) > batchBytes {
		if err := p.launch(); err != nil {
			return err
		}
	}
	p.batch, p.bytes = append(p.batch, e), p.bytes+len(product)
	if len(p.batch) < ProductBatch {
		return nil
	}
	return p.launch()
}

// Flush sends what has been added and not sent, waits for all answers, and offers once more what was refused: batches overtake each
// other, so a product may have been refused for a SKU that another product was about to give up.
func (p *Publisher) Flush() error {
	err := p.launch()
	p.workers.Wait()
	if err := errors.Join(err, p.ledger.failed()); err != nil {
		p.Stop()
		return err
	}
	defer p.Stop()
	// One in a request, so that none can be too much together with others.
	for _, e := range p.ledger.takePostponed() {
		r, err := p.deliver([]entry{e})
		if err != nil {
			return err
		}
		if err := p.ledger.settle(r); err != nil {
			return err
		}
	}
	return p.ledger.end()
}

// Stop gives up what is under way; stopping twice is fine.
func (p *Publisher) Stop() {
	p.cancel()
	p.workers.Wait()
}

// launch sends the batch as soon as a place is free.
func (p *Publisher) launch() error {
	if len(p.batch) == 0 {
		return p.ledger.failed()
	}
	select {
	case p.slots <- struct{}{}:
	case <-p.ctx.Done():
		return errors.Join(p.ledger.failed(), p.ctx.Err())
	}
	if err := p.ledger.failed(); err != nil {
		return err
	}
	number, entries := p.batches, p.batch
	p.batches, p.batch, p.bytes = number+1, nil, 0
	p.workers.Go(func() {
		defer func() { <-p.slots }()
		r, err := p.deliver(entries)
		if err == nil {
			err = p.ledger.record(number, r)
		}
		if err != nil {
			p.ledger.fail(err)
			p.cancel()
		}
	})
	return nil
}
