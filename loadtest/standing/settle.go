package standing

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meridian-store/meridian/regions"
)

const (
	settlePoll  = time.Second
	settleLimit = 2 * time.Minute
)

// settle waits until every consumer group of every region has applied the events of the catalog that a new copy was seeded with:
// indexing, mirroring and purging it takes both cores for a while and empties caches. The shop is settled when two polls, a second
// apart, find no lag; events that relays and mirrors have in flight at the first poll are counted by the second.
func (s *Shop) settle(ctx context.Context, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, settleLimit)
	defer cancel()
	brokers, err := s.brokers()
	defer func() {
		for _, broker := range brokers {
			broker.Close()
		}
	}()
	if err != nil {
		return err
	}
	begun, quiet := time.Now(), 0
	ticker := time.NewTicker(settlePoll)
	defer ticker.Stop()
	for {
		records, err := lag(ctx, brokers)
		if err != nil {
			return err
		}
		if quiet++; records > 0 {
			quiet = 0
		}
		if quiet == 2 {
			fmt.Fprintf(out, "The catalog is indexed and mirrored everywhere (%.1f s)\n", time.Since(begun).Seconds())
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("consumer lag of the new shop is still %d records: %w", records, context.Cause(ctx))
		case <-ticker.C:
		}
	}
}

// brokers connects to that of each region.
func (s *Shop) brokers() (all []*kadm.Client, err error) {
	shipped, err := regions.Shipped()
	if err != nil {
		return nil, err
	}
	for _, region := range s.State.Layout(s.Home, shipped).Regions {
		broker, found := region.Engine("broker")
		if !found {
			return all, fmt.Errorf("%s has no broker", region.Name)
		}
		client, err := kgo.NewClient(kgo.SeedBrokers(broker.Address))
		if err != nil {
			return all, fmt.Errorf("connect to the broker of %s: %w", region.Name, err)
		}
		all = append(all, kadm.NewClient(client))
	}
	return all, nil
}

// lag counts the records that consumer groups have not committed, over all brokers.
func lag(ctx context.Context, brokers []*kadm.Client) (records int64, err error) {
	for _, broker := range brokers {
		lags, err := broker.Lag(ctx)
		if err == nil {
			err = lags.Error()
		}
		if err != nil {
			return 0, fmt.Errorf("read consumer lag: %w", err)
		}
		for _, group := range lags {
			records += group.Lag.Total()
		}
	}
	return records, nil
}
