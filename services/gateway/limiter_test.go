package gateway_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/secret"
	"github.com/meridian-store/meridian/local/engine/enginetest"
	"github.com/meridian-store/meridian/local/kittest"
	"github.com/meridian-store/meridian/services/gateway"
)

// tight allows 30 requests in 30 s: a window that no slow machine outlasts between two requests.
const tight = `
limits:
  each-client: {per_second: 1, burst: 30, by: client}
  each-cart: {per_second: 1, burst: 40, by: cart}
routes:
  - {path: /api/v1/orders, methods: [GET], service: order, auth: optional, limits: [each-client]}
  - {path: /api/v1/cart, methods: [GET], service: cart, auth: optional, limits: [each-cart]}
  - {path: /api/v1/products, methods: [GET], service: catalog, auth: none}
`

func limited(t *testing.T, redis, password string) *kittest.Service {
	t.Helper()
	shop := kittest.Start(t, gateway.DefinitionOf(tight))
	shop.Env.RedisAddress, shop.Env.RedisPassword = redis, secret.New(password)
	shop.Restart(t)
	for _, name := range []string{contract.ServiceOrder, contract.ServiceCart, contract.ServiceCatalog} {
		shop.Neighbour(t, name, echo(t, name))
	}
	return shop
}

func TestLimitsAreKeptForEachClientAndCart(t *testing.T) {
	t.Parallel()
	redis, password := enginetest.Redis(t)
	shop := limited(t, redis, password)
	from := func(address, cart string) map[string]string {
		return map[string]string{"X-Edge-Auth": shop.Settings["MERIDIAN_EDGE_SECRET"], "X-Forwarded-For": "6.6.6.6, " + address, "X-Cart-Id": cart}
	}
	// Redis is connected in the background: until then nothing is counted.
	kittest.Eventually(t, func() error {
		if got := shop.Do(t, http.MethodGet, "/api/v1/orders", nil, nil, from("9.9.9.9", "")); got.Header.Get("RateLimit") == "" {
			return fmt.Errorf("no RateLimit yet")
		}
		return nil
	})
	for i := range 30 {
		response := shop.Do(t, http.MethodGet, "/api/v1/orders", nil, nil, from("10.0.0.1", ""))
		if err := status(response, http.StatusOK); err != nil {
			t.Fatalf("request %d: %v", i+1, err)
		}
		if want := fmt.Sprintf(`"each-client";r=%d;t=`, 29-i); !strings.HasPrefix(response.Header.Get("RateLimit"), want) {
			t.Fatalf("RateLimit is %q, want %s…", response.Header.Get("RateLimit"), want)
		}
		if policy := response.Header.Get("RateLimit-Policy"); policy != `"each-client";q=30;w=30` {
			t.Fatalf("RateLimit-Policy is %q", policy)
		}
	}
	response := shop.Do(t, http.MethodGet, "/api/v1/orders", nil, nil, from("10.0.0.1", ""))
	problem(t, response, http.StatusTooManyRequests)
	if !regexp.MustCompile(`^([1-9]|[12]\d|30)$`).MatchString(response.Header.Get("Retry-After")) || !strings.HasPrefix(response.Header.Get("RateLimit"), `"each-client";r=0`) {
		t.Errorf("Retry-After %q, RateLimit %q", response.Header.Get("Retry-After"), response.Header.Get("RateLimit"))
	}
	if err := status(shop.Do(t, http.MethodGet, "/api/v1/orders", nil, nil, from("10.0.0.2", "")), http.StatusOK); err != nil {
		t.Errorf("another client is limited too: %v", err)
	}
	// A stranger's word on the address is not believed, so it cannot escape its own.
	for i := range 31 {
		forged := map[string]string{"X-Forwarded-For": fmt.Sprintf("10.1.0.%d", i)}
		response = shop.Do(t, http.MethodGet, "/api/v1/orders", nil, nil, forged)
	}
	problem(t, response, http.StatusTooManyRequests)

	for i := range 41 {
		response = shop.Do(t, http.MethodGet, "/api/v1/cart", nil, nil, from(fmt.Sprintf("10.2.0.%d", i), fmt.Sprintf("crt_use_1.secret%d", i)))
	}
	problem(t, response, http.StatusTooManyRequests)
	if err := status(shop.Do(t, http.MethodGet, "/api/v1/cart", nil, nil, from("10.2.0.1", "crt_use_2.s")), http.StatusOK); err != nil {
		t.Errorf("another cart is limited too: %v", err)
	}
	if catalog := shop.Do(t, http.MethodGet, "/api/v1/products", nil, nil, from("10.0.0.1", "")); catalog.StatusCode != http.StatusOK || catalog.Header.Get("RateLimit") != "" {
		t.Errorf("a catalog read was counted: %d, %q", catalog.StatusCode, catalog.Header.Get("RateLimit"))
	}
}

func TestWithoutRedisTheShopSells(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	shop := limited(t, nobody, "")
	for range 50 {
		if err := status(shop.Do(t, http.MethodGet, "/api/v1/orders", nil, nil), http.StatusOK); err != nil {
			t.Fatal(err)
		}
	}
	metrics, err := io.ReadAll(shop.Do(t, http.MethodGet, "/metrics", nil, nil).Body)
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`(?m)^meridian_gateway_limiter_failures_total [1-9]`).Match(metrics) {
		t.Error("the missing limiter is not in the metrics")
	}
}

// status is an error unless the answer has it.
func status(response *http.Response, want int) error {
	if response.StatusCode != want {
		return fmt.Errorf("status %d, want %d", response.StatusCode, want)
	}
	return nil
}
