package inventory

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/sqldb"
	"github.com/meridian-store/meridian/local/kittest"
)

// counted makes a copy of the service whose counts are in Redis.
func (s shop) counted(t *testing.T) *Service {
	t.Helper()
	service := s.service()
	option := rueidis.ClientOption{InitAddress: []string{s.Env.RedisAddress}, Password: s.Env.RedisPassword.Current(), DisableCache: true}
	service.counts = newCounts(option, s.Env.Namespace, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- service.counts.run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	kittest.Eventually(t, func() error {
		if service.counts.client.Load() == nil {
			return errors.New("redis is not connected")
		}
		return nil
	})
	return service
}

// first is the first request of a saga.
func first(saga string, lines ...contract.SKUCount) contract.ReservationRequest {
	r := request(saga, "US", lines...)
	r.First = true
	return r
}

// shed tries until a request is refused without SQL, which takes as long as the count takes to reach Redis, or a count's life.
func shed(t *testing.T, service *Service, quantity int64) {
	t.Helper()
	kittest.Eventually(t, func() error {
		ctx, counter := sqldb.Count(t.Context())
		_, _, err := service.reserve(ctx, first(newSaga(), line("A", quantity)))
		if contract.CodeOf(err) != contract.CodeOutOfStock {
			t.Fatalf("got %v, want out of stock", err)
		}
		if counter.RoundTrips() != 0 {
			return fmt.Errorf("it took %d round trips", counter.RoundTrips())
		}
		return nil
	})
}

func TestHopelessRequestsAreRefusedWithoutSQL(t *testing.T) {
	t.Parallel()
	shop := start(t)
	shop.count(t, stock("A", iad, 2), stock("A", dub, 1))
	service := shop.counted(t)
	holder := newSaga()
	if _, _, err := service.reserve(t.Context(), first(holder, line("A", 2))); err != nil {
		t.Fatal(err)
	}
	shed(t, service, 5)
	// What can be covered is not refused, and a saga that has asked before is never refused by a hint.
	if _, _, err := service.reserve(t.Context(), first(newSaga(), line("A", 1))); err != nil {
		t.Errorf("the last unit got %v", err)
	}
	shed(t, service, 1)
	if r, created, err := service.reserve(t.Context(), request(holder, "US", line("A", 2))); err != nil || created || r.State != contract.ReservationHeld {
		t.Errorf("the holder's repeat got %+v, %v", r, err)
	}
	// A release elsewhere, of which this process hears nothing, heals within a count's life.
	if _, err := shop.service().release(t.Context(), holder); err != nil {
		t.Fatal(err)
	}
	kittest.Eventually(t, func() error {
		_, _, err := service.reserve(t.Context(), first(newSaga(), line("A", 2)))
		return err
	})
	shop.audit(t)
}

func TestAnOlderCountNeverReplacesANewerOne(t *testing.T) {
	t.Parallel()
	shop := start(t)
	service := shop.counted(t)
	client := *service.counts.client.Load()
	for _, step := range []struct{ version, units, want int64 }{{7, 3, 3}, {6, 0, 3}, {7, 2, 2}, {9, 0, 0}, {8, 5, 0}} {
		service.counts.pending["A"] = &count{version: step.version, readAt: time.Now().Add(time.Hour), regions: map[string]int64{"us-east": step.units}}
		if err := service.counts.write(t.Context(), client); err != nil {
			t.Fatal(err)
		}
		kittest.Eventually(t, func() error { // on a busy machine Redis may take longer than a shopper would be kept waiting for it
			if got := service.counts.find(t.Context(), []string{"A"})[0]; got == nil || got.total() != step.want {
				return fmt.Errorf("after version %d with %d there are %+v, want %d", step.version, step.units, got, step.want)
			}
			return nil
		})
	}
	service.counts.pending["B"] = &count{version: 1, readAt: time.Now().Add(-countLife)}
	if err := service.counts.write(t.Context(), client); err != nil {
		t.Fatal(err)
	}
	if got := service.counts.find(t.Context(), []string{"B"})[0]; got != nil {
		t.Errorf("a count that took too long was written: %+v", got)
	}
}

// Without Redis everything goes on, by SQL.
func TestWithoutRedisStockIsStillSold(t *testing.T) {
	t.Parallel()
	shop := start(t)
	shop.count(t, stock("A", iad, 1))
	shop.Stop(t)
	shop.Env.RedisAddress = "127.0.0.1:1"
	shop.Restart(t)
	if _, status := shop.reserve(t, first(newSaga(), line("A", 1))); status != http.StatusCreated {
		t.Errorf("the reserve got %d", status)
	}
	for range 3 {
		if _, status := shop.reserve(t, first(newSaga(), line("A", 1))); status != http.StatusConflict {
			t.Errorf("the hopeless reserve got %d", status)
		}
	}
	var got contract.Availability
	if response := shop.Do(t, http.MethodGet, "/api/v1/inventory/A", nil, &got); response.StatusCode != http.StatusOK || got.Stock != contract.BandOut {
		t.Errorf("availability got %d %+v", response.StatusCode, got)
	}
	if ready := shop.Do(t, http.MethodGet, "/ready", nil, nil); ready.StatusCode != http.StatusOK {
		t.Errorf("it is not ready: %d", ready.StatusCode)
	}
	shop.audit(t)
}
