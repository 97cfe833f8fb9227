package kit_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/events"
	"github.com/meridian-store/meridian/local/engine/enginetest"
	"github.com/meridian-store/meridian/local/kittest"
)

// belief is what a tail told.
type belief struct {
	mu      sync.Mutex
	until   time.Time
	renewed int
}

func (b *belief) set(until time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.until = until
	b.renewed++
}

func (b *belief) get() (until time.Time, renewed int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.until, b.renewed
}

// follow runs a tail of product events, and gives what produces them.
func follow(t *testing.T, handle func(contract.Event)) (*belief, *kgo.Client) {
	t.Helper()
	brokers, told := enginetest.Broker(t), &belief{}
	tail := &events.Tail{Brokers: brokers, Topics: []string{contract.TopicProducts}, Begin: func() {}, Handle: handle, Until: told.set, Log: slog.New(slog.DiscardHandler)}
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := tail.Run(ctx); err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		stop()
		running.Wait()
	})
	awaitBelief(t, told)
	return told, client
}

func awaitBelief(t *testing.T, told *belief) {
	t.Helper()
	kittest.Eventually(t, func() error {
		if until, _ := told.get(); !until.After(time.Now()) {
			return fmt.Errorf("what it feeds is not believed")
		}
		return nil
	})
}

func productEvent(n int) *kgo.Record {
	value := fmt.Sprintf(`{"specversion":"1.0","id":"evt-%d","source":"/us-east/catalog","type":"T","subject":"one","originregion":"us-east"}`, n)
	return &kgo.Record{Topic: contract.TopicProducts, Key: []byte("one"), Value: []byte(value)}
}

// A process that was stopped, or hangs, has heard of nothing meanwhile.
func TestATailThatIsStuckIsNotBelieved(t *testing.T) {
	t.Parallel()
	reached, release := make(chan struct{}), make(chan struct{})
	told, client := follow(t, func(contract.Event) {
		close(reached)
		<-release
	})
	freed := sync.OnceFunc(func() { close(release) })
	t.Cleanup(freed)
	if err := client.ProduceSync(t.Context(), productEvent(1)).FirstErr(); err != nil {
		t.Fatal(err)
	}
	<-reached
	stuck := time.Now()
	kittest.Eventually(t, func() error {
		if until, _ := told.get(); until.After(time.Now()) {
			return fmt.Errorf("it is still believed")
		}
		return nil
	})
	if until, _ := told.get(); until.Sub(stuck) > 1500*time.Millisecond {
		t.Errorf("it is believed until %s after it was stuck", until.Sub(stuck))
	}
	freed()
	awaitBelief(t, told)
}

// Each event brings about the next one before it counts as heard, so that there is always one more than has been heard.
func TestATailIsBelievedWhileEventsNeverCease(t *testing.T) {
	t.Parallel()
	var producer atomic.Pointer[kgo.Client]
	var heard atomic.Int64
	told, client := follow(t, func(contract.Event) {
		if err := producer.Load().ProduceSync(context.Background(), productEvent(int(heard.Add(1)))).FirstErr(); err != nil && !errors.Is(err, kgo.ErrClientClosed) {
			t.Error(err)
		}
	})
	producer.Store(client)
	if err := client.ProduceSync(t.Context(), productEvent(0)).FirstErr(); err != nil {
		t.Fatal(err)
	}
	_, before := told.get()
	kittest.Eventually(t, func() error {
		if _, now := told.get(); now < before+8 || heard.Load() == 0 {
			return fmt.Errorf("its word was renewed %d times while %d events came", now-before, heard.Load())
		}
		return nil
	})
}
