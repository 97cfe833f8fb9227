package cart

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/local/kittest"
)

// rejoining starts a rejoin whose mirrors answer by turns, the last answer for ever.
func rejoining(t *testing.T, within time.Duration, catchUp func(context.Context) error, answers ...[]contract.MirrorProgress) *rejoin {
	t.Helper()
	var turn atomic.Int64
	r := &rejoin{within: within, catchUp: catchUp, log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		mirrors: func(context.Context) ([]contract.MirrorProgress, error) {
			i := int(turn.Add(1)) - 1
			if i == 0 && len(answers) > 1 {
				return nil, errors.New("the mirror is not there yet")
			}
			return answers[min(i, len(answers)-1)], nil
		}}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return r
}

func (r *rejoin) awaits(t *testing.T) {
	t.Helper()
	kittest.Eventually(t, func() error {
		_, err := r.test(t.Context(), nil)
		return err
	})
}

func TestWhatOthersSaidIsReadOnceItIsAllCopied(t *testing.T) {
	t.Parallel()
	late := []contract.MirrorProgress{{Source: "us-east", Reached: true}, {Source: "ap-southeast", Reached: true, CaughtUp: true}}
	done := []contract.MirrorProgress{{Source: "us-east", Reached: true, CaughtUp: true}, {Source: "ap-southeast", Reached: true, CaughtUp: true}}
	attempts := make(chan struct{}, 10)
	var tries atomic.Int64
	r := rejoining(t, time.Minute, func(context.Context) error {
		attempts <- struct{}{}
		if tries.Add(1) == 1 {
			return errors.New("the broker is busy")
		}
		return nil
	}, late, late, late, done)
	if _, err := r.test(t.Context(), nil); contract.CodeOf(err) != contract.CodeUnavailable {
		t.Errorf("before anything is taken in: %v", err)
	}
	r.awaits(t)
	if n := len(attempts); n != 2 {
		t.Errorf("it was read %d times", n)
	}
}

func TestARegionThatIsLostTooKeepsNobodyAway(t *testing.T) {
	t.Parallel()
	var caughtUp atomic.Bool
	r := rejoining(t, time.Minute, func(context.Context) error { caughtUp.Store(true); return nil },
		[]contract.MirrorProgress{{Source: "us-east"}, {Source: "ap-southeast", Reached: true, CaughtUp: true}})
	r.awaits(t)
	if !caughtUp.Load() {
		t.Error("what the living region said was not taken in")
	}
}

func TestCatchingUpHasItsBound(t *testing.T) {
	t.Parallel()
	r := rejoining(t, 50*time.Millisecond, func(context.Context) error { return nil }, []contract.MirrorProgress{{Source: "us-east", Reached: true}})
	r.awaits(t)
	stuck := rejoining(t, 50*time.Millisecond, func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, []contract.MirrorProgress{})
	stuck.awaits(t)
}

// Those who were in the group when the region was lost still hold its partitions: nothing comes to the service by the group.
func TestCartsAreAsRecentAsTheOthersOnceTheServiceSaysSo(t *testing.T) {
	t.Parallel()
	s := openShop(t, awake())
	copied := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"items": [{"source": "eu-west", "reached": true, "caught_up": true}]}`) // a caller that has gone is the caller's affair
	}
	s.Neighbour(t, contract.ServiceMirror, http.HandlerFunc(copied))
	s.rejoins(t)
	who, name := newClaim(geo.IDs{}, "use")
	s.Stop(t)
	for version := range int64(3) {
		s.Publish(t, contract.TopicCarts, saidBy(t, "eu-west", contract.CartState{CartID: who.id, Version: 9 + version, Currency: "USD", SecretHash: who.secretHash,
			Lines: []contract.CartEntry{{SKU: "A", Quantity: 3 + version, Version: 9 + version, Region: "euw", Added: 2}}}))
	}
	s.Restart(t)
	s.rejoins(t)
	lost := shopper{shop: s, name: name}
	wantLines(t, lost.read(t), contract.SKUCount{SKU: "A", Quantity: 5})
}

// rejoins waits until the service says that its carts are as recent as the others'.
func (s shop) rejoins(t *testing.T) {
	t.Helper()
	kittest.Eventually(t, func() error {
		if got := s.Do(t, http.MethodGet, contract.PathRejoined, nil, nil, s.Internal()); got.StatusCode != http.StatusNoContent {
			return errors.New(got.Status)
		}
		return nil
	})
}
