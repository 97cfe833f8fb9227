package cloudflare_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/meridian-store/meridian/edge/cloudflare"
	"github.com/meridian-store/meridian/kit/secret"
)

// okay is an API that does as it is told.
func okay(t *testing.T) *httptest.Server {
	t.Helper()
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"success":true,"errors":[],"messages":[],"result":{"id":"zone"}}`)
	}))
	t.Cleanup(api.Close)
	return api
}

// What may be spared leaves at least half of the burst for what may not.
func TestSpareTagsLeaveHalfOfTheBurst(t *testing.T) {
	t.Parallel()
	const whole = 25 // requests at once on the smallest plan, which gets one more in 12 s
	for share, want := range map[int]int{1: 12, 3: 4, 5: 2, 25: 0} {
		purger, err := cloudflare.NewPurger(cloudflare.Access{URL: okay(t).URL, Token: secret.New("token"), Zone: "zone"}, cloudflare.Free, share, cloudflare.NewPurgeMetrics(prometheus.NewRegistry()))
		if err != nil {
			t.Fatal(err)
		}
		spared := 0
		for range whole {
			done, err := purger.SpareTags(t.Context(), "search")
			if err != nil {
				t.Fatal(err)
			}
			if done {
				spared++
			}
		}
		if spared != want {
			t.Errorf("of a burst of %d were spent %d, want %d", whole/share, spared, want)
		}
		if left := purger.Within(0) / cloudflare.PurgeOperations; left != whole/share-want {
			t.Errorf("of a burst of %d are left %d", whole/share, left)
		}
	}
}

// An attempt that fails is not made again: what it would have purged passes by itself.
func TestSpareTagsTryOnce(t *testing.T) {
	t.Parallel()
	asked := 0
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		w.WriteHeader(http.StatusBadGateway)
	}))
	t.Cleanup(api.Close)
	purger, err := cloudflare.NewPurger(cloudflare.Access{URL: api.URL, Token: secret.New("token"), Zone: "zone"}, cloudflare.Enterprise, 1, cloudflare.NewPurgeMetrics(prometheus.NewRegistry()))
	if err != nil {
		t.Fatal(err)
	}
	if done, err := purger.SpareTags(t.Context(), "search"); done || err == nil || asked != 1 {
		t.Errorf("done: %t, asked %d times, %v", done, asked, err)
	}
}

// A purger that has purged a lot lately can purge less, and never less than in one request.
func TestWithinCountsWhatWasPurgedLately(t *testing.T) {
	t.Parallel()
	api := okay(t)
	const share = 5 // of the smallest plan's burst of 25 requests
	purger, err := cloudflare.NewPurger(cloudflare.Access{URL: api.URL, Token: secret.New("token"), Zone: "zone"}, cloudflare.Free, share, cloudflare.NewPurgeMetrics(prometheus.NewRegistry()))
	if err != nil {
		t.Fatal(err)
	}
	for requests := 5; requests > 0; requests-- {
		if got := purger.Within(2 * time.Second); got != requests*cloudflare.PurgeOperations {
			t.Errorf("with %d requests left: %d tags", requests, got)
		}
		if err := purger.Tags(t.Context(), "product:1"); err != nil {
			t.Fatal(err)
		}
	}
	if got := purger.Within(2 * time.Second); got != cloudflare.PurgeOperations {
		t.Errorf("with no request left: %d tags, want as many as one takes", got)
	}
}
