package mirror

import (
	"context"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
)

// eventsSuffix ends the names of the topics that hold events, and of no others.
const eventsSuffix = "-events"

func isMirrored(topic string) bool { return strings.HasSuffix(topic, eventsSuffix) }

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
