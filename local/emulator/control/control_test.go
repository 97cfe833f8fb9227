package control_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"pgregory.net/rapid"

	"github.com/meridian-store/meridian/edge/cloudflare"
	"github.com/meridian-store/meridian/edge/rule"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/kit/httpclient"
	"github.com/meridian-store/meridian/kit/secret"
	"github.com/meridian-store/meridian/local/emulator"
	"github.com/meridian-store/meridian/local/emulator/control"
	"github.com/meridian-store/meridian/regions"
)

const (
	token   = "a-token-of-the-test"
	zone    = "023e105f4ecef8ad9ca31a8372d0c353"
	account = "01a7362d577a6c3019a474fd6f485823"
)

// told is an edge that remembers what it was told.
type told struct {
	mu     sync.Mutex
	setup  emulator.Setup
	setups int
	purged []string
}

func (e *told) Configure(setup emulator.Setup) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.setup, e.setups = setup, e.setups+1
	return nil
}

func (e *told) note(kind string, names []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, name := range names {
		e.purged = append(e.purged, kind+" "+name)
	}
}

func (e *told) PurgeTags(tags ...string)         { e.note("tag", tags) }
func (e *told) PurgeTargets(targets ...string)   { e.note("target", targets) }
func (e *told) PurgePrefixes(prefixes ...string) { e.note("prefix", prefixes) }
func (e *told) PurgeEverything()                 { e.note("everything", []string{"all"}) }

type world struct {
	edge   *told
	server *httptest.Server
	client *cloudflare.Client
	config control.Config
	access cloudflare.Access
}

func open(t *testing.T, plan cloudflare.Plan) *world {
	t.Helper()
	w := &world{edge: &told{}}
	w.config = control.Config{Token: token, Zone: zone, Account: account, Plan: plan, StateFile: filepath.Join(t.TempDir(), "edge.json"), Edge: w.edge}
	w.serve(t)
	return w
}

// serve starts the API, as a new process would.
func (w *world) serve(t *testing.T) {
	t.Helper()
	server, err := control.New(w.config)
	if err != nil {
		t.Fatal(err)
	}
	w.server = httptest.NewServer(server.Handler())
	t.Cleanup(w.server.Close)
	w.access = cloudflare.Access{URL: w.server.URL, Token: secret.New(token), Zone: zone, Account: account, HTTP: document.Client(t)}
	if w.client, err = cloudflare.NewClient(w.access); err != nil {
		t.Fatal(err)
	}
}

func shop(t testing.TB, plan cloudflare.Plan) cloudflare.Shop {
	t.Helper()
	rules, err := rule.Default()
	if err != nil {
		t.Fatal(err)
	}
	all, err := regions.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	s := cloudflare.Shop{Rules: rules, Hostname: "shop.example.com", Plan: plan, EdgeSecret: "only-the-edge-knows", ProbeEvery: 60}
	for i, r := range all {
		s.Regions = append(s.Regions, cloudflare.Region{Region: r.Region.Region, Origin: fmt.Sprintf("http://127.0.0.1:%d", 8101+i)})
	}
	return s
}

func (w *world) apply(t *testing.T, s cloudflare.Shop) *cloudflare.Diff {
	t.Helper()
	desired, err := cloudflare.Desired(s)
	if err != nil {
		t.Fatal(err)
	}
	diff, err := w.client.Diff(t.Context(), desired)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.client.Apply(t.Context(), diff); err != nil {
		t.Fatal(err)
	}
	return diff
}

func TestApplyingTwiceChangesNothingTheSecondTime(t *testing.T) {
	t.Parallel()
	for _, plan := range cloudflare.Plans() {
		w := open(t, plan)
		if first := w.apply(t, shop(t, plan)); first.Empty() {
			t.Errorf("%s: an empty zone needed nothing", plan)
		}
		setups := w.edge.setups
		if second := w.apply(t, shop(t, plan)); !second.Empty() || w.edge.setups != setups {
			t.Errorf("%s: the second time changes %v", plan, second.Changes)
		}
		// A process that was killed comes back with it.
		w.serve(t)
		if after := w.apply(t, shop(t, plan)); !after.Empty() || w.edge.setups != setups+1 {
			t.Errorf("%s: after a restart: %v", plan, after.Changes)
		}
	}
}

