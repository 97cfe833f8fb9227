package relay

import (
	"context"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meridian-store/meridian/contract"
)

// Drain sends, from the broker of another region, all that a lost region's outbox holds, and says how much that was. The records
// carry the name of the region that sends them, so that mirrors take them from there to every other region, the lost one too once it is back.
// It ends when nothing is left, or when the lost region's own relay is back.
func Drain(ctx context.Context, source Source, brokers []string, region string) (sent int, err error) {
	client, err := connect(brokers)
	if err != nil {
		return 0, err
	}
	defer client.Close()
	for {
		// Renewed with each batch: this is not the hot path, and the owner may be back at any time.
		held, err := source.Hold(ctx)
		if err != nil || !held {
			return sent, err
		}
		records, err := source.Pending(ctx, batch)
		if err != nil || len(records) == 0 {
			return sent, err
		}
		if err := send(ctx, client, records, kgo.RecordHeader{Key: contract.RecordHeaderRelayRegion, Value: []byte(region)}); err != nil {
			return sent, err
		}
		if err := source.Sent(ctx, records); err != nil {
			return sent, err
		}
		sent += len(records)
	}
}
