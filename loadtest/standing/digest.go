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
	digestLook  = time.Second
	digestLimit = 2 * time.Minute
)

// digest waits until every service of every region has applied the events of the catalog that a new copy was filled with: indexing, mirroring
// and purging it takes both cores for a while, and empties caches. It has when at two looks, a second apart, nobody is behind; what
// relays and mirrors have under way at the first is there at the second.
func (s *Shop) digest(ctx context.Context, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, digestLimit)
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
	ticker := time.NewTicker(digestLook)
	defer ticker.Stop()
	for {
		behind, err := behind(ctx, brokers)
		if err != nil {
			return err
		}
		if quiet++; behind > 0 {
			quiet = 0
		}
		if quiet == 2 {
			fmt.Fprintf(out, "The catalog is indexed and mirrored everywhere (%.1f s)\n", time.Since(begun).Seconds())
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the new shop is still %d events behind what it was filled with: %w", behind, context.Cause(ctx))
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

// behind counts the events that have been written and that a group has not applied. The last place of a partition is left out: where mirrors
// write it is the end of a transaction, which is no event and which no group ever passes.
func behind(ctx context.Context, brokers []*kadm.Client) (events int64, err error) {
	for _, broker := range brokers {
		lags, err := broker.Lag(ctx)
		if err == nil {
			err = lags.Error()
		}
		if err != nil {
			return 0, fmt.Errorf("ask a broker how far its consumers are: %w", err)
		}
		for _, group := range lags {
			for _, partition := range group.Lag.Sorted() {
				events += max(partition.Lag-1, 0)
			}
		}
	}
	return events, nil
}
