package search

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/meridian-store/meridian/contract"
)

// Consumed, from product-events: all. An event only says which products to read again. From inventory-events: InventorySold, for the order of
// hits by sales.
//
// Published: nothing.

// listener follows the region's events.
type listener struct {
	index   *index
	catalog catalog
	log     *slog.Logger
	metrics *metrics
	now     func() time.Time
	// indexed is called once the index has taken in what shoppers see.
	indexed func()
}

// apply indexes what some events are about. An error means that all of them are applied again.
func (l *listener) apply(ctx context.Context, events []contract.Event) error {
	var ids []string
	var oldest time.Time
	everything, seen := false, false
	for _, event := range events {
		about, all, err := l.products(ctx, event)
		if err != nil {
			return err
		}
		everything = everything || all
		// A sale only reorders.
		seen = seen || all || (len(about) > 0 && event.Type != contract.InventorySold)
		if ids = append(ids, about...); len(about) > 0 && (oldest.IsZero() || event.Time.Before(oldest)) {
			oldest = event.Time
		}
	}
	if everything {
		if err := l.index.mend(ctx); err != nil {
			return err
		}
	}
	if len(ids) > 0 {
		err := l.index.sync(ctx, ids)
		if errors.Is(err, errNoIndex) {
			return nil // the first index is made from all that the catalog says
		}
		if err != nil {
			return err
		}
		l.metrics.lag.Observe(max(l.now().Sub(oldest), 0).Seconds())
	}
	if seen {
		l.indexed()
	}
	return nil
}

// products gives the ids of what an event is about; all says that it may be any product.
func (l *listener) products(ctx context.Context, event contract.Event) (ids []string, all bool, err error) {
	switch event.Type {
	case contract.ProductCreated, contract.ProductUpdated, contract.ProductDeleted, contract.ProductStockChanged:
		var change contract.ProductChange
		if err := event.Decode(&change); err != nil {
			l.pass(ctx, event, err)
			return nil, false, nil
		}
		return []string{change.ProductID}, false, nil
	case contract.CategoryChanged:
		var change contract.CategoryChange
		if err := event.Decode(&change); err != nil {
			l.pass(ctx, event, err)
			return nil, false, nil
		}
		ids, err := l.catalog.inCategory(ctx, change.Slug)
		// One that was deleted had no products.
		var known *contract.Error
		if errors.As(err, &known) && known.Code == contract.CodeNotFound {
			err = nil
		}
		return ids, false, err
	case contract.PriceListChanged:
		var change contract.PriceListChange
		if err := event.Decode(&change); err != nil {
			l.pass(ctx, event, err)
			return nil, false, nil
		}
		return change.Products, len(change.Products) == 0, nil
	case contract.InventorySold:
		ids, err := l.sold(ctx, event)
		return ids, false, err
	default:
		return nil, false, nil
	}
}

// pass tells of an event that makes no sense, now or ever: the comparison finds what it was about.
func (l *listener) pass(ctx context.Context, event contract.Event, err error) {
	l.log.ErrorContext(ctx, "An event makes no sense and was passed over.", "event_id", event.ID, "type", event.Type, "error", err.Error())
}

// sold counts a sale and gives its products.
func (l *listener) sold(ctx context.Context, event contract.Event) ([]string, error) {
	var change contract.ReservationChange
	if err := event.Decode(&change); err != nil {
		l.pass(ctx, event, err)
		return nil, nil
	}
	skus := make([]string, 0, len(change.Allocations))
	for _, a := range change.Allocations {
		skus = append(skus, a.SKU)
	}
	if len(skus) == 0 {
		return nil, nil
	}
	owners, err := l.catalog.owners(ctx, skus)
	if err != nil {
		return nil, err
	}
	units := map[string]int64{}
	for _, a := range change.Allocations {
		if product := owners[a.SKU]; product != "" {
			units[product] += a.Quantity
		}
	}
	var ids []string
	for product := range units {
		ids = append(ids, product)
	}
	if len(ids) == 0 {
		return nil, nil
	}
	return ids, l.index.sales.add(ctx, event.ID, units)
}

// followPriceLists indexes what price lists reprice by beginning or ending, which no event tells.
func (l *listener) followPriceLists(since time.Time) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		changed, err := l.catalog.repriced(ctx, since)
		if err != nil {
			l.log.DebugContext(ctx, "The catalog could not be asked what price lists have changed; it will be again.", "error", err.Error())
			return nil
		}
		switch {
		case changed.Many:
			err = l.index.mend(ctx)
		case len(changed.IDs) > 0:
			err = l.index.sync(ctx, changed.IDs)
		}
		if err != nil && !errors.Is(err, errNoIndex) {
			l.log.WarnContext(ctx, "What price lists have changed could not be indexed; it will be tried again.", "error", err.Error())
			return nil
		}
		if err == nil && (changed.Many || len(changed.IDs) > 0) {
			l.indexed()
		}
		since = changed.Until
		return nil
	}
}
