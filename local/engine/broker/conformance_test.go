package broker_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meridian-store/meridian/local/engine/enginetest"
)

// What Meridian relies on in a broker (MERIDIAN_TEST_KAFKA runs it on another one).

func TestConformsOrderPerKeyAndGroupResume(t *testing.T) {
	t.Parallel()
	seeds := enginetest.Broker(t)
	topic, group := enginetest.Prefix(), enginetest.Prefix()
	client := connect(t, seeds)
	createTopic(t, client, topic, 3, nil)
	want := make(map[string][]string)
	send := func(version int) {
		for _, key := range []string{"a", "b", "c", "d"} {
			produce(t, client, topic, key, fmt.Sprint(version))
		}
	}
	reader := func() *kgo.Client {
		return connect(t, seeds, kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.DisableAutoCommit(),
			kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	}
	for version := range 3 {
		send(version)
		for _, key := range []string{"a", "b", "c", "d"} {
			want[key] = append(want[key], fmt.Sprint(version))
		}
	}
	first := reader()
	if diff := cmp.Diff(want, consume(t, first, 12)); diff != "" {
		t.Error(diff)
	}
	if err := first.CommitUncommittedOffsets(t.Context()); err != nil {
		t.Fatal(err)
	}
	first.CloseAllowingRebalance()

	send(3)
	if diff := cmp.Diff(map[string][]string{"a": {"3"}, "b": {"3"}, "c": {"3"}, "d": {"3"}}, consume(t, reader(), 4)); diff != "" {
		t.Errorf("the group's next reader: %s", diff)
	}
}

func TestConformsTopicsAreNotMadeByNamingThem(t *testing.T) {
	t.Parallel()
	client := connect(t, enginetest.Broker(t), kgo.UnknownTopicRetries(0))
	err := client.ProduceSync(t.Context(), &kgo.Record{Topic: enginetest.Prefix(), Value: []byte("lost")}).FirstErr()
	if !errors.Is(err, kerr.UnknownTopicOrPartition) {
		t.Errorf("got %v, want unknown topic", err)
	}
}

func TestConformsAbortedTransactionIsNotRead(t *testing.T) {
	t.Parallel()
	seeds := enginetest.Broker(t)
	topic := enginetest.Prefix()
	writer := connect(t, seeds, kgo.TransactionalID(enginetest.Prefix()))
	createTopic(t, writer, topic, 1, nil)
	for _, attempt := range []struct {
		value string
		end   kgo.TransactionEndTry
	}{{"aborted", kgo.TryAbort}, {"committed", kgo.TryCommit}} {
		if err := writer.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		produce(t, writer, topic, "key", attempt.value)
		if err := writer.EndTransaction(t.Context(), attempt.end); err != nil {
			t.Fatal(err)
		}
	}
	reader := connect(t, seeds, kgo.ConsumeTopics(topic), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if diff := cmp.Diff(map[string][]string{"key": {"committed"}}, consume(t, reader, 1)); diff != "" {
		t.Error(diff)
	}
}

func TestConformsEarlierProducerOfAnIDIsFenced(t *testing.T) {
	t.Parallel()
	seeds := enginetest.Broker(t)
	topic, id := enginetest.Prefix(), enginetest.Prefix()
	old := connect(t, seeds, kgo.TransactionalID(id))
	createTopic(t, old, topic, 1, nil)
	if err := old.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	produce(t, old, topic, "key", "old")

	heir := connect(t, seeds, kgo.TransactionalID(id))
	if err := heir.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	produce(t, heir, topic, "key", "new")
	if err := heir.EndTransaction(t.Context(), kgo.TryCommit); err != nil {
		t.Fatal(err)
	}
	if err := old.EndTransaction(t.Context(), kgo.TryCommit); err == nil {
		t.Error("the earlier producer could still commit")
	}
}