func TestARegionThatLeavesAndOneThatMovesAreFollowed(t *testing.T) {
	t.Parallel()
	w := open(t, cloudflare.Enterprise)
	s := shop(t, cloudflare.Enterprise)
	w.apply(t, s)
	s.Regions[0].Origin = "http://127.0.0.1:9999"
	gone := s.Regions[2].Name
	s.Regions = s.Regions[:2]
	diff := w.apply(t, s)
	var lines []string
	for _, c := range diff.Changes {
		if c.Action != cloudflare.Unchanged {
			lines = append(lines, c.String())
		}
	}
	// A pool is changed, one is deleted, the load balancer with them; and the monitors of two ports give way to one.
	if len(lines) != 6 {
		t.Errorf("the diff is %q", lines)
	}
	if len(w.edge.setup.Origins) != 2 || slices.ContainsFunc(w.edge.setup.Origins, func(o emulator.Origin) bool { return o.Region == gone }) {
		t.Errorf("the edge has the origins %+v", w.edge.setup.Origins)
	}
	if again := w.apply(t, s); !again.Empty() {
		t.Errorf("again: %v", again.Changes)
	}
}

// What others have put into the zone stays, in its order, before ours.
func TestWhatIsNotOursIsNotTouched(t *testing.T) {
	t.Parallel()
	w := open(t, cloudflare.Pro)
	theirs := `{"rules":[{"ref":"theirs-1","action":"set_cache_settings","expression":"http.host eq \"blog.example.com\"","action_parameters":{"cache":true}},
		{"ref":"theirs-2","action":"set_cache_settings","expression":"http.host eq \"old.example.com\"","action_parameters":{"cache":false},"enabled":false}]}`
	if status, body := w.send(t, http.MethodPut, "/zones/"+zone+"/rulesets/phases/http_request_cache_settings/entrypoint", theirs); status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	if status, body := w.send(t, http.MethodPost, "/accounts/"+account+"/load_balancers/pools", `{"name":"theirs","origins":[{"name":"a","address":"192.0.2.1"}]}`); status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	w.apply(t, shop(t, cloudflare.Pro))
	s := shop(t, cloudflare.Pro)
	s.Regions = s.Regions[:1]
	w.apply(t, s)
	_, body := w.send(t, http.MethodGet, "/zones/"+zone+"/rulesets/phases/http_request_cache_settings/entrypoint", "")
	one, two, ours := strings.Index(body, "theirs-1"), strings.Index(body, "theirs-2"), strings.Index(body, cloudflare.Owned)
	if one < 0 || two < one || ours < two || !strings.Contains(body, `"enabled":false`) {
		t.Errorf("the rules are %s", body)
	}
	if _, body := w.send(t, http.MethodGet, "/accounts/"+account+"/load_balancers/pools", ""); !strings.Contains(body, `"theirs"`) {
		t.Errorf("their pool is gone: %s", body)
	}
}

// An account may hold a zone for rehearsals too. Its pools and monitors are told apart by the hostname.
func TestShopsOfOneAccountDoNotTouchEachOther(t *testing.T) {
	t.Parallel()
	w := open(t, cloudflare.Enterprise)
	rehearsal := shop(t, cloudflare.Enterprise)
	rehearsal.Hostname = "example.com"
	var theirs []string
	for _, r := range rehearsal.Regions {
		theirs = append(theirs, fmt.Sprintf(`{"name":%q,"origins":[{"name":%q,"address":"192.0.2.1"}]}`, cloudflare.PoolName(rehearsal.Hostname, r.Name), r.Name))
	}
	for _, body := range theirs {
		if status, answer := w.send(t, http.MethodPost, "/accounts/"+account+"/load_balancers/pools", body); status != 200 {
			t.Fatalf("%d %s", status, answer)
		}
	}
	s := shop(t, cloudflare.Enterprise)
	w.apply(t, s)
	s.Regions = s.Regions[:2]
	w.apply(t, s)
	_, body := w.send(t, http.MethodGet, "/accounts/"+account+"/load_balancers/pools", "")
	for _, r := range rehearsal.Regions {
		if !strings.Contains(body, `"`+cloudflare.PoolName(rehearsal.Hostname, r.Name)+`"`) {
			t.Errorf("the rehearsal's pool of %s is gone", r.Name)
		}
	}
	if len(w.edge.setup.Origins) != 2 {
		t.Errorf("the edge has the origins %+v", w.edge.setup.Origins)
	}
}

