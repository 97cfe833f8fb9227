package journeys_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meridian-store/meridian/contract"
)

// Not parallel: it cuts links that the others use.
func TestEventsReachEveryRegionOnceAlsoPastAPartition(t *testing.T) {
	s := openShop(t)
	t.Cleanup(func() { s.must(t, "link", "heal", "us-east", "eu-west") })
	places := []struct{ location, region, country string }{{"IAD", "us-east", "US"}, {"DUB", "eu-west", "IE"}, {"SIN", "ap-southeast", "SG"}}
	var orders []string
	buy := func() {
		for _, place := range places {
			orders = append(orders, s.buyOne(t, place.location, place.country))
		}
	}
	buy()
	s.must(t, "link", "cut", "us-east", "eu-west")
	buy()
	// The third region has links to both, and yet carries nothing from one to the other.
	s.awaitOrders(t, "ap-southeast", orders)
	if seen := s.confirmations(t, "eu-west", func(map[string]int) bool { return true }); seen[orders[3]] != 0 {
		t.Errorf("the order %s of us-east reached eu-west past the cut", orders[3])
	}
	s.must(t, "link", "heal", "us-east", "eu-west")
	healed := time.Now()
	for _, place := range places {
		s.awaitOrders(t, place.region, orders)
	}
	t.Logf("%d orders of three regions are in each of three brokers once, %s after the partition was healed", len(orders), time.Since(healed).Round(time.Millisecond))
}

// buyOne buys one thing and gives the order's id.
func (s *shop) buyOne(t *testing.T, location, country string) string {
	t.Helper()
	p := &shopper{shop: s, location: location}
	sku := p.browse(t, 15, 1)[0].SKU
	p.ask(t, http.MethodPost, "/api/v1/cart/items", map[string]any{"sku": sku, "quantity": 1}, nil).want(t, http.StatusOK)
	var order contract.Order
	p.ask(t, http.MethodPost, "/api/v1/checkout", checkoutBody("tok_visa", country, ""), &order, idempotencyKey()).want(t, http.StatusCreated)
	return order.ID
}

// awaitOrders waits until a region's broker has the confirmation of every order, and fails the test for one that is there twice.
func (s *shop) awaitOrders(t *testing.T, region string, orders []string) {
	t.Helper()
	seen := s.confirmations(t, region, func(seen map[string]int) bool {
		for _, id := range orders {
			if seen[id] == 0 {
				return false
			}
		}
		return true
	})
	for _, id := range orders {
		if seen[id] != 1 {
			t.Errorf("%s has the confirmation of %s %d times", region, id, seen[id])
		}
	}
}

// committed tells how far a region's broker shows the events of orders to readers of committed records, and how far it has them.
func (s *shop) committed(t *testing.T, region string) string {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(s.engine(t, region, "broker").Address))
	if err != nil {
		return err.Error()
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	shown, errShown := admin.ListCommittedOffsets(t.Context(), contract.TopicOrders)
	kept, errKept := admin.ListEndOffsets(t.Context(), contract.TopicOrders)
	if err := errors.Join(errShown, errKept); err != nil {
		return err.Error()
	}
	var all []string
	kept.Each(func(end kadm.ListedOffset) {
		stable, _ := shown.Lookup(end.Topic, end.Partition)
		all = append(all, fmt.Sprintf("partition %d is shown up to %d of %d", end.Partition, stable.Offset, end.Offset))
	})
	return strings.Join(all, ", ")
}

// confirmations counts the OrderConfirmed of each order that a reader of committed records finds, until enough says so.
func (s *shop) confirmations(t *testing.T, region string, enough func(map[string]int) bool) map[string]int {
	t.Helper()
	reader, err := kgo.NewClient(kgo.SeedBrokers(s.engine(t, region, "broker").Address), kgo.ConsumeTopics(contract.TopicOrders),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.FetchMaxWait(100*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	seen, ids := map[string]int{}, map[string]bool{}
	var problem error
	for {
		fetches := reader.PollFetches(ctx)
		if ctx.Err() != nil {
			t.Fatalf("%s has the confirmations of %d orders only, among %d events; its broker last said: %v; %s", region, len(seen), len(ids), problem, s.committed(t, region))
		}
		fetches.EachError(func(topic string, partition int32, err error) {
			problem = fmt.Errorf("%s/%d: %w", topic, partition, err)
		})
		for _, record := range fetches.Records() {
			var event contract.Event
			if err := json.Unmarshal(record.Value, &event); err != nil {
				t.Fatal(err)
			}
			if ids[event.ID] {
				t.Error(fmt.Errorf("%s has the event %s twice", region, event.ID))
			}
			ids[event.ID] = true
			if event.Type == contract.OrderConfirmed {
				seen[event.Subject]++
			}
		}
		if enough(seen) {
			return seen
		}
	}
}
