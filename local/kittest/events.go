package kittest

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/events"
)

// patience is how long a test waits for what must happen; generous, because two cores run everything at once.
const patience = 30 * time.Second

// Publish puts an event in the service's broker as another service's relay would.
func (s *Service) Publish(t testing.TB, topic string, event contract.Event) {
	t.Helper()
	if err := events.EnsureTopics(t.Context(), s.Brokers); err != nil {
		t.Fatal(err)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(s.Brokers...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	value, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	record := &kgo.Record{Topic: topic, Key: []byte(event.Subject), Value: value}
	if err := client.ProduceSync(t.Context(), record).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// WaitEvent reads a topic from its start until an event matches.
func (s *Service) WaitEvent(t testing.TB, topic string, match func(contract.Event) bool) contract.Event {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(s.Brokers...), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxWait(100*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for ctx.Err() == nil {
		for _, record := range client.PollFetches(ctx).Records() {
			var event contract.Event
			if err := json.Unmarshal(record.Value, &event); err != nil {
				t.Fatalf("a record of %s is not an event: %v", topic, err)
			}
			if match(event) {
				return event
			}
		}
	}
	t.Fatalf("no matching event came to %s within %s", topic, patience)
	return contract.Event{}
}

// Eventually asks until the answer is nil, and fails the test with the last answer when patience ends.
func Eventually(t testing.TB, ask func() error) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for {
		err := ask()
		if err == nil {
			return
		}
		select {
		case <-deadline.C:
			t.Fatalf("still not so after %s: %v", patience, err)
		case <-ticker.C:
		}
	}
}
