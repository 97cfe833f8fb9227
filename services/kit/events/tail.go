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

	"github.com/meridian-store/meridian/services/contract"
)

const (
	// lookEvery is how often a tail compares how far it is with how far the topics go.
	lookEvery = 500 * time.Millisecond
	// lookTimeout bounds one comparison.
	lookTimeout = time.Second
	// behindFor is how long a tail may be behind before what it feeds can not be believed.
	behindFor = time.Second
)

// Tail hands every instance of a service, by itself, the events that come to some topics from now on: for what each keeps in its own memory.
type Tail struct {
	Brokers []string
	Topics  []string
	// Handle applies an event. It can not fail: what is kept in memory can be dropped.
	Handle func(contract.Event)
	// Live is told true once nothing that comes will be missed, and false as soon as something may be: the broker does not answer, or the
	// tail is behind it. What was kept before then is worth nothing.
	Live func(bool)
	Log  *slog.Logger
}

// Run follows the topics until the context ends. An error means that it has to begin anew.
func (t *Tail) Run(ctx context.Context) error {
	defer t.Live(false)
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
	t.Live(true)

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

// watch ends with an error when the tail can not be believed any more.
func (t *Tail) watch(ctx context.Context, admin *kadm.Client, at *progress) error {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	var behindSince time.Time
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
		ends, err := t.ends(ctx, admin)
		if err != nil {
			return err
		}
		switch behind, grown := at.compare(ends); {
		case grown:
			return errors.New("the topics have more partitions now")
		case !behind:
			behindSince = time.Time{}
		case behindSince.IsZero():
			behindSince = time.Now()
		case time.Since(behindSince) > behindFor:
			return fmt.Errorf("events have waited for %s to be read", time.Since(behindSince).Round(time.Millisecond))
		}
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

type place struct {
	topic     string
	partition int32
}

// progress is how far a tail has read.
type progress struct {
	mu   sync.Mutex
	next map[place]int64
}

func (p *progress) pass(record *kgo.Record) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next[place{record.Topic, record.Partition}] = record.Offset + 1
}

// compare says whether something lies before the ends that has not been read, and whether there are partitions that are not read at all.
func (p *progress) compare(ends kadm.ListedOffsets) (behind, grown bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	ends.Each(func(end kadm.ListedOffset) {
		next, known := p.next[place{end.Topic, end.Partition}]
		grown = grown || !known
		behind = behind || next < end.Offset
	})
	return behind, grown
}
