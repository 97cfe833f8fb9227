package mirror

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// copier is a session at work.
type copier struct {
	mirror         *Mirror
	reader, writer *kgo.Client
	positions      map[partition]int64
	// following are the partitions of the source that are read.
	following map[partition]bool
	// next is what has to be copied before the copy is as recent as that look; nil until the next one.
	next *milestone
}

func (c *copier) run(ctx context.Context) error {
	var looked time.Time
	for {
		if time.Since(looked) >= followEvery {
			if err := c.follow(ctx); err != nil {
				return err
			}
			looked = time.Now()
		}
		polled, cancel := context.WithDeadline(ctx, looked.Add(followEvery))
		fetches := c.reader.PollRecords(polled, batch)
		cancel()
		if ctx.Err() != nil {
			return nil //nolint:nilerr // asked to stop
		}
		if err := c.faultOf(fetches); err != nil {
			return err
		}
		if fetches.NumRecords() > 0 {
			if err := c.copy(ctx, fetches); err != nil {
				return err
			}
		}
		c.measure(fetches)
	}
}

// faultOf gives the first error of a poll that is more than its own time-out.
func (c *copier) faultOf(fetches kgo.Fetches) error {
	for _, fault := range fetches.Errors() {
		if errors.Is(fault.Err, context.DeadlineExceeded) {
			continue
		}
		var lost *kgo.ErrDataLoss
		if errors.As(fault.Err, &lost) {
			// Retention took what was not read in time. The client goes on with the oldest that is left.
			c.mirror.metrics.missed.WithLabelValues(c.mirror.source.Region, lost.Topic).Add(float64(max(0, lost.ResetTo-lost.ConsumedTo)))
			c.mirror.log.Error("The source dropped records before they were mirrored; raise its retention above the longest outage.",
				"topic", lost.Topic, "partition", lost.Partition, "from", lost.ConsumedTo, "to", lost.ResetTo)
			continue
		}
		return fmt.Errorf("read %s of %s: %w", fault.Topic, c.mirror.source.Region, fault.Err)
	}
	return nil
}

// copy writes what the source region wrote itself, and how far it was read, in one transaction.
func (c *copier) copy(ctx context.Context, fetches kgo.Fetches) error {
	ctx, cancel := context.WithTimeout(ctx, deliveryTimeout)
	defer cancel()
	if err := c.writer.BeginTransaction(); err != nil {
		return fmt.Errorf("begin a transaction: %w", err)
	}
	var failed kgo.FirstErrPromise
	copied := map[string]int{}
	read := map[partition]position{}
	fetches.EachRecord(func(record *kgo.Record) {
		at := partition{record.Topic, record.Partition}
		now := read[at]
		now.Next, now.From = record.Offset+1, c.positions[at]
		isEvent := !record.Attrs.IsControl() && c.mirror.native(record)
		if isEvent {
			now.Copied = now.Next
		}
		read[at] = now
		if !isEvent {
			return
		}
		copied[record.Topic]++
		c.writer.Produce(ctx, &kgo.Record{
			Topic: record.Topic, Partition: record.Partition, Key: record.Key, Value: record.Value, Timestamp: record.Timestamp,
			Headers: append(slices.Clone(record.Headers), c.mirror.mirroredFrom(record.Offset)),
		}, failed.Promise())
	})
	for at, next := range read {
		value, err := json.Marshal(next)
		if err != nil {
			return fmt.Errorf("encode a position: %w", err)
		}
		c.writer.Produce(ctx, &kgo.Record{Topic: LedgerTopic(c.mirror.source.Region), Key: at.key(), Value: value}, failed.Promise())
	}
	if err := failed.Err(); err != nil {
		return fmt.Errorf("write to %s: %w", c.mirror.target.Region, err)
	}
	// Whatever else this may say, the session ends: only what a reader of the ledger finds was committed.
	if err := c.writer.EndTransaction(ctx, kgo.TryCommit); err != nil {
		return fmt.Errorf("commit to %s: %w", c.mirror.target.Region, err)
	}
	for at, next := range read {
		c.positions[at] = next.Next
	}
	for topic, n := range copied {
		c.mirror.metrics.copied.WithLabelValues(c.mirror.source.Region, topic).Add(float64(n))
	}
	return nil
}

// native says whether the source region sent the event itself. What it has from others they send themselves, so nothing goes in a
// circle. What can not be read as an event is of no use elsewhere either.
func (m *Mirror) native(record *kgo.Record) bool {
	sender, err := Sender(record)
	if err != nil {
		m.log.Error("A record is not an event and was not mirrored.", "topic", record.Topic, "partition", record.Partition, "offset", record.Offset)
	}
	return err == nil && sender == m.source.Region
}

// follow reads topics and partitions that are new in the source, after having made them in the target. A record keeps its
// partition, so that an aggregate's events stay in order.
func (c *copier) follow(ctx context.Context) error {
	source, target := kadm.NewClient(c.reader), kadm.NewClient(c.writer)
	theirs, err := mirrored(ctx, source)
	if err != nil {
		return fmt.Errorf("list the topics of %s: %w", c.mirror.source.Region, err)
	}
	c.mirror.reached.Store(true)
	ours, err := mirrored(ctx, target)
	if err != nil {
		return fmt.Errorf("list the topics of %s: %w", c.mirror.target.Region, err)
	}
	added := map[string]map[int32]kgo.Offset{}
	for topic, partitions := range theirs {
		if err := c.makeRoom(ctx, source, target, topic, partitions, ours[topic]); err != nil {
			return err
		}
		for id := range int32(partitions) {
			at := partition{topic, id}
			if c.following[at] {
				continue
			}
			if added[topic] == nil {
				added[topic] = map[int32]kgo.Offset{}
			}
			c.following[at] = true
			offset := kgo.NewOffset().AtStart()
			if next, known := c.positions[at]; known {
				offset = kgo.NewOffset().At(next)
			}
			added[topic][id] = offset
		}
	}
	if len(added) > 0 {
		c.reader.AddConsumePartitions(added)
	}
	return c.look(ctx, theirs)
}

// mirrored gives the topics that are copied, each with its number of partitions.
func mirrored(ctx context.Context, admin *kadm.Client) (map[string]int, error) {
	topics, err := admin.ListTopics(ctx)
	if err != nil {
		return nil, err
	}
	found := map[string]int{}
	for name, detail := range topics {
		if Mirrored(name) && detail.Err == nil {
			found[name] = len(detail.Partitions)
		}
	}
	return found, nil
}

// makeRoom gives the target as many partitions of a topic as the source has.
func (c *copier) makeRoom(ctx context.Context, source, target *kadm.Client, topic string, wanted, existing int) error {
	switch {
	case existing >= wanted:
		return nil
	case existing > 0:
		answers, err := target.UpdatePartitions(ctx, wanted, topic)
		if err == nil {
			err = answers.Error()
		}
		if err != nil && !errors.Is(err, kerr.InvalidPartitions) {
			return fmt.Errorf("give %s %d partitions: %w", topic, wanted, err)
		}
		return nil
	default:
		settings, err := settingsOf(ctx, source, topic)
		if err != nil {
			return err
		}
		_, err = target.CreateTopic(ctx, int32(wanted), -1, settings, topic)
		if err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
			return fmt.Errorf("make the topic %s: %w", topic, err)
		}
		return nil
	}
}