// A health check goes to the port that the gateway has, and a pool that has lost its monitor gets it back.
func TestGatewaysAreAskedAtTheirPorts(t *testing.T) {
	t.Parallel()
	w := open(t, cloudflare.Pro)
	s := shop(t, cloudflare.Pro)
	s.Regions[0].Origin = "http://127.0.0.1"
	desired, err := cloudflare.Desired(s)
	if err != nil {
		t.Fatal(err)
	}
	ports := map[string]int64{}
	for _, m := range desired.Monitors {
		ports[m.Description] = m.Port
	}
	for i, pool := range desired.Pools {
		if port, there := ports[pool.Monitor]; !there || port != pool.Origins[0].Port {
			t.Errorf("the gateway %d at port %d is asked at %d", i, pool.Origins[0].Port, port)
		}
	}
	w.apply(t, s)
	_, body := w.send(t, http.MethodGet, "/accounts/"+account+"/load_balancers/pools", "")
	var pools struct {
		Result []map[string]any `json:"result"`
	}
	if err := json.Unmarshal([]byte(body), &pools); err != nil {
		t.Fatal(err)
	}
	bare := pools.Result[0]
	delete(bare, "monitor")
	text, err := json.Marshal(bare)
	if err != nil {
		t.Fatal(err)
	}
	if status, answer := w.send(t, http.MethodPut, fmt.Sprintf("/accounts/%s/load_balancers/pools/%s", account, bare["id"]), string(text)); status != 200 {
		t.Fatalf("%d %s", status, answer)
	}
	if diff := w.apply(t, s); diff.Empty() {
		t.Error("a pool without its monitor is not noticed")
	}
	if again := w.apply(t, s); !again.Empty() {
		t.Errorf("again: %v", again.Changes)
	}
}

