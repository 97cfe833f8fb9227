package emulator_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// admin reads an operators' page.
func (w *world) admin(path string) (int, string) {
	w.t.Helper()
	response, err := w.client.Get("http://" + w.edge.AdminAddr() + path)
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// metric gives the value of the series with exactly this name and labels, -1 when there is none.
func (w *world) metric(series string) float64 {
	w.t.Helper()
	_, page := w.admin("/metrics")
	lines := bufio.NewScanner(strings.NewReader(page))
	for lines.Scan() {
		if text, ok := strings.CutPrefix(lines.Text(), series+" "); ok {
			value, err := strconv.ParseFloat(text, 64)
			if err != nil {
				w.t.Fatal(err)
			}
			return value
		}
	}
	return -1
}

func TestOperatorsPages(t *testing.T) {
	t.Parallel()
	gateways := threeGateways(t, product)
	w := start(t, gateways)
	gateways[2].unready.Store(true)
	w.awaitHealth("ap-southeast", "down")
	for _, path := range []string{"/health", "/ready"} {
		code, body := w.admin(path)
		var got struct {
			Status  string
			Origins []struct{ Region, URL, Health string }
		}
		if err := json.Unmarshal([]byte(body), &got); err != nil {
			t.Fatal(err)
		}
		if code != http.StatusOK || got.Status != "ok" || len(got.Origins) != 3 || got.Origins[0].Health != "down" || got.Origins[2].Health != "up" {
			t.Errorf("%s answered %d %s", path, code, body)
		}
	}
	w.get("/api/v1/products")
	w.get("/api/v1/products")
	w.get("/api/v1/cart")
	for series, want := range map[string]float64{
		`meridian_edge_answers_total{location="IAD",result="MISS"}`:                               1,
		`meridian_edge_answers_total{location="IAD",result="HIT"}`:                                1,
		`meridian_edge_answers_total{location="IAD",result="BYPASS"}`:                             1,
		`meridian_edge_origin_requests_total{from="us-east",outcome="answered",region="us-east"}`: 2,
		`meridian_edge_origin_requests_total{from="us-east",outcome="unsent",region="us-east"}`:   0,
		`meridian_edge_origin_up{from="us-east",region="us-east"}`:                                1,
		`meridian_edge_origin_up{from="ap-southeast",region="ap-southeast"}`:                      0,
	} {
		if got := w.metric(series); got != want {
			t.Errorf("%s is %v, want %v", series, got, want)
		}
	}
}

// A gateway answers operators at /metrics and the like; through the edge those pages are not there, the public API all is.
func TestOperatorsPagesAreNotForShoppers(t *testing.T) {
	t.Parallel()
	gateways := threeGateways(t, product)
	w := start(t, gateways)
	for _, path := range []string{"/health", "/ready", "/metrics", "/Metrics", "/%6detrics", "/internal/v1/skus", "/openapi.json", "/"} {
		if got := w.get(path); got.StatusCode != http.StatusNotFound || got.region() != "" {
			t.Errorf("%s: %d from %q", path, got.StatusCode, got.region())
		}
	}
	for _, path := range []string{"/api/docs", "/api/v1/health", "/.well-known/jwks.json"} {
		if got := w.get(path); got.region() != "us-east" || got.cache() != "BYPASS" {
			t.Errorf("%s was answered by %q, %s", path, got.region(), got.cache())
		}
	}
}
