package inventory

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
)

func orderEvent(t *testing.T, eventType, saga string) contract.Event {
	t.Helper()
	order := geo.NewID("ord", "use")
	data, err := json.Marshal(contract.OrderChange{OrderID: order, SagaID: saga})
	if err != nil {
		t.Fatal(err)
	}
	return contract.Event{
		SpecVersion: "1.0", ID: geo.NewID("evt", "use"), Source: "/us-east/order", Type: eventType, Subject: order,
		Time: time.Now(), OriginRegion: "us-east", AggregateVersion: 1, Data: data,
	}
}

func TestOrderEventsSettleReservations(t *testing.T) {
	t.Parallel()
	shop := start(t)
	shop.count(t, stock("A", iad, 9))
	sold, released := newSaga(), newSaga()
	shop.reserve(t, request(sold, "US", line("A", 2)))
	shop.reserve(t, request(released, "US", line("A", 3)))

	// What does not fit is passed over and holds nothing up: an unknown saga, a broken one, a sale of what was released.
	gone := newSaga()
	shop.act(t, gone, "release")
	shop.Publish(t, contract.TopicOrders, orderEvent(t, contract.OrderConfirmed, newSaga()))
	shop.Publish(t, contract.TopicOrders, orderEvent(t, contract.OrderConfirmed, "nonsense"))
	shop.Publish(t, contract.TopicOrders, orderEvent(t, contract.OrderConfirmed, gone))
	broken := orderEvent(t, contract.OrderFailed, sold)
	broken.Data = json.RawMessage(`[]`)
	shop.Publish(t, contract.TopicOrders, broken)

	confirmed, failed := orderEvent(t, contract.OrderConfirmed, sold), orderEvent(t, contract.OrderFailed, released)
	for range 2 { // each comes twice, as a broker may deliver it
		shop.Publish(t, contract.TopicOrders, confirmed)
		shop.Publish(t, contract.TopicOrders, failed)
	}
	shop.eventually(t, sold, contract.ReservationSold)
	shop.eventually(t, released, contract.ReservationReleased)

	// A failed order's saga that never reserved leaves a tombstone, so the events before it have been seen too.
	late := newSaga()
	last := orderEvent(t, contract.OrderFailed, late)
	last.Subject = confirmed.Subject
	shop.Publish(t, contract.TopicOrders, last)
	shop.eventually(t, late, contract.ReservationReleased)
	if levels := shop.levels(t, "A"); levels[iad] != [2]int64{7, 0} {
		t.Errorf("the stock is %v", levels)
	}
	shop.audit(t)
}
