package events

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meridian-store/meridian/contract"
)

const (
	// lookEvery is how often a tail looks how far its topics go.
	lookEvery = 250 * time.Millisecond
	// lookTimeout bounds one look.
	lookTimeout = time.Second
	// trusted is how long what a tail feeds can be believed after a look at whose time it had missed nothing. It is less than the time
	// after which a purge is repeated, so that a gateway which hears nothing is silent by then.
	trusted = 1500 * time.Millisecond
)

// Tail hands every instance of a service, by itself, the events that come to some topics from now on: for what each keeps in its own memory.
type Tail struct {
	Brokers []string
	Topics  []string
	// Begin is called before the first event that is handed over, and again whenever some may have been missed: what was kept before is
	// worth nothing.
	Begin func()
	// Handle applies an event. It can not fail: what is kept in memory can be dropped.
	Handle func(contract.Event)
	// Until is told up to when what was kept since Begin may be believed; the zero time when it may not be. A tail that hears nothing, or
	// whose process was stopped, tells nothing more, and what it feeds runs out of belief by itself.
	Until func(time.Time)
	Log   *slog.Logger
}

// Run follows the topics until the context ends. An error means that it has to begin anew.
func (t *Tail) Run(ctx context.Context) error {
	defer t.Until(time.Time{})
	if err := EnsureTopics(ctx, t.Brokers); err != nil {
		return err
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(t.Brokers...), kgo.FetchMaxWait(lookEvery), kgo.ConsumeResetOffset(kgo.NewOffset().AtEnd()),
		// The marks of a mirror's transactions have offsets too: whoever does not see them is behind for ever.
		kgo.KeepControlRecords())
	if err != nil {
		return fmt.Errorf("make a client of the broker: %w", err)
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	begun := time.Now()
	ends, err := t.ends(ctx, admin)
	if err != nil {
		return err
	}
	from := make(map[string]map[int32]kgo.Offset)
	at := progress{next: make(map[place]int64)}
	ends.Each(func(end kadm.ListedOffset) {
		if from[end.Topic] == nil {
			from[end.Topic] = make(map[int32]kgo.Offset)
		}
		from[end.Topic][end.Partition] = kgo.NewOffset().At(end.Offset)
		at.next[place{end.Topic, end.Partition}] = end.Offset
	})
	client.AddConsumePartitions(from)
	t.Begin()
	t.Until(begun.Add(trusted))

	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var watching sync.WaitGroup
	defer watching.Wait()
	watching.Go(func() { cancel(t.watch(ctx, admin, &at)) })
	for {
		fetches := client.PollFetches(ctx)
		if ctx.Err() != nil {
			return stopped(ctx)
		}
		for _, record := range fetches.Records() {
			if !record.Attrs.IsControl() {
				t.handle(ctx, record)
			}
			at.pass(record)
		}
	}
}

func (t *Tail) handle(ctx context.Context, record *kgo.Record) {
	var event contract.Event
	err := json.Unmarshal(record.Value, &event)
	if err == nil {
		err = event.Validate()
	}
	if err != nil {
		t.Log.ErrorContext(ctx, "A record is not an event and was passed over.", "topic", record.Topic, "partition", record.Partition, "offset", record.Offset, "error", err.Error())
		return
	}
	t.Handle(event)
}

// stopped tells why a tail's context ended: nil when that was from outside.
func stopped(ctx context.Context) error {
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}

// watch tells how long the tail can be believed, and ends with an error when events may have been missed.
func (t *Tail) watch(ctx context.Context, admin *kadm.Client, at *progress) error {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	var before look
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
		now := look{at: time.Now()}
		var err error
		if now.ends, err = t.ends(ctx, admin); err != nil {
			return err
		}
		if at.grown(now.ends) {
			return errors.New("the topics have more partitions now")
		}
		if heard, some := at.heard(now, before); some {
			t.Until(heard.Add(trusted))
		}
		before = now
	}
}

func (t *Tail) ends(ctx context.Context, admin *kadm.Client) (kadm.ListedOffsets, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	ends, err := admin.ListEndOffsets(ctx, t.Topics...)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("ask the broker how far its topics go: %w", err)
	}
	return ends, nil
}
