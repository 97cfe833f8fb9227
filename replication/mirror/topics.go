package mirror

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meridian-store/meridian/contract"
)

// eventsSuffix ends the names of the topics that hold events, and of no others.
const eventsSuffix = "-events"

// Mirrored says whether the records of a topic go from region to region.
func Mirrored(topic string) bool { return strings.HasSuffix(topic, eventsSuffix) }

// Sender gives the region that sent an event to a broker: the one that wrote it, or one in place of a lost one. The others have it
// from that region's broker.
func Sender(record *kgo.Record) (string, error) {
	for _, header := range record.Headers {
		if header.Key == contract.RecordHeaderRelayRegion {
			return string(header.Value), nil
		}
	}
	var event struct {
		Origin string `json:"originregion"`
	}
	if err := json.Unmarshal(record.Value, &event); err != nil {
		return "", fmt.Errorf("a record of %s is not an event: %w", record.Topic, err)
	}
	return event.Origin, nil
}

// copied are the settings that a topic takes along to another region.
var copied = map[string]bool{"cleanup.policy": true, "retention.ms": true, "retention.bytes": true}

func settingsOf(ctx context.Context, admin *kadm.Client, topic string) (map[string]*string, error) {
	described, err := admin.DescribeTopicConfigs(ctx, topic)
	if err != nil {
		return nil, fmt.Errorf("read the settings of %s: %w", topic, err)
	}
	settings := map[string]*string{}
	for _, resource := range described {
		if resource.Err != nil {
			return nil, fmt.Errorf("read the settings of %s: %w", topic, resource.Err)
		}
		for _, setting := range resource.Configs {
			if copied[setting.Key] && setting.Value != nil {
				settings[setting.Key] = setting.Value
			}
		}
	}
	return settings, nil
}
