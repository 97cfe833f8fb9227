package journeys_test

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/secret"
	"github.com/meridian-store/meridian/local/launcher"
	"github.com/meridian-store/meridian/services/payment/provider"
	"github.com/meridian-store/meridian/services/payment/stripe"
)

// ledger opens the provider's own books.
func (s *shop) ledger(t *testing.T) provider.Ledger {
	t.Helper()
	home, err := launcher.OpenHome(s.home)
	if err != nil {
		t.Fatal(err)
	}
	url, key, err := launcher.PaymentSandbox(home)
	if err != nil {
		t.Fatal(err)
	}
	books, err := stripe.New(stripe.Config{URL: url, SecretKey: secret.New(key), FineThousandths: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(books.Close)
	return books
}

// chargesOf gives what the provider's books hold for an order.
func chargesOf(t *testing.T, books provider.Ledger, orderID string) (charges []provider.Intent) {
	t.Helper()
	err := books.Charges(t.Context(), time.Unix(0, 0), func(i provider.Intent) error {
		if i.OrderID == orderID {
			charges = append(charges, i)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return charges
}

// budget is how long a shopper waits for the final answer; patience is what a busy machine may add to it.
const (
	budget   = 3 * time.Second
	patience = 4 * time.Second
)

// A provider that is slow, and one that charges and never answers: no shopper waits past the budget, each order is confirmed by the
// provider's webhook or by its late answer, and there is one capture and one event of it.
func TestNoShopperWaitsForASlowProvider(t *testing.T) {
	s := openShop(t)
	t.Parallel()
	books := s.ledger(t)
	for i, test := range []struct{ location, region, country, token string }{
		{"IAD", "us-east", "US", "tok_timeoutAfterCharge"}, {"DUB", "eu-west", "IE", "tok_timeoutAfterCharge"},
		{"SIN", "ap-southeast", "SG", "tok_slow"}, {"DUB", "eu-west", "IE", "tok_slow"},
	} {
		t.Run(test.token+" in "+test.region, func(t *testing.T) {
			t.Parallel()
			p := &shopper{shop: s, location: test.location}
			sku := p.browse(t, 16+i, 1)[0].SKU
			p.ask(t, http.MethodPost, "/api/v1/cart/items", map[string]any{"sku": sku, "quantity": 1}, nil).want(t, http.StatusOK)
			key, body := idempotencyKey(), checkoutBody(test.token, test.country, "")
			asked := time.Now()
			var order contract.Order
			first := p.ask(t, http.MethodPost, "/api/v1/checkout", body, &order, key)
			answered := time.Since(asked)
			if first.status != http.StatusAccepted && first.status != http.StatusCreated {
				t.Fatalf("got %d: %s", first.status, first.body)
			}
			if answered > budget+patience {
				t.Errorf("the shopper waited %s", answered)
			}
			// Seldom: the limit on checkouts counts every shopper of this machine together.
			ticker := time.NewTicker(500 * time.Millisecond)
			defer ticker.Stop()
			for last := first; last.status != http.StatusCreated; last = p.ask(t, http.MethodPost, "/api/v1/checkout", body, &order, key) {
				if time.Since(asked) > time.Minute {
					t.Fatalf("the order is answered with %d: %s", last.status, last.body)
				}
				<-ticker.C
			}
			confirmed := time.Since(asked)
			charges := chargesOf(t, books, order.ID)
			if len(charges) != 1 || charges[0].State != provider.Captured || charges[0].Amount != order.Total || charges[0].Captured != order.Total.Amount {
				t.Fatalf("the provider's books hold %+v for %s of %s", charges, order.ID, order.Total)
			}
			if events := s.succeeded(t, test.region, charges[0].SagaID); events != 1 {
				t.Errorf("there are %d events PaymentSucceeded", events)
			}
			t.Logf("%-22s %-12s answered %d in %.2f s, confirmed after %.2f s, 1 capture, 1 event", test.token, test.region, first.status, answered.Seconds(), confirmed.Seconds())
		})
	}
}

// succeeded counts the PaymentSucceeded of a saga in a region's broker, once there is one, up to what is there by then.
func (s *shop) succeeded(t *testing.T, region, sagaID string) int {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(s.engine(t, region, "broker").Address), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.ConsumeTopics(contract.TopicPayments), kgo.FetchMaxWait(100*time.Millisecond), kgo.KeepControlRecords())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	found, next := 0, map[int32]int64{}
	for ctx.Err() == nil {
		for _, record := range client.PollFetches(ctx).Records() {
			next[record.Partition] = record.Offset + 1
			if record.Attrs.IsControl() { // the end of a mirror's transaction
				continue
			}
			var event contract.Event
			if err := json.Unmarshal(record.Value, &event); err != nil {
				t.Fatal(err)
			}
			if event.Type == contract.PaymentSucceeded && mentions(event, sagaID) {
				found++
			}
		}
		ends, err := kadm.NewClient(client).ListEndOffsets(ctx, contract.TopicPayments)
		if err != nil {
			t.Fatal(err)
		}
		unread := int64(0)
		ends.Each(func(end kadm.ListedOffset) { unread += max(0, end.Offset-next[end.Partition]) })
		if found > 0 && unread == 0 {
			return found
		}
	}
	return found
}
