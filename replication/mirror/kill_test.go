package mirror_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meridian-store/meridian/local/engine/broker"
	"github.com/meridian-store/meridian/local/engine/enginetest"
	"github.com/meridian-store/meridian/local/process"
	"github.com/meridian-store/meridian/replication/mirror"
)

// The promise: whatever dies, each event is in the other region once. Each death waits until the mirror has written something
// since the one before, so that none of them hits a mirror that has not begun.
func TestAMirrorKilledTenTimesLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	east, west := regions(t)
	createTopic(t, east, topic, 4)
	const events, kills = 100_000, 10
	killWhileCopying(t, east, west, events, kills, func(child *exec.Cmd, _ int) *exec.Cmd {
		kill(t, child)
		return startChild(t, east, west)
	})
}

// Both brokers die too, in turns with the mirror.
func TestBrokersThatAreKilledLoseAndDoubleNothing(t *testing.T) {
	t.Parallel()
	east, eastServer := brokerProcess(t, "us-east")
	west, westServer := brokerProcess(t, "eu-west")
	createTopic(t, east, topic, 4)
	const events, deaths = 30_000, 9
	killWhileCopying(t, east, west, events, deaths, func(child *exec.Cmd, n int) *exec.Cmd {
		switch n % 3 {
		case 0:
			killServer(t, westServer)
		case 1:
			killServer(t, eastServer)
		default:
			kill(t, child)
			return startChild(t, east, west)
		}
		return child
	})
}

// killWhileCopying sends events in as many parts as there are deaths, and lets one happen in the middle of copying each.
func killWhileCopying(t *testing.T, east, west mirror.Side, events, deaths int, die func(child *exec.Cmd, n int) *exec.Cmd) {
	t.Helper()
	child := startChild(t, east, west)
	defer func() { kill(t, child) }()
	progress := watch(t, west)
	started := time.Now()
	sent := 0
	for n := range deaths {
		upTo := events * (n + 1) / deaths
		sendNumbered(t, east, sent, upTo)
		progress.wait(t, sent+1)
		child = die(child, n)
		sent = upTo
	}
	found := read(t, west, topic, func(s seen) bool { return len(s.times) >= events })
	took := time.Since(started)
	found.check(t, events)
	t.Logf("%d events past %d deaths in %s: %.0f a second, 0 lost, 0 doubled", events, deaths, took.Round(time.Millisecond), float64(events)/took.Seconds())
}

// sendNumbered sends each event once; a broker is never dead while it is sent to.
func sendNumbered(t *testing.T, side mirror.Side, from, upTo int) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(side.Brokers...), kgo.RequiredAcks(kgo.AllISRAcks()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	records := make([]*kgo.Record, 0, upTo-from)
	for i := from; i < upTo; i++ {
		records = append(records, eventOf(t, side.Region, topic, fmt.Sprintf("ord_use_%d", i%1000), int64(i+1)))
	}
	if err := client.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// progress counts the committed records of a region as they come.
type progress struct{ counts chan int }

func watch(t *testing.T, side mirror.Side) progress {
	t.Helper()
	client := connect(t, side, kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.FetchMaxWait(50*time.Millisecond), kgo.MetadataMinAge(100*time.Millisecond), kgo.MetadataMaxAge(time.Second))
	ctx, cancel := context.WithCancel(context.Background())
	p := progress{counts: make(chan int)}
	ended := make(chan struct{})
	t.Cleanup(func() { cancel(); <-ended })
	go func() {
		defer close(ended)
		total := 0
		for ctx.Err() == nil {
			total += client.PollFetches(ctx).NumRecords()
			select {
			case p.counts <- total:
			default:
			}
		}
	}()
	return p
}

// wait returns once at least so many records have come.
func (p progress) wait(t *testing.T, atLeast int) {
	t.Helper()
	deadline := time.NewTimer(2 * time.Minute)
	defer deadline.Stop()
	for {
		select {
		case count := <-p.counts:
			if count >= atLeast {
				return
			}
		case <-deadline.C:
			t.Fatalf("fewer than %d events came", atLeast)
		}
	}
}

func kill(t *testing.T, child *exec.Cmd) {
	t.Helper()
	if err := child.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Fatal(err)
	}
	_ = child.Wait() // its error is that it was killed
}

// brokerProcess runs a region's broker as a process that is started again when it dies.
func brokerProcess(t *testing.T, region string) (mirror.Side, *process.Process) {
	t.Helper()
	dir := t.TempDir()
	address := fmt.Sprintf("127.0.0.1:%d", enginetest.Ports(t, 1))
	server, err := process.New(broker.Process{
		Name: region + "/broker", Meridian: os.Args[0], Address: address, DataDir: filepath.Join(dir, "data"),
		LogFile: filepath.Join(dir, "broker.log"), DieWithParent: true,
	}.Spec(), process.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Stop(context.Background()) })
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return mirror.Side{Region: region, Brokers: []string{address}}, server
}

func killServer(t *testing.T, server *process.Process) {
	t.Helper()
	restarts := server.State().Restarts
	if err := server.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	deadline := time.NewTimer(time.Minute)
	defer deadline.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if s := server.State(); s.Ready && s.Restarts > restarts {
				return
			}
		case <-deadline.C:
			t.Fatal("the broker did not come back")
		}
	}
}
