package doctor

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meridian-store/meridian/contract"
)

// broker looks at a region's broker: its topics, and how far each consumer group is behind.
func broker(s Subject, region, address string) examination {
	part := region + "/broker"
	return examination{part: part, remedy: "read " + s.log(region, "broker"), ask: func(ctx context.Context, n *notes) error {
		return askBroker(ctx, n, part, address, func(group string) string { return s.log(region, group) })
	}}
}

// askBroker asks a broker; logOf gives the log of the service that a consumer group is called after.
func askBroker(ctx context.Context, n *notes, part, address string, logOf func(group string) string) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(address), kgo.RequestRetries(1), kgo.DialTimeout(dialTimeout))
	if err != nil {
		return fmt.Errorf("make a client: %w", err)
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	if err := topics(ctx, n, part, admin); err != nil {
		return err
	}
	lags, err := admin.Lag(ctx)
	if err != nil {
		return fmt.Errorf("ask for the consumers' lag: %w", err)
	}
	for _, group := range lags.Sorted() {
		if err := group.Error(); err != nil {
			return fmt.Errorf("ask for the lag of %s: %w", group.Group, err)
		}
		judgeGroup(n, part, logOf(group.Group), group)
	}
	return nil
}

// topics counts partitions, records and bytes, and misses what should be there.
func topics(ctx context.Context, n *notes, part string, admin *kadm.Client) error {
	listed, err := admin.ListTopics(ctx)
	if err != nil {
		return fmt.Errorf("list the topics: %w", err)
	}
	starts, err := admin.ListStartOffsets(ctx, listed.Names()...)
	if err != nil {
		return fmt.Errorf("ask where the topics begin: %w", err)
	}
	ends, err := admin.ListEndOffsets(ctx, listed.Names()...)
	if err != nil {
		return fmt.Errorf("ask where the topics end: %w", err)
	}
	sizes, err := sizesOf(ctx, admin)
	if err != nil {
		return err
	}
	for _, topic := range listed.Sorted() {
		var kept int64
		for partition := range topic.Partitions {
			start, okStart := starts.Lookup(topic.Topic, partition)
			end, okEnd := ends.Lookup(topic.Topic, partition)
			if okStart && okEnd {
				kept += end.Offset - start.Offset
			}
		}
		n.fact(part, "topic "+topic.Topic+" partitions", float64(len(topic.Partitions)), "partitions")
		n.fact(part, "topic "+topic.Topic+" records", float64(kept), "records")
		n.fact(part, "topic "+topic.Topic+" size", float64(sizes[topic.Topic]), "bytes")
	}
	for _, wanted := range contract.Topics() {
		if !listed.Has(wanted.Name) {
			problem := "the topic " + wanted.Name + " " + ProblemTopicMissing
			n.find(Finding{part, problem, fmt.Sprintf("the broker lists %v", listed.Names()),
				"restart the region's services: they make their topics"})
		}
	}
	return nil
}

func sizesOf(ctx context.Context, admin *kadm.Client) (map[string]int64, error) {
	dirs, err := admin.DescribeAllLogDirs(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("ask for the topics' sizes: %w", err)
	}
	sizes := map[string]int64{}
	dirs.Each(func(dir kadm.DescribedLogDir) {
		for topic, partitions := range dir.Topics {
			for _, partition := range partitions {
				sizes[topic] += partition.Size
			}
		}
	})
	return sizes, nil
}

func judgeGroup(n *notes, part, log string, group kadm.DescribedGroupLag) {
	n.fact(part, "group "+group.Group+" members", float64(len(group.Members)), "consumers")
	for _, topic := range group.Lag.TotalByTopic().Sorted() {
		n.fact(part, "group "+group.Group+" lag on "+topic.Topic, float64(topic.Lag), "records")
		evidence := fmt.Sprintf("%d records of %s wait for the group %s (%s, %d members)", topic.Lag, topic.Topic, group.Group, group.State, len(group.Members))
		switch {
		case topic.Lag > 0 && len(group.Members) == 0:
			n.find(Finding{part, ProblemNoConsumer + " " + group.Group + " waits for", evidence, "read " + log})
		case topic.Lag > longLag:
			n.find(Finding{part, group.Group + " " + ProblemGroupLate, evidence,
				"look again in a moment; if it grows, read " + log})
		}
	}
}
