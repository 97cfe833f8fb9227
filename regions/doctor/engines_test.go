package doctor

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/events"
	"github.com/meridian-store/meridian/local/engine/enginetest"
	"github.com/meridian-store/meridian/local/kittest"
)

func TestMain(m *testing.M) { enginetest.Main(m) }

// finding returns the first finding whose problem, evidence or remedy contains some words.
func (n *notes) finding(words string) (Finding, bool) {
	for _, f := range n.findings {
		if strings.Contains(f.Problem+"\n"+f.Evidence+"\n"+f.Remedy, words) {
			return f, true
		}
	}
	return Finding{}, false
}

func (n *notes) value(t *testing.T, name string) float64 {
	t.Helper()
	for _, f := range n.facts {
		if f.Name == name {
			return f.Value
		}
	}
	t.Fatalf("there is no fact %q in %+v", name, n.facts)
	return 0
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return conn
}

func TestWhoWaitsForALockIsNamedWithItsHolder(t *testing.T) {
	t.Parallel()
	server := enginetest.Postgres(t)
	if server.Cockroach() {
		t.Skip("CockroachDB's locks are shown by its own console")
	}
	url := server.NewDatabase(t)
	holder, waiter := connect(t, url), connect(t, url)
	for _, statement := range []string{`CREATE TABLE stock (sku TEXT PRIMARY KEY)`, `INSERT INTO stock VALUES ('SKU-1')`, `BEGIN`, `SELECT sku FROM stock FOR UPDATE`} {
		if _, err := holder.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	waited := make(chan error, 1)
	go func() {
		_, err := waiter.Exec(t.Context(), `DELETE FROM stock`)
		waited <- err
	}()
	role := holder.Config().User
	kittest.Eventually(t, func() error {
		n := &notes{}
		if err := askSQL(t.Context(), n, server.SuperuserURL()); err != nil {
			return err
		}
		found, ok := n.finding(role + " " + ProblemLockWait)
		if !ok || !strings.Contains(found.Evidence, role) {
			return fmt.Errorf("found %+v", n.findings)
		}
		if held := n.value(t, "connections of "+role); held != 2 {
			return fmt.Errorf("%s holds %.0f connections", role, held)
		}
		if n.value(t, "waiting for locks") < 1 || n.value(t, "connections allowed") < 2 {
			return fmt.Errorf("the facts are %+v", n.facts)
		}
		return nil
	})
	if _, err := holder.Exec(t.Context(), `COMMIT`); err != nil {
		t.Fatal(err)
	}
	if err := <-waited; err != nil {
		t.Fatal(err)
	}
	n := &notes{}
	if err := askSQL(t.Context(), n, server.SuperuserURL()); err != nil {
		t.Fatal(err)
	}
	if found, ok := n.finding(role + " " + ProblemLockWait); ok {
		t.Errorf("after the release: %+v", found)
	}
}

func TestAnSQLServerThatIsNotThereIsAnErrorWithoutItsPassword(t *testing.T) {
	t.Parallel()
	err := askSQL(t.Context(), &notes{}, "postgres://owner:hunter2@127.0.0.1:1/postgres")
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Fatalf("got %v", err)
	}
}

func TestEventsThatNobodyAppliesAreFound(t *testing.T) {
	t.Parallel()
	seeds := enginetest.Broker(t)
	n := &notes{}
	logOf := func(group string) string { return group + ".log" }
	if err := askBroker(t.Context(), n, "here/broker", seeds[0], logOf); err != nil {
		t.Fatal(err)
	}
	if _, ok := n.finding(contract.TopicOrders + " " + ProblemTopicMissing); !ok {
		t.Errorf("an empty broker: %+v", n.findings)
	}
	if err := events.EnsureTopics(t.Context(), seeds); err != nil {
		t.Fatal(err)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(seeds...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	group := enginetest.Prefix()
	begin := kadm.Offsets{}
	begin.Add(kadm.Offset{Topic: contract.TopicOrders, Partition: 0, At: 0})
	if err := kadm.NewClient(client).CommitAllOffsets(t.Context(), group, begin); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		record := &kgo.Record{Topic: contract.TopicOrders, Partition: 0, Value: []byte("{}")}
		if err := client.ProduceSync(t.Context(), record).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	n = &notes{}
	if err := askBroker(t.Context(), n, "here/broker", seeds[0], logOf); err != nil {
		t.Fatal(err)
	}
	if _, ok := n.finding(ProblemTopicMissing); ok {
		t.Errorf("with all topics: %+v", n.findings)
	}
	if got := n.value(t, "topic "+contract.TopicOrders+" records"); got < 3 {
		t.Errorf("%v records are counted", got)
	}
	kept := n.value(t, "group "+group+" lag on "+contract.TopicOrders)
	found, ok := n.finding(ProblemNoConsumer + " " + group)
	if kept > 0 != ok || (ok && !strings.Contains(found.Remedy, group+".log")) || kept == 0 {
		t.Errorf("a lag of %v gives %+v", kept, n.findings)
	}
	if got := n.value(t, "topic "+contract.TopicOrders+" partitions"); got != 4 {
		t.Errorf("%v partitions", got)
	}
}

func TestRedisIsMeasured(t *testing.T) {
	t.Parallel()
	address, password := enginetest.Redis(t)
	n := &notes{}
	if err := askRedis(t.Context(), n, "here/redis", address, password); err != nil {
		t.Fatal(err)
	}
	if n.value(t, "memory_used") < 1000 || n.value(t, "clients") < 1 || len(n.findings) > 0 {
		t.Errorf("facts %+v, findings %+v", n.facts, n.findings)
	}
	if err := askRedis(t.Context(), &notes{}, "here/redis", address, "wrong"); err == nil {
		t.Error("a wrong password was taken")
	}
}
