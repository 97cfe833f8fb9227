package contract

// EventType describes one type of event.
type EventType struct {
	// Name is the event's type attribute; Topic carries it.
	Name, Topic string
	// Data is a zero value of the event's data.
	Data any
}

// EventTypes lists every type of event.
func EventTypes() []EventType {
	var all []EventType
	add := func(topic string, data any, names ...string) {
		for _, name := range names {
			all = append(all, EventType{Name: name, Topic: topic, Data: data})
		}
	}
	add(TopicProducts, ProductChange{}, ProductCreated, ProductUpdated, ProductDeleted, ProductStockChanged)
	add(TopicProducts, CategoryChange{}, CategoryChanged)
	add(TopicProducts, PriceListChange{}, PriceListChanged)
	add(TopicOrders, OrderChange{}, OrderConfirmed, OrderFailed, OrderCancelled, OrderFulfilled)
	add(TopicOrders, OrderChange{}, OrderReturned, OrderRefunded)
	add(TopicPayments, PaymentChange{}, PaymentSucceeded, PaymentFailed, PaymentVoided)
	add(TopicPayments, PaymentChange{}, PaymentRefunded, PaymentRefundFailed)
	add(TopicInventory, ReservationChange{}, InventoryReserved, InventoryReleased, InventorySold, InventoryReturned)
	add(TopicInventory, BandChange{}, StockBandChanged)
	add(TopicCarts, CartState{}, CartChanged, CartCleared, CartAbandoned)
	return all
}
