package drill

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/replication/mirror"
)

// entry is one event as it lies in a region's broker.
type entry struct {
	id string
	// sender is the region whose relay sent it; the others have it from that region's broker.
	sender string
	// lane is the topic, partition and key, within which order is promised.
	lane string
	// compacted says that the topic keeps the newest of each key only.
	compacted bool
	// counted says that it was surely sent after the drill began to look at every region.
	counted bool
}

// eventLog reads what was added to a region's broker since a drill began.
type eventLog struct {
	region, address string
	// began is where reading begins, in each partition, and counted where it had got when every other region's was known too: what a
	// region sent in between another may have had before its own begin.
	began, counted map[string]map[int32]int64
}

// places gives where the events of a region's broker end now, by topic and partition.
func (l *eventLog) places(ctx context.Context) (map[string]map[int32]int64, error) {
	ends, err := l.ends(ctx)
	if err != nil {
		return nil, err
	}
	places := map[string]map[int32]int64{}
	ends.Each(func(end kadm.ListedOffset) {
		if places[end.Topic] == nil {
			places[end.Topic] = map[int32]int64{}
		}
		places[end.Topic][end.Partition] = end.Offset
	})
	return places, nil
}

// ends gives the end of what is committed in each partition that holds events.
func (l *eventLog) ends(ctx context.Context) (kadm.ListedOffsets, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(l.address))
	if err != nil {
		return nil, fmt.Errorf("make a client of the broker of %s: %w", l.region, err)
	}
	defer client.Close()
	ends, err := kadm.NewClient(client).ListCommittedOffsets(ctx)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("ask the broker of %s how far its topics go: %w", l.region, err)
	}
	for topic := range ends {
		if !mirror.Mirrored(topic) {
			delete(ends, topic)
		}
	}
	return ends, nil
}

// read gives all events from the drill's begin to now, each partition's in order.
func (l *eventLog) read(ctx context.Context) ([]entry, error) {
	left, err := l.places(ctx)
	if err != nil {
		return nil, err
	}
	from := map[string]map[int32]kgo.Offset{}
	for topic, partitions := range left {
		from[topic] = map[int32]kgo.Offset{}
		for id, end := range partitions {
			// One that is newer than the drill is read from its start, 0.
			if begin := l.began[topic][id]; begin < end {
				from[topic][id] = kgo.NewOffset().At(begin)
			} else {
				delete(partitions, id)
			}
		}
		if len(partitions) == 0 {
			delete(left, topic)
			delete(from, topic)
		}
	}
	if len(from) == 0 {
		return nil, nil
	}
	// A partition may end with the mark of a transaction, without which its end would never be reached.
	reader, err := kgo.NewClient(kgo.SeedBrokers(l.address), kgo.ConsumePartitions(from), kgo.KeepControlRecords(),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.FetchMaxWait(100*time.Millisecond))
	if err != nil {
		return nil, fmt.Errorf("make a reader of the broker of %s: %w", l.region, err)
	}
	defer reader.Close()
	var entries []entry
	for len(left) > 0 {
		fetches := reader.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return nil, fmt.Errorf("read the events of %s: %w", l.region, err)
		}
		for _, record := range fetches.Records() {
			if end, open := left[record.Topic][record.Partition]; open && record.Offset+1 >= end {
				delete(left[record.Topic], record.Partition)
				if len(left[record.Topic]) == 0 {
					delete(left, record.Topic)
				}
			}
			if record.Attrs.IsControl() {
				continue
			}
			read, err := entryOf(record)
			if err != nil {
				return nil, err
			}
			read.counted = record.Offset >= l.counted[record.Topic][record.Partition]
			entries = append(entries, read)
		}
	}
	return entries, nil
}

func entryOf(record *kgo.Record) (entry, error) {
	var event struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(record.Value, &event); err != nil {
		return entry{}, fmt.Errorf("read an event of %s: %w", record.Topic, err)
	}
	sender, err := mirror.Sender(record)
	if err != nil {
		return entry{}, err
	}
	e := entry{id: event.ID, sender: sender, lane: fmt.Sprintf("%s/%d/%s", record.Topic, record.Partition, record.Key)}
	e.compacted = slices.ContainsFunc(contract.Topics(), func(t contract.Topic) bool { return t.Name == record.Topic && t.Compacted })
	return e, nil
}
