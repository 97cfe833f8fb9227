package control_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/meridian-store/meridian/edge/cloudflare"
	"github.com/meridian-store/meridian/kit/httpclient"
)

// Whoever is told to wait is told until there is a turn again: on the smallest plan twelve seconds.
func TestWhoPurgesTooOftenIsToldHowLongToWait(t *testing.T) {
	t.Parallel()
	for plan, want := range map[cloudflare.Plan]string{cloudflare.Free: "12", cloudflare.Pro: "1", cloudflare.Enterprise: "1"} {
		w := open(t, plan)
		now := time.Now()
		w.config.Now = func() time.Time { return now }
		w.serve(t)
		var last httpclient.Response
		for range plan.Limits().PurgeBurst + 1 {
			request := httpclient.Request{
				Method: http.MethodPost, URL: w.server.URL + "/client/v4/zones/" + zone + "/purge_cache",
				Header: map[string]string{"Authorization": "Bearer " + token}, Body: []byte(`{"tags":["a"]}`),
			}
			var err error
			if last, err = request.Send(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if got := last.Header.Get("Retry-After"); last.Status != http.StatusTooManyRequests || got != want {
			t.Errorf("%s: %d with Retry-After %q, want 429 with %q", plan, last.Status, got, want)
		}
	}
}
