package doctor

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/regions"
	"github.com/meridian-store/meridian/regions/status"
)

func TestRedisIsJudged(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ info, problem string }{
		{"# Memory\r\nused_memory:1000\r\nmaxmemory:0\r\naof_last_write_status:ok\r\n", ""},
		{"used_memory:800\r\nmaxmemory:1000\r\n", ""},
		{"used_memory:801\r\nmaxmemory:1000\r\n", "redis-cli --bigkeys"},
		{"evicted_keys:1\r\nmaxmemory_policy:allkeys-lru\r\n", "evicted_keys"},
		{"aof_last_write_status:err\r\n", "aof_last_write_status"},
		{"nonsense", ""},
	} {
		n := &notes{}
		judgeRedis(n, "here/redis", readInfo(tc.info))
		if _, found := n.finding(tc.problem); len(n.findings) > 1 || (tc.problem == "") != (len(n.findings) == 0) || (tc.problem != "" && !found) {
			t.Errorf("%q gives %+v, want %q", tc.info, n.findings, tc.problem)
		}
	}
}

func TestAGroupIsLateWhenMuchWaits(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		lag     int64
		members int
		problem string
	}{{0, 0, ""}, {0, 1, ""}, {longLag, 1, ""}, {longLag + 1, 1, ProblemGroupLate}, {1, 0, ProblemNoConsumer}} {
		group := kadm.DescribedGroupLag{
			Group: "order", Members: make([]kadm.DescribedGroupMember, tc.members),
			Lag: kadm.GroupLag{contract.TopicPayments: {0: {Topic: contract.TopicPayments, Lag: tc.lag}}},
		}
		n := &notes{}
		judgeGroup(n, "here/broker", "order.log", group)
		if _, found := n.finding(tc.problem); (tc.problem == "") != (len(n.findings) == 0) || (tc.problem != "" && !found) {
			t.Errorf("%d behind with %d members gives %+v", tc.lag, tc.members, n.findings)
		}
	}
}

// gateway answers as a gateway does, with metrics of its own.
func gateway(t *testing.T, metrics, regions string) *httptest.Server {
	t.Helper()
	answers := map[string]string{"/metrics": metrics, "/api/v1/regions": regions, "/health": "{}"}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := w.Write([]byte(answers[r.URL.Path])); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	return server
}

// twoRegions is a copy in which here and there are up.
func twoRegions(url string) status.Shop {
	up := []status.Service{{Name: contract.ServiceGateway, URL: url, Ready: true}}
	return status.Shop{Running: true, Regions: []status.Region{{Name: "here", Services: up}, {Name: "there", Services: up}}}
}

func TestAServiceIsJudgedByItsMetricsAndAGatewayByItsView(t *testing.T) {
	t.Parallel()
	server := gateway(t, `# TYPE meridian_relay_oldest_seconds gauge
meridian_relay_oldest_seconds 11
# TYPE meridian_events_refused_total counter
meridian_events_refused_total{topic="a"} 1
meridian_events_refused_total{topic="b"} 2
`, `{"items":[{"name":"here","healthy":true},{"name":"there","healthy":false},{"name":"not-started","healthy":false},{"name":"far","healthy":true,"rtt_ms":79.5}]}`)
	shop := twoRegions(server.URL)
	n := &notes{}
	run(t.Context(), n, []examination{serviceOf(Subject{Status: shop}, "here", shop.Regions[0].Services[0])})
	for problem, evidence := range map[string]string{
		ProblemUnsentEvents: "11 s", ProblemNotEvents: "3", " there ": "/api/v1/regions",
	} {
		if found, ok := n.finding(problem); !ok || !strings.Contains(found.Evidence, evidence) {
			t.Errorf("%q with %q is not among %+v", problem, evidence, n.findings)
		}
	}
	if len(n.findings) != 3 || n.value(t, "round trip to far") != 79.5 || n.value(t, "oldest_unsent_event") != 11 {
		t.Errorf("findings %+v, facts %+v", n.findings, n.facts)
	}
}

func TestALinkIsMeasuredAndJudged(t *testing.T) {
	t.Parallel()
	whole := gateway(t, "", "")
	var listen net.ListenConfig
	hole, err := listen.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := hole.Close(); err != nil {
			t.Error(err)
		}
	})
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(slowLinkSlack + 10*time.Millisecond): // stands for a wire
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(slow.Close)
	for _, tc := range []struct {
		name, address string
		now           status.Condition
		modelMS       int64
		problem       string
	}{
		{"whole", whole.Listener.Addr().String(), status.Condition{}, 10_000, ""},
		{"cut", hole.Addr().String(), status.Condition{Cut: true}, 1, ProblemLinkCut},
		{"silent", hole.Addr().String(), status.Condition{}, 1, ProblemLinkSilent},
		{"leaking", whole.Listener.Addr().String(), status.Condition{Cut: true}, 10_000, ProblemLinkLeaks},
		{"slow", slow.Listener.Addr().String(), status.Condition{RoundTripMS: 60}, 1, ProblemLinkSlow},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			shop := twoRegions("")
			shop.Links.Items = []status.Link{{From: "here", To: "there", Plane: status.PlaneGateway, Listen: tc.address, Now: tc.now, ModelMS: tc.modelMS}}
			asked := links(shop)
			if len(asked) != 1 {
				t.Fatalf("%d links are measured", len(asked))
			}
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			n := &notes{}
			if err := asked[0].ask(ctx, n); err != nil {
				t.Fatal(err)
			}
			found, ok := n.finding(tc.problem)
			if (tc.problem == "") != (len(n.findings) == 0) || (tc.problem != "" && (!ok || !strings.Contains(found.Remedy, "meridian link heal here there"))) {
				t.Errorf("found %+v, want %q", n.findings, tc.problem)
			}
		})
	}
	down := twoRegions("")
	down.Links.Items = []status.Link{{From: "here", To: "not-started", Plane: status.PlaneGateway}}
	down.Regions[1].Services[0].Ready = false
	if asked := links(down); len(asked) != 0 {
		t.Error("a link to a region that is down was measured")
	}
}

