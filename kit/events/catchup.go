package events

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// quietAfter is how long a reader who finds nothing more waits before it calls that the end: a broker that has compacted its newest
// records away tells an end that no reader reaches. It has to answer meanwhile, or its silence tells nothing.
const quietAfter = time.Second

// answers counts the broker's answers to a reader who asks for more.
type answers struct{ fetches atomic.Int64 }

// OnBrokerE2E is told of each request that was answered or failed.
func (a *answers) OnBrokerE2E(_ kgo.BrokerMetadata, key int16, e2e kgo.BrokerE2E) {
	if key == int16(kmsg.Fetch) && e2e.Err() == nil {
		a.fetches.Add(1)
	}
}

// CatchUp applies all that the group has not applied yet, up to the ends of its topics as they are now. It goes beside the group, which
// applies the same once more when it is there: after a crash the broker may first have to miss those who were in it.
func (c *Consumer) CatchUp(ctx context.Context) error {
	var heard answers
	client, err := kgo.NewClient(kgo.SeedBrokers(c.Brokers...), kgo.WithHooks(&heard), kgo.KeepControlRecords(), kgo.FetchMaxWait(100*time.Millisecond),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{}))
	if err != nil {
		return fmt.Errorf("make a reader for %s: %w", c.Group, err)
	}
	defer client.Close()
	left, err := c.unapplied(ctx, kadm.NewClient(client))
	if err != nil {
		return err
	}
	from := map[string]map[int32]kgo.Offset{}
	for _, part := range left {
		if from[part.topic] == nil {
			from[part.topic] = map[int32]kgo.Offset{}
		}
		from[part.topic][part.id] = kgo.NewOffset().At(part.next)
	}
	client.AddConsumePartitions(from)
	for len(left) > 0 {
		before := heard.fetches.Load()
		polled, cancel := context.WithTimeout(ctx, quietAfter)
		fetches := client.PollRecords(polled, MaxBatch)
		cancel()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		for _, failed := range fetches.Errors() {
			if !errors.Is(failed.Err, context.DeadlineExceeded) {
				return fmt.Errorf("read %s for %s: %w", failed.Topic, c.Group, failed.Err)
			}
		}
		records := fetches.Records()
		if len(records) == 0 {
			if heard.fetches.Load()-before < 2 { // one may have been on its way before
				continue
			}
			return nil
		}
		if c.applyAll(ctx, records) < len(records) {
			return ctx.Err()
		}
		for _, record := range records {
			at := partition{record.Topic, record.Partition}
			if part, waited := left[at]; waited && record.Offset+1 >= part.end {
				delete(left, at)
			}
		}
	}
	return nil
}

type partition struct {
	topic string
	id    int32
}

// stretch is what of a partition is not applied yet.
type stretch struct {
	partition
	next, end int64
}

func (c *Consumer) unapplied(ctx context.Context, admin *kadm.Client) (map[partition]stretch, error) {
	ends, err := admin.ListEndOffsets(ctx, c.Topics...)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("ask where the topics of %s end: %w", c.Group, err)
	}
	committed, err := admin.FetchOffsets(ctx, c.Group)
	if err != nil {
		return nil, fmt.Errorf("ask how far %s is: %w", c.Group, err)
	}
	left := map[partition]stretch{}
	ends.Each(func(end kadm.ListedOffset) {
		part := stretch{partition: partition{end.Topic, end.Partition}, end: end.Offset}
		if at, known := committed.Lookup(end.Topic, end.Partition); known && at.Err == nil && at.At >= 0 {
			part.next = at.At
		}
		if part.next < part.end {
			left[part.partition] = part
		}
	})
	return left, nil
}
