package journeys_test

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meridian-store/meridian/contract"
)

// handled says whether the order service has put a record behind it.
func handled(ctx context.Context, client *kgo.Client, record *kgo.Record) error {
	offsets, err := kadm.NewClient(client).FetchOffsets(ctx, contract.ServiceOrder)
	if err != nil {
		return err
	}
	at, ok := offsets.Lookup(record.Topic, record.Partition)
	if !ok || at.At <= record.Offset {
		return fmt.Errorf("record %d of %s is not handled yet", record.Offset, record.Topic)
	}
	return nil
}