func TestThePartsOfACopyAreJudged(t *testing.T) {
	t.Parallel()
	if found := parts(Subject{}); len(found) != 1 || found[0].Remedy != "meridian up" {
		t.Errorf("nothing runs: %+v", found)
	}
	shop := twoRegions("")
	shop.Edge = status.Edge{Ready: true, PID: 1}
	shop.SQL = status.Engine{Name: "postgres"}
	shop.Provider = status.Engine{Name: "provider", PID: 4}
	shop.Links = status.Links{PID: 5, Items: []status.Link{{}}}
	shop.Regions[0].Engines = []status.Engine{{Name: "redis", Ready: true, PID: 2, Restarts: manyRestarts + 1}, {Name: "broker", Ready: true, PID: 3, Restarts: manyRestarts}}
	n := &notes{}
	n.find(parts(Subject{Status: shop, Sandbox: true})...)
	wanted := map[string]string{
		"postgres": ProblemEnded, "provider": ProblemNotReady, "links": ProblemNotReady, "here/redis": ProblemRestarts,
	}
	for _, f := range n.findings {
		if words := wanted[f.Part]; words == "" || !strings.Contains(f.Problem, words) || f.Evidence == "" || f.Remedy == "" {
			t.Errorf("found %+v", f)
		}
	}
	if len(n.findings) != len(wanted) {
		t.Errorf("found %+v", n.findings)
	}
	elsewhere := []regions.Region{{Engines: regions.Engines{SQL: "db.example.com:26257"}}}
	for _, f := range parts(Subject{Status: shop, Regions: elsewhere}) {
		if f.Part == "postgres" {
			t.Errorf("an engine that stands elsewhere: %+v", f)
		}
	}
}

func TestAnExaminationThatFailsIsAFindingAndAReportIsSorted(t *testing.T) {
	t.Parallel()
	n := &notes{}
	fails := func(context.Context, *notes) error { return fmt.Errorf("no answer") }
	run(t.Context(), n, []examination{{"b", "do", fails}, {"a", "do", fails}})
	report := n.report(true)
	if report.OK || !report.Running || len(report.Findings) != 2 || report.Findings[0].Part != "a" || report.Findings[0].Evidence != "no answer" || report.Findings[0].Remedy != "do" {
		t.Errorf("the report is %+v", report)
	}
	if clean := (&notes{}).report(true); !clean.OK || clean.Findings == nil || clean.Facts == nil {
		t.Errorf("a clean report is %+v", clean)
	}
	run(t.Context(), n, []examination{disk(Subject{Status: status.Shop{Home: t.TempDir()}})})
	if n.value(t, "free") <= 0 {
		t.Errorf("the facts are %+v", n.facts)
	}
}

// Whatever hangs, the doctor does not: a part that accepts and never answers costs it no more than its time.
func TestAHungPartIsGivenUp(t *testing.T) {
	t.Parallel()
	var listen net.ListenConfig
	hole, err := listen.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := hole.Close(); err != nil {
			t.Error(err)
		}
	})
	address := hole.Addr().String()
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	asked := []examination{
		{part: "redis", ask: func(ctx context.Context, n *notes) error { return askRedis(ctx, n, "redis", address, "x") }},
		{part: "broker", ask: func(ctx context.Context, n *notes) error { return askBroker(ctx, n, "broker", address, nil) }},
		{part: "postgres", ask: func(ctx context.Context, n *notes) error {
			return askSQL(ctx, n, "postgres://x:y@"+address+"/z?sslmode=disable")
		}},
		{part: "service", ask: func(ctx context.Context, _ *notes) error { _, err := scrape(ctx, "http://"+address); return err }},
		{part: "deaf", ask: func(_ context.Context, n *notes) error {
			n.fact("deaf", "said", 1, "word")
			<-release
			return nil
		}},
	}
	n := &notes{}
	ended := make(chan struct{})
	go func() {
		run(t.Context(), n, asked)
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(2 * time.Minute):
		t.Fatal("the doctor hangs")
	}
	for _, e := range asked {
		if !slices.ContainsFunc(n.findings, func(f Finding) bool { return f.Part == e.part && f.Evidence != "" }) {
			t.Errorf("%s is not named: %+v", e.part, n.findings)
		}
	}
	if n.value(t, "said") != 1 {
		t.Error("what was noted before the end was lost")
	}
}
