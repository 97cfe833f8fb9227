package mirror_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/local/engine/broker"
	"github.com/meridian-store/meridian/replication/mirror"
)

// childWord is the argument by which this binary runs one mirror as a process of its own, to be killed.
const childWord = "run-one-mirror"

func TestMain(m *testing.M) {
	if len(os.Args) > 3 && os.Args[1] == "engine" && os.Args[2] == "broker" {
		if err := serveBroker(os.Args[3:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if len(os.Args) > 3 && os.Args[1] == childWord {
		runChild(os.Args[2], os.Args[3])
		os.Exit(1) // a mirror runs until it is killed
	}
	goleak.VerifyTestMain(m)
}

func runChild(source, target string) {
	from, to := parseSide(source), parseSide(target)
	err := mirror.New(from, to, slog.New(slog.NewTextHandler(os.Stderr, nil)), mirror.NewMetrics(prometheus.NewRegistry())).Run(context.Background())
	fmt.Fprintln(os.Stderr, "the mirror ended:", err)
}

// serveBroker plays `meridian engine broker`, which the broker's process spec runs.
func serveBroker(args []string) error {
	flags := flag.NewFlagSet("engine broker", flag.ContinueOnError)
	address, data := flags.String("address", "", ""), flags.String("data", "", "")
	if err := flags.Parse(args); err != nil {
		return err
	}
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	return broker.Run(ctx, broker.Config{Address: *address, DataDir: *data})
}

func parseSide(text string) mirror.Side {
	region, brokers, _ := strings.Cut(text, "=")
	return mirror.Side{Region: region, Brokers: strings.Split(brokers, ",")}
}

func textOf(side mirror.Side) string { return side.Region + "=" + strings.Join(side.Brokers, ",") }

// startChild runs a mirror as a process that dies with the test.
func startChild(t *testing.T, source, target mirror.Side) *exec.Cmd {
	t.Helper()
	child := exec.Command(os.Args[0], childWord, textOf(source), textOf(target))
	child.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	child.Stderr = testWriter{t}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	return child
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Logf("mirror: %s", strings.TrimSpace(string(p)))
	return len(p), nil
}

// run runs a mirror in this process until the test or the given stop ends it.
func run(t *testing.T, source, target mirror.Side) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	m := mirror.New(source, target, slog.New(slog.NewTextHandler(io.Discard, nil)), mirror.NewMetrics(prometheus.NewRegistry()))
	go func() { done <- m.Run(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the mirror ended with %v", err)
		}
	}
	t.Cleanup(stop)
	return stop
}

func connect(t *testing.T, side mirror.Side, options ...kgo.Opt) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(side.Brokers...)}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func createTopic(t *testing.T, side mirror.Side, topic string, partitions int32) {
	t.Helper()
	if _, err := kadm.NewClient(connect(t, side)).CreateTopic(t.Context(), partitions, -1, nil, topic); err != nil {
		t.Fatal(err)
	}
}

// eventOf makes the record of an event that a region wrote.
func eventOf(t *testing.T, origin, topic, subject string, version int64) *kgo.Record {
	t.Helper()
	value, err := json.Marshal(contract.Event{
		SpecVersion: "1.0", ID: fmt.Sprintf("%s:%s:%d", origin, subject, version), Source: "/" + origin + "/test", Type: "Tested",
		Subject: subject, Time: time.Unix(0, 0), OriginRegion: origin, AggregateVersion: version, Data: json.RawMessage(`{}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	return &kgo.Record{Topic: topic, Key: []byte(subject), Value: value}
}

func send(t *testing.T, side mirror.Side, records ...*kgo.Record) {
	t.Helper()
	if err := connect(t, side).ProduceSync(t.Context(), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// seen is what a reader of committed records has found in a topic.
type seen struct {
	// times counts an event by its id; versions are each subject's, in order of reading.
	times    map[string]int
	versions map[string][]int64
}

// read reads a topic from its start until enough says so.
func read(t *testing.T, side mirror.Side, topic string, enough func(seen) bool) seen {
	t.Helper()
	client := connect(t, side, kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.FetchMaxWait(100*time.Millisecond), kgo.MetadataMinAge(100*time.Millisecond), kgo.MetadataMaxAge(time.Second))
	found := seen{times: map[string]int{}, versions: map[string][]int64{}}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	for !enough(found) {
		fetches := client.PollFetches(ctx)
		if ctx.Err() != nil {
			t.Fatalf("only %d events came to %s of %s", len(found.times), topic, side.Region)
		}
		fetches.EachRecord(func(record *kgo.Record) {
			var event contract.Event
			if err := json.Unmarshal(record.Value, &event); err != nil {
				t.Errorf("a record is not an event: %v", err)
			}
			found.times[event.ID]++
			found.versions[event.Subject] = append(found.versions[event.Subject], event.AggregateVersion)
		})
	}
	return found
}

// check fails the test for each event that came twice and each subject whose order was not kept.
func (s seen) check(t *testing.T, want int) {
	t.Helper()
	if len(s.times) != want {
		t.Errorf("%d events came, not %d", len(s.times), want)
	}
	doubled := 0
	for _, times := range s.times {
		doubled += times - 1
	}
	if doubled > 0 {
		t.Errorf("%d events came more than once", doubled)
	}
	for subject, versions := range s.versions {
		for i := 1; i < len(versions); i++ {
			if versions[i] <= versions[i-1] {
				t.Errorf("%s came in the order %v", subject, versions)
				return
			}
		}
	}
}
