package control_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/meridian-store/meridian/edge/cloudflare"
)

// Whoever is told to wait is told until there is a turn again: on the smallest plan twelve seconds.
func TestWhoPurgesTooOftenIsToldHowLongToWait(t *testing.T) {
	t.Parallel()
	for plan, want := range map[cloudflare.Plan]string{cloudflare.Free: "12", cloudflare.Pro: "1", cloudflare.Enterprise: "1"} {
		w := open(t, plan)
		now := time.Now()
		w.config.Now = func() time.Time { return now }
		w.serve(t)
		var last *http.Response
		for range plan.Limits().PurgeBurst + 1 {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.server.URL+"/client/v4/zones/"+zone+"/purge_cache", strings.NewReader(`{"tags":["a"]}`))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Authorization", "Bearer "+token)
			if last, err = http.DefaultClient.Do(request); err != nil {
				t.Fatal(err)
			}
			if err := last.Body.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if got := last.Header.Get("Retry-After"); last.StatusCode != http.StatusTooManyRequests || got != want {
			t.Errorf("%s: %d with Retry-After %q, want 429 with %q", plan, last.StatusCode, got, want)
		}
	}
}