func (w *world) send(t *testing.T, method, path, body string, headers ...string) (status int, answer string) {
	t.Helper()
	header := map[string]string{"Authorization": "Bearer " + token, "Content-Type": "application/json"}
	for i := 0; i+1 < len(headers); i += 2 {
		header[headers[i]] = headers[i+1]
	}
	url := w.server.URL + "/client/v4" + path
	response, err := httpclient.Request{Method: method, URL: url, Header: header, Body: []byte(body)}.Send(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return response.Status, string(response.Body)
}

func TestWrongRequestsAreRefusedAsCloudflareDoes(t *testing.T) {
	t.Parallel()
	w := open(t, cloudflare.Pro)
	cache := "/zones/" + zone + "/rulesets/phases/http_request_cache_settings/entrypoint"
	many := `"t` + strings.Repeat(`","t`, 100) + `"`
	for _, tc := range []struct {
		method, path, body string
		status, code       int
	}{
		{"GET", cache, "", 404, 10003},
		{"GET", "/zones/00000000000000000000000000000000/load_balancers", "", 404, 7003},
		{"GET", "/zones/" + zone + "/nothing", "", 404, 7003},
		{"PUT", "/zones/" + zone + "/rulesets/phases/http_ratelimit/entrypoint", `{"rules":[]}`, 400, 10010},
		{"PUT", cache, `{"rules":[`, 400, 9207},
		{"PUT", cache, `{"rules":[{"action":"block","expression":"true"}]}`, 400, 20016},
		{"PUT", cache, `{"rules":[{"action":"set_cache_settings","expression":"http.host eq"}]}`, 400, 20127},
		{"PUT", cache, `{"rules":[{"action":"set_cache_settings","expression":"cf.zone.name eq \"a\""}]}`, 400, 20127},
		{"PUT", cache, `{"rules":[{"ref":"a","action":"set_cache_settings","expression":"true"},{"ref":"a","action":"set_cache_settings","expression":"true"}]}`, 400, 20015},
		{"PUT", cache, `{"rules":[{"action":"set_cache_settings","expression":"true","action_parameters":{"cache":true,"cache_key":{"custom_key":{}}}}]}`, 400, 20216},
		{"PATCH", "/zones/" + zone + "/cache/regional_tiered_cache", `{"value":"on"}`, 403, 1107},
		{"PATCH", "/zones/" + zone + "/argo/tiered_caching", `{"value":"maybe"}`, 400, 1004},
		{"POST", "/accounts/" + account + "/load_balancers/pools", `{"name":"a b","origins":[{"name":"x","address":"192.0.2.1"}]}`, 400, 1002},
		{"POST", "/accounts/" + account + "/load_balancers/pools", `{"name":"a","origins":[]}`, 400, 1002},
		{"POST", "/accounts/" + account + "/load_balancers/pools", `{"name":"a","monitor":"none","origins":[{"name":"x","address":"192.0.2.1"}]}`, 400, 1002},
		{"POST", "/accounts/" + account + "/load_balancers/pools", `{"name":"a","origins":[{"name":"x","address":"no host"}]}`, 400, 1002},
		{"POST", "/accounts/" + account + "/load_balancers/monitors", `{"path":"ready"}`, 400, 1002},
		{"PUT", "/accounts/" + account + "/load_balancers/monitors/none", `{"path":"/ready"}`, 404, 1001},
		{"DELETE", "/accounts/" + account + "/load_balancers/pools/none", "", 404, 1001},
		{"POST", "/zones/" + zone + "/load_balancers", `{"name":"a","default_pools":["none"],"fallback_pool":"none"}`, 400, 1002},
		{"POST", "/zones/" + zone + "/purge_cache", `{}`, 400, 1012},
		{"POST", "/zones/" + zone + "/purge_cache", `{"tags":["a"],"purge_everything":true}`, 400, 1012},
		{"POST", "/zones/" + zone + "/purge_cache", `{"tags":[` + many + `]}`, 400, 1093},
		{"POST", "/zones/" + zone + "/purge_cache", `{"tags":["a b"]}`, 400, 1094},
		{"POST", "/zones/" + zone + "/purge_cache", `{"files":["/x"]}`, 400, 1016},
		{"POST", "/zones/" + zone + "/purge_cache", `{"prefixes":["https://shop.example.com/x"]}`, 400, 1095},
	} {
		status, body := w.send(t, tc.method, tc.path, tc.body)
		if status != tc.status || !strings.Contains(body, fmt.Sprintf(`"code":%d`, tc.code)) || !strings.Contains(body, `"success":false`) {
			t.Errorf("%s %s %.60s: %d %s", tc.method, tc.path, tc.body, status, body)
		}
	}
	for _, header := range []string{"", "Bearer wrong", token, "Basic " + token} {
		if status, body := w.send(t, "GET", cache, "", "Authorization", header); status != 403 || !strings.Contains(body, `"code":10000`) {
			t.Errorf("%q is let in: %d %s", header, status, body)
		}
	}
	if w.edge.setups > 0 || len(w.edge.purged) > 0 {
		t.Error("something that was refused has reached the edge")
	}
}

func TestPurgesReachTheEdgeWithinThePlansRate(t *testing.T) {
	t.Parallel()
	w := open(t, cloudflare.Pro)
	now := time.Now()
	w.config.Now = func() time.Time { return now }
	w.serve(t)
	purger, err := cloudflare.NewPurger(w.access, cloudflare.Enterprise, 1, cloudflare.NewPurgeMetrics(prometheus.NewRegistry()))
	if err != nil {
		t.Fatal(err)
	}
	var tags []string
	for i := range 250 {
		tags = append(tags, fmt.Sprintf("product:%03d", i%240))
	}
	if err := purger.Tags(t.Context(), tags...); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(purger.URLs(t.Context(), "https://shop.example.com/api/v1/products?limit=3"), purger.Everything(t.Context())); err != nil {
		t.Fatal(err)
	}
	if len(w.edge.purged) != 242 || !slices.Contains(w.edge.purged, "tag product:239") || !slices.Contains(w.edge.purged, "target /api/v1/products?limit=3") {
		t.Errorf("%d purges reached the edge: %v", len(w.edge.purged), w.edge.purged)
	}
	// Of a bucket of 25, three for tags and two others are gone; nothing fills it while the clock stands.
	for i := range 21 {
		status, _ := w.send(t, "POST", "/zones/"+zone+"/purge_cache", `{"tags":["a"]}`)
		if want := map[bool]int{true: 200, false: 429}[i < 20]; status != want {
			t.Errorf("request %d gets %d, want %d", i+6, status, want)
		}
	}
	// The purger waits for its turn instead of giving up.
	waiting, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- purger.Tags(waiting, "late") }()
	status, body := w.send(t, "POST", "/zones/"+zone+"/purge_cache", `{"tags":["a"]}`)
	if status != 429 || !strings.Contains(body, `"code":971`) {
		t.Errorf("beyond the rate: %d %s", status, body)
	}
	w.server.Close()
	w.config.Now = time.Now
	cancel()
	if err := <-done; err == nil {
		t.Error("a purge that never was done is told as done")
	}
}

