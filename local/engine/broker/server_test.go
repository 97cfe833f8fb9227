package broker_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meridian-store/meridian/local/engine/broker"
	"github.com/meridian-store/meridian/local/engine/enginetest"
	"github.com/meridian-store/meridian/local/process"
)

func TestAcknowledgedRecordsOutliveAKilledBroker(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	address := fmt.Sprintf("127.0.0.1:%d", enginetest.Ports(t, 1))
	spec := broker.Process{
		Name:          "us-east/broker",
		Meridian:      os.Args[0],
		Address:       address,
		DataDir:       filepath.Join(dir, "data"),
		LogFile:       filepath.Join(dir, "broker.log"),
		DieWithParent: true,
	}.Spec()
	server, err := process.New(spec, process.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Stop(context.Background()) })
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}

	const topic = "order-events"
	client := connect(t, []string{address})
	createTopic(t, client, topic, 3, nil)
	produce(t, client, topic, "ord_1", "confirmed")
	reader := func() *kgo.Client {
		return connect(t, []string{address}, kgo.ConsumerGroup("mailer"), kgo.ConsumeTopics(topic), kgo.DisableAutoCommit(),
			kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	}
	first := reader()
	consume(t, first, 1)
	if err := first.CommitUncommittedOffsets(t.Context()); err != nil {
		t.Fatal(err)
	}
	first.CloseAllowingRebalance()
	produce(t, client, topic, "ord_2", "confirmed")

	if err := server.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is back", func() bool { s := server.State(); return s.Ready && s.Restarts == 1 })
	// What was committed is not seen again, and what was acknowledged is not lost.
	if diff := cmp.Diff(map[string][]string{"ord_2": {"confirmed"}}, consume(t, reader(), 1)); diff != "" {
		t.Error(diff)
	}
}

// inMemory runs a broker in this process until the test ends.
func inMemory(t *testing.T, config broker.Config) []string {
	t.Helper()
	config.Address = fmt.Sprintf("127.0.0.1:%d", enginetest.Ports(t, 1))
	started, ended := make(chan struct{}), make(chan error, 1)
	config.Started = func() { close(started) }
	ctx, cancel := context.WithCancel(context.Background())
	go func() { ended <- broker.Run(ctx, config) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	select {
	case <-started:
	case err := <-ended:
		ended <- nil
		t.Fatal(err)
	}
	return []string{config.Address}
}

func TestRetentionIsAppliedToEveryTopic(t *testing.T) {
	t.Parallel()
	seeds := inMemory(t, broker.Config{RetentionBytes: 4 << 10, CleanEvery: 10 * time.Millisecond})
	client := connect(t, seeds, kgo.ProducerBatchCompression(kgo.NoCompression()))
	createTopic(t, client, "product-events", 1, nil)
	for range 20 {
		produce(t, client, "product-events", "prd_1", strings.Repeat("x", 1<<10))
	}
	admin := kadm.NewClient(client)
	eventually(t, "the oldest records are gone and the newest are there", func() bool {
		start, err := admin.ListStartOffsets(t.Context(), "product-events")
		if err != nil {
			t.Fatal(err)
		}
		offset, ok := start.Lookup("product-events", 0)
		return ok && offset.Offset > 10 && offset.Offset < 20
	})
}

func TestAddressInUseIsAnError(t *testing.T) {
	t.Parallel()
	address := inMemory(t, broker.Config{})[0]
	err := broker.Run(t.Context(), broker.Config{Address: address})
	if err == nil || !strings.Contains(err.Error(), address) {
		t.Errorf("got %v, want an error that names the address", err)
	}
	for _, bad := range []string{"", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:kafka"} {
		if err := broker.Run(t.Context(), broker.Config{Address: bad}); err == nil {
			t.Errorf("address %q was accepted", bad)
		}
	}
}

func TestCompactedTopicKeepsTheLatestOfEachKey(t *testing.T) {
	t.Parallel()
	seeds := inMemory(t, broker.Config{CleanEvery: 10 * time.Millisecond})
	client := connect(t, seeds)
	// kfake applies the broker's retention to compacted topics too, unless they say no.
	createTopic(t, client, "cart-events", 1, map[string]*string{
		"cleanup.policy":  kadm.StringPtr("compact"),
		"retention.ms":    kadm.StringPtr("-1"),
		"retention.bytes": kadm.StringPtr("-1"),
	})
	for version := range 5 {
		produce(t, client, "cart-events", "crt_1", fmt.Sprint(version))
	}
	produce(t, client, "cart-events", "crt_2", "0") // the newest batch is left as it is
	eventually(t, "only the latest is left", func() bool {
		reader := connect(t, seeds, kgo.ConsumeTopics("cart-events"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
		defer reader.Close()
		// The first record that is left is the latest one of the first key.
		fetches := reader.PollRecords(t.Context(), 1)
		return len(fetches.Records()) == 1 && string(fetches.Records()[0].Value) == "4"
	})
}
