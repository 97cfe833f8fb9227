package cart

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/replication/relay"
)

// eventMaker turns entries of the outbox, which are carts as a change left them, into CartChanged and CartCleared.
type eventMaker struct{ service, region string }

// fromEntry makes the event of an entry: the same event each time, for it has its id and its time from the change.
func (m eventMaker) fromEntry(fields map[string]string) (relay.Record, error) {
	c, err := decodeCart(fields["cart"], fields)
	if err != nil {
		return relay.Record{}, err
	}
	at, err := decodeCount(fields["time"])
	if err != nil {
		return relay.Record{}, fmt.Errorf("its time: %w", err)
	}
	data, err := json.Marshal(c.state())
	if err != nil {
		return relay.Record{}, fmt.Errorf("encode the state of cart %s: %w", c.id, err)
	}
	event := contract.Event{
		SpecVersion: "1.0", ID: fields["event"], Source: "/" + m.region + "/" + m.service, Type: fields["type"], Subject: c.id,
		Time: time.UnixMilli(at).UTC(), DataContentType: "application/json", OriginRegion: m.region, AggregateVersion: c.version,
		TraceParent: fields["trace"], Data: data,
	}
	if err := event.Validate(); err != nil {
		return relay.Record{}, err
	}
	return relay.Record{Topic: contract.TopicCarts, Event: event}, nil
}

// heardEvents applies what happens to orders, and to carts in other regions.
type heardEvents struct {
	orders orderEvents
	region string
}

// apply handles some events: those of orders in turn, and of each cart all at once, so that a cart that changes often costs little.
func (h heardEvents) apply(ctx context.Context, events []contract.Event) error {
	heard := map[string]contract.CartState{}
	for _, event := range events {
		switch event.Type {
		case contract.CartChanged, contract.CartCleared, contract.CartAbandoned:
			if event.OriginRegion == h.region {
				continue // it is what our own Redis has
			}
			var state contract.CartState
			err := event.Decode(&state)
			if err == nil {
				err = validateState(state)
			}
			if err != nil {
				h.orders.log.ErrorContext(ctx, "What another region says of a cart cannot be read and was passed over.", "event_id", event.ID, "error", err.Error())
				continue
			}
			heard[state.CartID] = mergeStates(heard[state.CartID], state)
		default:
			if err := h.orders.apply(ctx, event); err != nil {
				return err
			}
		}
	}
	return h.orders.vault.hear(ctx, heard)
}

// orderEvents applies what happens to orders.
type orderEvents struct {
	vault *vault
	log   *slog.Logger
}

// apply takes out of a cart what a confirmed order bought.
func (o orderEvents) apply(ctx context.Context, event contract.Event) error {
	if event.Type != contract.OrderConfirmed {
		return nil
	}
	var order contract.OrderChange
	err := event.Decode(&order)
	if err == nil {
		err = validateOrder(order)
	}
	if err != nil {
		// It will never be readable, and the orders behind it must not wait for that.
		o.log.ErrorContext(ctx, "A confirmed order cannot be taken out of its cart and was passed over.", "event_id", event.ID, "error", err.Error())
		return nil
	}
	return o.vault.confirm(ctx, order)
}

func validateOrder(order contract.OrderChange) error {
	switch {
	case order.OrderID == "":
		return contract.Invalid("order_id", "is required")
	case order.CartID == "":
		return contract.Invalid("cart_id", "is required")
	case order.CartVersion < 0:
		return contract.Invalid("cart_version", "is negative")
	case len(order.Lines) > contract.MaxCartLines:
		return contract.Invalid("lines", "has more than a cart's %d", contract.MaxCartLines)
	}
	for _, l := range order.Lines {
		if l.Quantity < 0 {
			return contract.Invalid("lines", "has a negative quantity of %q", l.SKU)
		}
	}
	return nil
}
