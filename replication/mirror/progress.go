package mirror

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meridian-store/meridian/contract"
)

// milestone is where the source ended at one look. Once all of it is copied, so is everything that had been committed by then.
type milestone struct {
	at   time.Time
	ends map[partition]int64
}

// Progress tells how far the mirror has come since its start.
func (m *Mirror) Progress() contract.MirrorProgress {
	return contract.MirrorProgress{Source: m.source.Region, Reached: m.reached.Load(), CaughtUp: m.caughtUp.Load()}
}

// look asks where the source ends. A milestone that is not reached yet stays: one that were replaced at each look would never be
// reached by a mirror that is late by more than the time between two.
func (c *copier) look(ctx context.Context, topics map[string]int) error {
	names := make([]string, 0, len(topics))
	for topic := range topics {
		names = append(names, topic)
	}
	asked := time.Now()
	ends, starts, err := extent(ctx, kadm.NewClient(c.reader), names)
	if err != nil {
		return fmt.Errorf("ask how far %s is: %w", c.mirror.source.Region, err)
	}
	for at, end := range ends {
		// What the source has dropped is not waited for.
		if c.positions[at] < end && starts[at] >= end {
			delete(ends, at)
			end = c.positions[at]
		}
		c.tell(at, end)
	}
	if c.next == nil {
		c.next = &milestone{at: asked, ends: ends}
	}
	c.passMilestone()
	return nil
}

// extent gives where the committed records of topics begin and end.
func extent(ctx context.Context, source *kadm.Client, topics []string) (ends, starts map[partition]int64, err error) {
	ends, starts = map[partition]int64{}, map[partition]int64{}
	if len(topics) == 0 {
		return ends, starts, nil // no name would mean all of them
	}
	for into, ask := range map[*map[partition]int64]func(context.Context, ...string) (kadm.ListedOffsets, error){
		&ends: source.ListCommittedOffsets, &starts: source.ListStartOffsets,
	} {
		listed, err := ask(ctx, topics...)
		if err == nil {
			err = listed.Error()
		}
		if err != nil {
			return nil, nil, err
		}
		listed.Each(func(o kadm.ListedOffset) { (*into)[partition{o.Topic, o.Partition}] = o.Offset })
	}
	return ends, starts, nil
}

// passMilestone tells how recent the copy is, once it holds all that the source had at a look.
func (c *copier) passMilestone() {
	if c.next == nil {
		return
	}
	for at, end := range c.next.ends {
		if c.positions[at] < end {
			return
		}
	}
	c.mirror.caughtUp.Store(true)
	c.mirror.metrics.copiedUpTo.WithLabelValues(c.mirror.source.Region).Set(float64(c.next.at.UnixMilli()) / 1000)
	c.next = nil
}

// measure tells how far behind the source the partitions are that were read just now.
func (c *copier) measure(fetches kgo.Fetches) {
	fetches.EachPartition(func(p kgo.FetchTopicPartition) {
		if len(p.Records) > 0 {
			c.tell(partition{p.Topic, p.Partition}, p.LastStableOffset)
		}
	})
	c.passMilestone()
}

func (c *copier) tell(at partition, end int64) {
	behind := max(0, end-c.positions[at])
	c.mirror.metrics.behind.WithLabelValues(c.mirror.source.Region, at.topic, strconv.Itoa(int(at.id))).Set(float64(behind))
}
