package mirror_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meridian-store/meridian/local/engine/enginetest"
	"github.com/meridian-store/meridian/replication/mirror"
)

const topic = "order-events"

// two regions, each with a broker of its own.
func regions(t *testing.T) (east, west mirror.Side) {
	return mirror.Side{Region: "us-east", Brokers: enginetest.Broker(t)}, mirror.Side{Region: "eu-west", Brokers: enginetest.Broker(t)}
}

func TestRegionsThatMirrorEachOtherHaveEachEventOnce(t *testing.T) {
	t.Parallel()
	east, west := regions(t)
	for _, side := range []mirror.Side{east, west} {
		createTopic(t, side, topic, 4)
	}
	run(t, east, west)
	run(t, west, east)
	const subjects, versions = 50, 8
	for version := range int64(versions) {
		var ofEast, ofWest []*kgo.Record
		for subject := range subjects {
			ofEast = append(ofEast, eventOf(t, "us-east", topic, fmt.Sprintf("ord_use_%d", subject), version+1))
			ofWest = append(ofWest, eventOf(t, "eu-west", topic, fmt.Sprintf("ord_euw_%d", subject), version+1))
		}
		send(t, east, ofEast...)
		send(t, west, ofWest...)
	}
	// Enough is judged by one last event of each region: what went in a circle would have come before it.
	for _, side := range []mirror.Side{east, west} {
		for partition := range int32(4) {
			last := eventOf(t, side.Region, topic, fmt.Sprintf("last_%s_%d", side.Region, partition), 1)
			last.Partition = partition
			if err := connect(t, side, kgo.RecordPartitioner(kgo.ManualPartitioner())).ProduceSync(t.Context(), last).FirstErr(); err != nil {
				t.Fatal(err)
			}
		}
	}
	const want = 2*subjects*versions + 8
	for _, side := range []mirror.Side{east, west} {
		found := read(t, side, topic, func(s seen) bool { return len(s.times) >= want })
		found.check(t, want)
	}
}

func TestTopicsAndPartitionsThatAppearLaterAreFollowed(t *testing.T) {
	t.Parallel()
	east, west := regions(t)
	createTopic(t, east, topic, 1)
	run(t, east, west)
	send(t, east, eventOf(t, "us-east", topic, "ord_use_1", 1))
	read(t, west, topic, func(s seen) bool { return len(s.times) == 1 })

	if _, err := kadm.NewClient(connect(t, east)).UpdatePartitions(t.Context(), 3, topic); err != nil {
		t.Fatal(err)
	}
	late := eventOf(t, "us-east", topic, "ord_use_2", 1)
	late.Partition = 2
	if err := connect(t, east, kgo.RecordPartitioner(kgo.ManualPartitioner())).ProduceSync(t.Context(), late).FirstErr(); err != nil {
		t.Fatal(err)
	}
	read(t, west, topic, func(s seen) bool { return len(s.times) == 2 }).check(t, 2)

	createTopic(t, east, "gift-events", 2)
	send(t, east, eventOf(t, "us-east", "gift-events", "gft_use_1", 1))
	read(t, west, "gift-events", func(s seen) bool { return len(s.times) == 1 }).check(t, 1)
}

func TestOnlyEventsOfTheSourceAreCopied(t *testing.T) {
	t.Parallel()
	east, west := regions(t)
	createTopic(t, east, topic, 1)
	createTopic(t, east, "notes", 1)
	send(t, east,
		eventOf(t, "ap-southeast", topic, "ord_aps_1", 1),
		&kgo.Record{Topic: topic, Value: []byte("not an event")},
		&kgo.Record{Topic: "notes", Value: []byte("{}")},
		eventOf(t, "us-east", topic, "ord_use_1", 1))
	run(t, east, west)
	read(t, west, topic, func(s seen) bool { return s.times["us-east:ord_use_1:1"] > 0 }).check(t, 1)
	topics, err := kadm.NewClient(connect(t, west)).ListTopics(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if topics.Has("notes") {
		t.Error("a topic that holds no events was mirrored")
	}
}

func TestAMirrorThatStopsGoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	east, west := regions(t)
	createTopic(t, east, topic, 4)
	const rounds, each = 6, 4000
	for round := range rounds {
		stop := run(t, east, west)
		var records []*kgo.Record
		for i := range each {
			records = append(records, eventOf(t, "us-east", topic, fmt.Sprintf("ord_use_%d", i%40), int64(round*each+i+1)))
		}
		send(t, east, records[:each/2]...)
		read(t, west, topic, func(s seen) bool { return len(s.times) > round*each-each/2 })
		send(t, east, records[each/2:]...)
		stop() // in the middle of things; the rest waits for the next round
	}
	run(t, east, west)
	read(t, west, topic, func(s seen) bool { return len(s.times) >= rounds*each }).check(t, rounds*each)
}

func TestAMirrorThatWasFencedWritesNothingMore(t *testing.T) {
	t.Parallel()
	east, west := regions(t)
	createTopic(t, east, topic, 4)
	// Two at once, which no operator wants, each fencing the other again and again.
	run(t, east, west)
	run(t, east, west)
	const events = 2000
	var records []*kgo.Record
	for i := range events {
		records = append(records, eventOf(t, "us-east", topic, fmt.Sprintf("ord_use_%d", i%40), int64(i+1)))
	}
	send(t, east, records...)
	read(t, west, topic, func(s seen) bool { return len(s.times) >= events }).check(t, events)
}

// The client judges a record's delivery time-out by the record's own time, and events keep theirs.
func TestEventsThatAreDaysOldAreCopied(t *testing.T) {
	t.Parallel()
	east, west := regions(t)
	createTopic(t, east, topic, 4)
	const events = 5000
	var records []*kgo.Record
	for i := range events {
		record := eventOf(t, "us-east", topic, fmt.Sprintf("ord_use_%d", i%40), int64(i+1))
		record.Timestamp = time.Now().Add(-72 * time.Hour)
		records = append(records, record)
	}
	send(t, east, records...)
	run(t, east, west)
	read(t, west, topic, func(s seen) bool { return len(s.times) >= events }).check(t, events)
}
