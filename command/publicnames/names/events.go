package names

import (
	"context"
	"reflect"

	"github.com/meridian-store/meridian/command/publicnames/fields"
	"github.com/meridian-store/meridian/contract"
)

// events lists topics, types of events and the fields of both the envelope and the data.
func events(_ context.Context, to *list) error {
	for _, topic := range contract.Topics() {
		to.add("topic", topic.Name)
	}
	for _, field := range fields.Paths(reflect.TypeFor[contract.Event](), "json") {
		to.add("event-attribute", field)
	}
	to.add("event-content-type", contract.EventContentType)
	to.add("record-header", contract.RecordHeaderRelayRegion)
	for _, event := range contract.EventTypes() {
		to.add("event-type", event.Name, event.Topic)
		for _, field := range fields.Paths(reflect.TypeOf(event.Data), "json") {
			to.add("event-field", event.Name+"."+field)
		}
	}
	return nil
}
