package emulator_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
)

// gossip answers with everything the origin was told, and asks for it to be kept.
func gossip(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("CDN-Cache-Control", "max-age=2")
	w.Header().Set("Cache-Control", "public, max-age=2")
	w.Header().Set("Traceparent", r.Header.Get("Traceparent"))
	w.Header().Set("X-RateLimit-Remaining", "41")
	w.Header().Set("RateLimit", "limit=100, remaining=41")
	w.Header().Set("X-Request-Id", "req-1")
	fmt.Fprintf(w, "host %s target %s\n", r.Host, r.RequestURI)
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		if name != "Traceparent" {
			fmt.Fprintln(w, name, r.Header[name])
		}
	}
}

// secretsOf gives headers of one shopper, each with a text that is theirs alone.
func secretsOf(shopper int) (headers []string, secret string) {
	secret = fmt.Sprintf("%d-is-mine", 1000+shopper)
	for _, name := range []string{
		"Authorization", "Cookie", "X-Cart-Id", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Original-URL",
		"X-Real-IP", "CF-IPCountry", "CF-Connecting-IP", "Origin", "Referer", "Accept", "Accept-Language", "User-Agent", "X-Custom",
		"If-None-Match", "Range", "Cache-Control", "Idempotency-Key",
	} {
		headers = append(headers, name+": "+secret)
	}
	return append(headers, fmt.Sprintf("Traceparent: 00-%032x-%016x-01", 1000+shopper, 1000+shopper)), secret
}

func TestACachedAnswerNeverCarriesAShoppersData(t *testing.T) {
	t.Parallel()
	w := start(t, threeGateways(t, gossip))
	targets := []string{"/api/v1/products", "/api/v1/products/shirt", "/api/v1/categories", "/api/v1/products?brand=x"}
	var mu sync.Mutex
	bodies := make(map[string]string)
	var all sync.WaitGroup
	for shopper := range 20 {
		all.Go(func() {
			headers, secret := secretsOf(shopper)
			for _, target := range targets {
				poisoned := target
				if strings.Contains(target, "?") {
					poisoned += "&"
				} else {
					poisoned += "?"
				}
				poisoned += "callback=" + secret
				got, err := w.try(http.MethodGet, poisoned, "", headers...)
				if err != nil || got.StatusCode != http.StatusOK {
					t.Errorf("got %d %v", got.StatusCode, err)
					continue
				}
				if strings.Contains(got.body, "-is-mine") {
					t.Errorf("%s of shopper %d holds a shopper's data: %s", target, shopper, got.body)
				}
				for _, name := range []string{"X-RateLimit-Remaining", "RateLimit", "X-Request-Id"} {
					if value := got.Header.Get(name); value != "" {
						t.Errorf("%s of one request was kept for others: %s", name, value)
					}
				}
				if parent := got.Header.Get("Traceparent"); parent != fmt.Sprintf("00-%032x-%016x-01", 1000+shopper, 1000+shopper) {
					t.Errorf("shopper %d got the trace %s", shopper, parent)
				}
				mu.Lock()
				if first, ok := bodies[target]; ok && first != got.body {
					t.Errorf("%s differs between shoppers:\n%s\n%s", target, first, got.body)
				}
				bodies[target] = got.body
				mu.Unlock()
			}
		})
	}
	all.Wait()
}

func TestABypassedAnswerIsAlwaysTheShoppersOwn(t *testing.T) {
	t.Parallel()
	w := start(t, threeGateways(t, gossip))
	targets := []string{
		"/api/v1/cart", "/api/v1/me", "/api/v1/orders", "/api/v1/products/shirt/recommendations", "/api/v1/products/", "/api/v1/Products", "/api/v1/products/a%2Fb",
		"/api/v1/me/x.css", "/api/v1/products/x;y", "/api/v1/products?limit=%zz",
	}
	var all sync.WaitGroup
	for shopper := range 10 {
		all.Go(func() {
			_, secret := secretsOf(shopper)
			for _, target := range targets {
				for range 2 {
					got, err := w.try(http.MethodGet, target, "", "Authorization: "+secret)
					if err != nil || got.cache() != "BYPASS" || strings.Count(got.body, "-is-mine") != 1 || !strings.Contains(got.body, secret) {
						t.Errorf("%s of shopper %d: %s %v %s", target, shopper, got.cache(), err, got.body)
					}
				}
			}
		})
	}
	all.Wait()
}
