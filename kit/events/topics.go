package events

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meridian-store/meridian/contract"
)

// retention bounds what a region's broker keeps of a topic that is not compacted.
const retention = 7 * 24 * time.Hour

// EnsureTopics makes the topics of contract.Topics where they are missing. Any number of services may do so at once.
func EnsureTopics(ctx context.Context, brokers []string) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...))
	if err != nil {
		return fmt.Errorf("make a client of the broker: %w", err)
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	for _, topic := range contract.Topics() {
		settings := map[string]*string{}
		if topic.Compacted {
			// The broker on one machine applies its retention to compacted topics too, unless told otherwise.
			settings["cleanup.policy"] = kadm.StringPtr("compact")
			settings["retention.ms"], settings["retention.bytes"] = kadm.StringPtr("-1"), kadm.StringPtr("-1")
		} else {
			settings["retention.ms"] = kadm.StringPtr(strconv.FormatInt(retention.Milliseconds(), 10))
		}
		_, err := admin.CreateTopic(ctx, topic.Partitions, -1, settings, topic.Name)
		if err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
			return fmt.Errorf("make the topic %s: %w", topic.Name, err)
		}
	}
	return nil
}