// The rules that Cloudflare is told decide as ours do.
func TestTheZoneDecidesAsTheRulesDo(t *testing.T) {
	t.Parallel()
	w := open(t, cloudflare.Enterprise)
	s := shop(t, cloudflare.Enterprise)
	w.apply(t, s)
	segments := []string{"api", "v1", "products", "categories", "search", "suggest", "cart", "items", "me", "orders", "admin", "checkout", "metrics", ".well-known", "jwks.json",
		"x", "blue-shirt", "a.b", "a%2Fb", "x;y", "recommendations", "internal", "auth", "webhooks", "prd_use_01ARZ3NDEKTSV4RRFFQ69G5FAV", "Products", "..", "", "-x", "x-", "_x", "x_", "-", "_", "x_y",
		"x@y", "x~", "x!", "x,y", "x+y", "$x", "x&y", "x'y", "(x)", "x*y", "x=y", "x:y", "x\"y", "<x>", "[x]", "x^y", "x`y", "{x}", "x|y", strings.Repeat("x", 128)}
	parameters := []string{"", "?", "?limit=3&brand=x", "?utm_source=a&currency=EUR", "?q=blue+shirt&option.size=M", "?a=b;c=d", "?limit=%zz"}
	// What no sampled path can hold is a slug of more than 128 characters: the zone would ask an origin for it, which answers 404.
	long := "/api/v1/products/" + strings.Repeat("x", 129)
	want, wantErr := s.Rules.Decide("GET", long)
	if got, err := w.edge.setup.Rules.Decide("GET", long); errors.Join(err, wantErr) != nil || want.Cache != nil || got.Cache == nil {
		t.Errorf("a slug that is too long: the zone says %+v (%v), the rules %+v (%v)", got, err, want, wantErr)
	}
	// Each of the segments stands where a slug does.
	for _, segment := range segments {
		target := "/api/v1/products/" + segment
		want, wantErr := s.Rules.Decide("GET", target)
		got, gotErr := w.edge.setup.Rules.Decide("GET", target)
		if (wantErr != nil) != (gotErr != nil) || (want.Cache != nil) != (got.Cache != nil) {
			t.Errorf("%s: the zone says %+v (%v), the rules %+v (%v)", target, got, gotErr, want, wantErr)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		path := "/" + strings.Join(rapid.SliceOfN(rapid.SampledFrom(segments), 0, 5).Draw(t, "segments"), "/")
		if rapid.Bool().Draw(t, "below the API") {
			path = "/api/v1" + path
		}
		target := path + rapid.SampledFrom(parameters).Draw(t, "query")
		method := rapid.SampledFrom([]string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}).Draw(t, "method")
		want, wantErr := s.Rules.Decide(method, target)
		got, gotErr := w.edge.setup.Rules.Decide(method, target)
		if (wantErr != nil) != (gotErr != nil) || want.Refuse != got.Refuse || (want.Cache != nil) != (got.Cache != nil) || want.Target != got.Target {
			t.Fatalf("%s %s: the zone says %+v (%v), the rules %+v (%v)", method, target, got, gotErr, want, wantErr)
		}
		if want.Cache != nil && (got.Cache.BrowserTTL != want.Cache.BrowserTTL || (got.Cache.StaleWhileRevalidate > 0) != (want.Cache.StaleWhileRevalidate > 0)) {
			t.Fatalf("%s is kept as %+v, want %+v", target, got.Cache, want.Cache)
		}
	})
}

// From each of the twenty locations shoppers go where geo.Steer sends them, whatever their country; and whom all refuse is blocked.
func TestTheZoneSteersAsTheRegionsSay(t *testing.T) {
	t.Parallel()
	w := open(t, cloudflare.Enterprise)
	s := shop(t, cloudflare.Enterprise)
	w.apply(t, s)
	var all []geo.Region
	for _, r := range s.Regions {
		all = append(all, r.Region)
	}
	for _, location := range geo.Cities() {
		for _, country := range geo.Countries() {
			var want []string
			for _, step := range geo.Steer(country, location.Point, all).Steps {
				want = append(want, step.Region.Name)
			}
			blocked := slices.Contains(w.edge.setup.Blocked, country)
			if blocked != (len(want) == 0) {
				t.Errorf("%s is blocked: %v; served by %v", country, blocked, want)
			}
			if blocked {
				continue
			}
			got := w.edge.setup.Steering.Order(location, country)
			local := country == location.Country
			if len(got) == 0 || got[0] != want[0] || local && !slices.Equal(got, want) {
				t.Errorf("%s at %s goes to %v, want %v", country, location.IATA, got, want)
			}
		}
	}
}

func TestNoSecretIsInWhatIsShown(t *testing.T) {
	t.Parallel()
	w := open(t, cloudflare.Enterprise)
	s := shop(t, cloudflare.Enterprise)
	w.apply(t, s)
	s.EdgeSecret = "another-secret"
	desired, err := cloudflare.Desired(s)
	if err != nil {
		t.Fatal(err)
	}
	diff, err := w.client.Diff(t.Context(), desired)
	if err != nil {
		t.Fatal(err)
	}
	shown := fmt.Sprint(diff.Changes)
	if !strings.Contains(shown, "edge-secret") || strings.Contains(shown, "another-secret") || strings.Contains(shown, "only-the-edge-knows") {
		t.Errorf("the diff shows %s", shown)
	}
}
