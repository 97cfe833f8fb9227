package catalog

import (
	"context"
	"log/slog"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/replication/outbox"
)

// Published, on product-events: ProductCreated, ProductUpdated and ProductDeleted of an aggregate that is the product's id, and
// CategoryChanged of the category's id; the version is the row's. A category that is moved announces also the categories that
// it left and came under, for their lists have changed.
//
// PriceListChanged of an aggregate that is the price list's id, when a list or its prices are written; it names the products that may cost
// something else, or none when any of its currency may.
//
// ProductStockChanged of an aggregate that is a SKU's stock, with the version that the inventory gave it: once the bands that shoppers see
// of a published product are others. The product's own version stays.
//
// Consumed, from inventory-events: StockBandChanged.

func productWritten(c *change) outbox.Draft {
	draft := outbox.Draft{Topic: contract.TopicProducts, Type: contract.ProductUpdated, Aggregate: c.id, Version: c.version, Data: c.announcement()}
	if c.before == nil {
		draft.Type = contract.ProductCreated
	}
	return draft
}

func productDeleted(gone *stored) outbox.Draft {
	return outbox.Draft{Topic: contract.TopicProducts, Type: contract.ProductDeleted, Aggregate: gone.id, Version: gone.version + 1, Data: gone.farewell()}
}

func categoriesWritten(nodes []node) []outbox.Draft {
	drafts := make([]outbox.Draft, 0, len(nodes))
	for _, n := range nodes {
		drafts = append(drafts, outbox.Draft{
			Topic: contract.TopicProducts, Type: contract.CategoryChanged, Aggregate: n.id, Version: n.version,
			Data: contract.CategoryChange{CategoryID: n.id, Slug: n.slug},
		})
	}
	return drafts
}

// listener hears how much there is of each SKU.
type listener struct {
	store  *store
	writer *outbox.Writer
	log    *slog.Logger
}

// apply notes bands. An event that makes no sense is logged and passed over, for it will make none later either.
func (l *listener) apply(ctx context.Context, events []contract.Event) error {
	var changes []contract.BandChange
	for _, event := range events {
		if event.Type != contract.StockBandChanged {
			continue
		}
		change, err := readBand(event)
		if err != nil {
			l.log.ErrorContext(ctx, "An event about stock makes no sense and was passed over.", "event_id", event.ID, "error", err.Error())
			continue
		}
		changes = append(changes, change)
	}
	return l.store.setBands(ctx, l.writer, changes)
}

func readBand(event contract.Event) (contract.BandChange, error) {
	var change contract.BandChange
	if err := event.Decode(&change); err != nil {
		return contract.BandChange{}, err
	}
	switch change.Band {
	case contract.BandInStock, contract.BandLow, contract.BandOut:
	default:
		return contract.BandChange{}, contract.Invalid("band", "%q is no band", change.Band)
	}
	return change, checkWord("sku", change.SKU, maxSKU)
}
