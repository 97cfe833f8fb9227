package mirror_test

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meridian-store/meridian/replication/mirror"
)

// A broker that is killed while it writes the end of a transaction may leave it committed in one partition and not in another. Each of
// these is what such a death leaves in the target.

// noteLedger writes what the ledger says of partition 0.
func noteLedger(t *testing.T, side mirror.Side, value map[string]int64) {
	t.Helper()
	encoded, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	send(t, side, &kgo.Record{Topic: mirror.LedgerTopic("us-east"), Key: []byte("position/" + topic + "/0"), Value: encoded})
}

// sendMany sends events that the source writes itself.
func sendMany(t *testing.T, side mirror.Side, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		send(t, side, eventOf(t, "us-east", topic, fmt.Sprintf("ord_use_%d", i), 1))
	}
}

func TestWhatIsCopiedAlreadyIsNotCopiedAgainWhenTheLedgerLacksIt(t *testing.T) {
	t.Parallel()
	east, west := regions(t)
	createTopic(t, east, topic, 1)
	sendMany(t, east, 0, 20)
	stop := run(t, east, west)
	read(t, west, topic, func(s seen) bool { return len(s.times) >= 20 }).check(t, 20)
	stop()
	noteLedger(t, west, map[string]int64{"next": 12, "from": 10, "copied": 12})
	sendMany(t, east, 20, 25)
	run(t, east, west)
	read(t, west, topic, func(s seen) bool { return s.times["us-east:ord_use_24:1"] > 0 }).check(t, 25)
}

// isCopiedAgain copies ten events, leaves five more without a commit in the target although the ledger has them, and wants all of them.
func isCopiedAgain(t *testing.T, east, west mirror.Side, lose func(writer *kgo.Client)) {
	t.Helper()
	createTopic(t, east, topic, 1)
	sendMany(t, east, 0, 10)
	stop := run(t, east, west)
	read(t, west, topic, func(s seen) bool { return len(s.times) >= 10 }).check(t, 10)
	stop()
	sendMany(t, east, 10, 15)
	writer := connect(t, west, kgo.TransactionalID("torn"))
	if err := writer.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	for i := 10; i < 15; i++ {
		record := eventOf(t, "us-east", topic, fmt.Sprintf("ord_use_%d", i), 1)
		record.Headers = []kgo.RecordHeader{{Key: "mirrored", Value: fmt.Appendf(nil, "us-east/%d", i)}}
		if err := writer.ProduceSync(t.Context(), record).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	lose(writer)
	noteLedger(t, west, map[string]int64{"next": 15, "from": 10, "copied": 15})
	sendMany(t, east, 15, 17)
	run(t, east, west)
	read(t, west, topic, func(s seen) bool { return s.times["us-east:ord_use_16:1"] > 0 }).check(t, 17)
}

func TestWhatWasNeverCommittedIsCopiedAlthoughTheLedgerHasIt(t *testing.T) {
	t.Parallel()
	east, west := regions(t)
	isCopiedAgain(t, east, west, func(writer *kgo.Client) {
		if err := writer.EndTransaction(t.Context(), kgo.TryAbort); err != nil {
			t.Fatal(err)
		}
	})
}

// A broker that was killed drops what was open in it without a word in the log, also where the ledger has it.
func TestWhatADeadBrokerDroppedIsCopiedAlthoughTheLedgerHasIt(t *testing.T) {
	t.Parallel()
	east, _ := regions(t)
	west, server := brokerProcess(t, "eu-west")
	isCopiedAgain(t, east, west, func(*kgo.Client) { killServer(t, server) })
}

// The ends of the target's partitions may be larger than one answer of its broker.
func TestEndsThatOneAnswerCannotHoldAreRead(t *testing.T) {
	t.Parallel()
	east, west := regions(t)
	createTopic(t, east, topic, 8)
	const events, size = 600, 5_000 // 3 MB
	var large []*kgo.Record
	for i := range events {
		record := eventOf(t, "us-east", topic, fmt.Sprintf("ord_use_%d", i), 1)
		random := make([]byte, size) // what can be compressed would fit
		_, _ = rand.Read(random)
		record.Headers = []kgo.RecordHeader{{Key: "weight", Value: random}}
		large = append(large, record)
	}
	if err := connect(t, east).ProduceSync(t.Context(), large...).FirstErr(); err != nil {
		t.Fatal(err)
	}
	stop := run(t, east, west)
	read(t, west, topic, func(s seen) bool { return len(s.times) >= events }).check(t, events)
	stop()
	sendMany(t, east, events, events+5)
	run(t, east, west)
	read(t, west, topic, func(s seen) bool { return len(s.times) >= events+5 }).check(t, events+5)
}
