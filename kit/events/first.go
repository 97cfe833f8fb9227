package events

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// beginAtEnd sets a group that never consumed to the ends of its topics, once what stands in place of all earlier events is done. The ends
// are looked at before: what comes meanwhile is consumed.
func (c *Consumer) beginAtEnd(ctx context.Context) error {
	if c.Instead == nil {
		return nil
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(c.Brokers...))
	if err != nil {
		return fmt.Errorf("make a client of the broker: %w", err)
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	committed, err := admin.FetchOffsetsForTopics(ctx, c.Group, c.Topics...)
	// A group that nobody was ever in is not known at all, or has no offsets: brokers differ.
	if err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
		return fmt.Errorf("ask how far %s is: %w", c.Group, err)
	}
	begun := false
	committed.Each(func(o kadm.OffsetResponse) { begun = begun || o.At >= 0 })
	if begun {
		return nil
	}
	ends, err := admin.ListEndOffsets(ctx, c.Topics...)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return fmt.Errorf("ask the broker how far its topics go: %w", err)
	}
	if err := c.Instead(ctx); err != nil {
		return err
	}
	if err := admin.CommitAllOffsets(ctx, c.Group, ends.Offsets()); err != nil {
		return fmt.Errorf("begin %s at the end: %w", c.Group, err)
	}
	return nil
}
