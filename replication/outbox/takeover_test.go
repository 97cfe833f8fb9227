package outbox_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/events"
	"github.com/meridian-store/meridian/kit/sqldb"
	"github.com/meridian-store/meridian/local/engine/enginetest"
	"github.com/meridian-store/meridian/replication/outbox"
)

func TestEventsOfALostRegionAreSentByAnother(t *testing.T) {
	t.Parallel()
	db, brokers := database(t), enginetest.Broker(t)
	if err := events.EnsureTopics(t.Context(), brokers); err != nil {
		t.Fatal(err)
	}
	takeover := outbox.NewTakeover(db, "eu-west", []string{home}, "eu-west/order/takeover", brokers, slog.New(slog.DiscardHandler))
	own := outbox.NewSource(db, home, "one")
	const written = 1200 // more than one batch
	var drafts []outbox.Draft
	for i := range written {
		drafts = append(drafts, draft(fmt.Sprintf("ord_use_%d", i%100), int64(i/100+1)))
	}
	write(t, db, drafts...)
	if !hold(t, own) {
		t.Fatal("not held")
	}
	// While the region's own relay lives, and shortly after, nobody else sends.
	for _, lapsed := range []string{"-4 seconds", "9 seconds"} {
		lapse(t, db, lapsed)
		if err := takeover.Look(t.Context()); err != nil {
			t.Fatal(err)
		}
		if left := pending(t, own, 2*written); len(left) != written {
			t.Fatalf("with a lease that ended %s ago, %d events were sent by another region", lapsed, written-len(left))
		}
	}
	lapse(t, db, "11 seconds")
	if err := takeover.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left := pending(t, own, 2*written); len(left) != 0 {
		t.Fatalf("%d events are stranded", len(left))
	}
	if hold(t, own) {
		t.Fatal("the relay that was away was not fenced off")
	}
	inOrder(t, brokers, written)
}

func lapse(t *testing.T, db *sqldb.DB, ago string) {
	t.Helper()
	if _, err := db.Exec(t.Context(), `UPDATE outbox_leases SET expires_at = now() - $1::TEXT::INTERVAL WHERE crdb_region = $2`, ago, home); err != nil {
		t.Fatal(err)
	}
}

// inOrder reads the topic and checks each event's sender and each aggregate's order.
func inOrder(t *testing.T, brokers []string, want int) {
	t.Helper()
	reader, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.ConsumeTopics(contract.TopicOrders), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	last := map[string]int64{}
	for seen := 0; seen < want; {
		fetches := reader.PollFetches(t.Context())
		if t.Context().Err() != nil {
			t.Fatal(t.Context().Err())
		}
		for _, record := range fetches.Records() {
			seen++
			var event contract.Event
			if err := json.Unmarshal(record.Value, &event); err != nil {
				t.Fatal(err)
			}
			if event.OriginRegion != home || event.AggregateVersion != last[event.Subject]+1 {
				t.Fatalf("%s of %s came as version %d after %d", event.Subject, event.OriginRegion, event.AggregateVersion, last[event.Subject])
			}
			last[event.Subject] = event.AggregateVersion
			if len(record.Headers) == 0 || record.Headers[0].Key != contract.RecordHeaderRelayRegion || string(record.Headers[0].Value) != "eu-west" {
				t.Fatalf("the record does not tell who sent it: %v", record.Headers)
			}
		}
	}
}
