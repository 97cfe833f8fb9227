package cloudflare_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/meridian-store/meridian/edge/cloudflare"
)

// A purger that has purged a lot lately can purge less, and never less than in one request.
func TestWithinCountsWhatWasPurgedLately(t *testing.T) {
	t.Parallel()
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"success":true,"errors":[],"messages":[],"result":{"id":"zone"}}`)
	}))
	t.Cleanup(api.Close)
	const share = 5 // of the smallest plan's burst of 25 requests
	purger, err := cloudflare.NewPurger(cloudflare.Access{URL: api.URL, Token: "token", Zone: "zone"}, cloudflare.Free, share, cloudflare.NewPurgeMetrics(prometheus.NewRegistry()))
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
