package control_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/meridian-store/meridian/edge/cloudflare"
	"github.com/meridian-store/meridian/edge/cloudflare/expression"
)

// A zone has other hostnames, such as a blog's, which our rules must leave alone.
func TestRulesAreForOneHostname(t *testing.T) {
	t.Parallel()
	for _, plan := range cloudflare.Plans() {
		desired, err := cloudflare.Desired(shop(t, plan))
		if err != nil {
			t.Fatal(err)
		}
		for phase, rules := range desired.Phases {
			for _, r := range rules {
				matches, err := expression.Parse(r.Expression)
				if err != nil {
					t.Fatalf("%s: %v", r.Ref, err)
				}
				for _, path := range []string{"/", "/api/v1/products", "/api/v1/products/shirt", "/internal/x", "/metrics"} {
					if matches.Matches(expression.Request{Path: path, Method: "GET", Host: "blog.example.com", Country: "KP"}) {
						t.Errorf("%s: %s of %s takes %s of another hostname", plan, r.Ref, phase, path)
					}
				}
				if phase == cloudflare.PhaseCache && strings.Contains(r.Expression, "http.request.method") {
					t.Errorf("%s: %s names methods, so that single addresses cannot be purged: %s", plan, r.Ref, r.Expression)
				}
				if _, answers := r.Parameters["response"]; answers != (r.Action == "block" && plan != cloudflare.Free) {
					t.Errorf("%s: %s answers for itself: %v", plan, r.Ref, answers)
				}
			}
		}
	}
}

func TestAZoneThatCannotBeIsRefused(t *testing.T) {
	t.Parallel()
	for wrong, change := range map[string]func(*cloudflare.Shop){
		"scheme":   func(s *cloudflare.Shop) { s.Regions[1].Origin = "https://eu.example.com" },
		"hostname": func(s *cloudflare.Shop) { s.Hostname = `shop" or true or http.host eq "` },
		"origin":   func(s *cloudflare.Shop) { s.Regions[0].Origin = "ftp://eu.example.com" },
	} {
		s := shop(t, cloudflare.Pro)
		change(&s)
		if _, err := cloudflare.Desired(s); err == nil || !strings.Contains(err.Error(), wrong) {
			t.Errorf("%s: %v", wrong, err)
		}
	}
}

func TestTheSmallestPlanMayNotAnswerForItself(t *testing.T) {
	t.Parallel()
	w := open(t, cloudflare.Free)
	path := "/zones/" + zone + "/rulesets/phases/http_request_firewall_custom/entrypoint"
	own := `{"rules":[{"action":"block","expression":"true","action_parameters":{"response":{"status_code":404,"content_type":"text/plain","content":"no"}}}]}`
	if status, body := w.send(t, http.MethodPut, path, own); status != 400 || !strings.Contains(body, `"code":20216`) {
		t.Errorf("%d %s", status, body)
	}
	if lacks := cloudflare.Free.Lacks(); !slices.ContainsFunc(lacks, func(l string) bool { return strings.Contains(l, "403") }) {
		t.Errorf("the plan is told to lack %q", lacks)
	}
	if lacks := cloudflare.Enterprise.Lacks(); len(lacks) > 0 {
		t.Errorf("the largest plan is told to lack %q", lacks)
	}
}

// Without the secret gateways would stop believing the zone.
func TestTheSecretsRuleIsNotDeletedByForgettingTheSecret(t *testing.T) {
	t.Parallel()
	w := open(t, cloudflare.Pro)
	s := shop(t, cloudflare.Pro)
	w.apply(t, s)
	s.EdgeSecret = ""
	desired, err := cloudflare.Desired(s)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.client.Diff(t.Context(), desired); err == nil || !strings.Contains(err.Error(), "MERIDIAN_EDGE_SECRET") {
		t.Errorf("the secret's rule would be deleted: %v", err)
	}
	if again := w.apply(t, shop(t, cloudflare.Pro)); !again.Empty() {
		t.Errorf("something was changed: %v", again.Changes)
	}
}

// Two clients write their zones at once; the race detector watches.
func TestTwoZonesAreWrittenAtOnce(t *testing.T) {
	t.Parallel()
	done := make(chan error, 2)
	for range 2 {
		w := open(t, cloudflare.Enterprise)
		desired, err := cloudflare.Desired(shop(t, cloudflare.Enterprise))
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			diff, err := w.client.Diff(t.Context(), desired)
			if err == nil {
				err = w.client.Apply(t.Context(), diff)
			}
			done <- err
		}()
	}
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func TestAPurgeThatComesTooOftenIsMadeAgain(t *testing.T) {
	t.Parallel()
	w := open(t, cloudflare.Pro)
	var asked atomic.Int32
	var first, second time.Time
	limited := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, r *http.Request) {
		if asked.Add(1) == 1 {
			first = time.Now()
			writer.Header().Set("Content-Type", "application/json")
			writer.Header().Set("Retry-After", "1")
			writer.WriteHeader(http.StatusTooManyRequests)
			if _, err := writer.Write([]byte(`{"success":false,"errors":[{"code":971,"message":"too often"}],"messages":[],"result":null}`)); err != nil {
				t.Error(err)
			}
			return
		}
		second = time.Now()
		w.server.Config.Handler.ServeHTTP(writer, r)
	}))
	t.Cleanup(limited.Close)
	access := w.access
	access.URL = limited.URL
	purger, err := cloudflare.NewPurger(access, cloudflare.Pro, 1, cloudflare.NewPurgeMetrics(prometheus.NewRegistry()))
	if err != nil {
		t.Fatal(err)
	}
	if err := purger.Tags(t.Context(), "product:1"); err != nil {
		t.Fatal(err)
	}
	if asked.Load() != 2 || !slices.Equal(w.edge.purged, []string{"tag product:1"}) {
		t.Errorf("asked %d times; purged %v", asked.Load(), w.edge.purged)
	}
	if waited := second.Sub(first); waited < time.Second {
		t.Errorf("it asked again after %s, before the second that it was told to wait", waited)
	}
}
