package gateway_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/local/kittest"
	"github.com/meridian-store/meridian/services/gateway"
)

func TestTokensAreVerifiedWhereTheTableSaysSo(t *testing.T) {
	t.Parallel()
	shop := kittest.Start(t, gateway.Definition())
	for _, name := range []string{contract.ServiceCatalog, contract.ServiceCart} {
		shop.Neighbour(t, name, echo(t, name))
	}
	with := func(token string) map[string]string { return map[string]string{"Authorization": token} }
	forged := shop.Token(t, contract.RoleAdmin) + "x"

	for _, refused := range []map[string]string{nil, with("Bearer nonsense"), with(forged), with("Basic YWRtaW46YWRtaW4=")} {
		response := shop.Do(t, http.MethodPost, "/api/v1/admin/products", map[string]string{}, nil, refused)
		problem(t, response, http.StatusUnauthorized)
		if response.Header.Get("WWW-Authenticate") == "" {
			t.Error("a 401 must say how to authenticate")
		}
	}
	for _, role := range []string{contract.RoleShopper, contract.RoleSupport} {
		problem(t, shop.Do(t, http.MethodPost, "/api/v1/admin/products", map[string]string{}, nil, with(shop.Token(t, role))), http.StatusForbidden)
	}
	var got heard
	admin := shop.Token(t, contract.RoleAdmin)
	shop.Do(t, http.MethodPost, "/api/v1/admin/products", map[string]string{}, &got, with(admin))
	if got.Header.Get("Authorization") != admin {
		t.Error("the service cannot verify the token again: it did not get it")
	}

	problem(t, shop.Do(t, http.MethodGet, "/api/v1/cart", nil, nil, with(forged)), http.StatusUnauthorized)
	got = heard{}
	shop.Do(t, http.MethodGet, "/api/v1/cart", nil, &got, map[string]string{"X-Cart-Id": "crt_use_1.s", "Cookie": "cart=crt_use_1.s"})
	if got.Header.Get("X-Cart-Id") != "crt_use_1.s" || got.Header.Get("Cookie") != "cart=crt_use_1.s" {
		t.Errorf("a guest's cart did not reach the cart service: %v", got.Header)
	}
	got = heard{}
	shop.Do(t, http.MethodGet, "/api/v1/cart", nil, &got, with(shop.Token(t, contract.RoleShopper)))
	if got.Who != contract.ServiceCart {
		t.Error("a shopper with a token could not see the cart")
	}
}

func TestCatalogReadsNeverLearnWhoAsks(t *testing.T) {
	t.Parallel()
	shop := kittest.Start(t, gateway.Definition())
	shop.Neighbour(t, contract.ServiceCatalog, echo(t, contract.ServiceCatalog))
	var got heard
	shop.Do(t, http.MethodGet, "/api/v1/products", nil, &got, map[string]string{
		"Authorization": "Bearer expired", "Cookie": "cart=crt_use_1.s; session=1", "X-Cart-Id": "crt_use_1.s",
		"X-Edge-Auth": shop.Settings["MERIDIAN_EDGE_SECRET"], "CF-IPCountry": "IE", "Accept-Language": "en-IE",
	})
	for _, name := range []string{"Authorization", "Cookie", "X-Cart-Id", "Cf-Ipcountry"} {
		if value := got.Header.Get(name); value != "" {
			t.Errorf("the catalog heard %s: %s", name, value)
		}
	}
	if got.Who != contract.ServiceCatalog || got.Header.Get("Accept-Language") != "en-IE" {
		t.Errorf("the request came as %+v", got)
	}
}

func TestPoisonNeverReachesAService(t *testing.T) {
	t.Parallel()
	shop := kittest.Start(t, gateway.Definition())
	shop.Neighbour(t, contract.ServiceCart, echo(t, contract.ServiceCart))
	poison := map[string]string{
		"X-Meridian-Internal": shop.Env.InternalSecret.Current(), "X-Region": "eu-west", "X-Forwarded-For": "1.2.3.4", "X-Forwarded-Host": "evil.example",
		"X-Original-URL": "/internal/v1/stock", "X-HTTP-Method-Override": "DELETE", "Forwarded": "host=evil.example", "TE": "trailers",
		"Proxy-Authorization": "Basic x", "Keep-Alive": "timeout=9", "X-Real-IP": "1.2.3.4", "True-Client-IP": "1.2.3.4",
		"CF-IPCountry": "US", "CF-IPLatitude": "1", "CF-IPLongitude": "2", "CF-Connecting-IP": "1.2.3.4", "CF-Worker": "evil.example",
		"Connection": "X-Named, close", "X-Named": "for this hop alone", "X-Harmless": "passes",
	}
	for _, test := range []struct {
		name, edge string
		place      string
	}{
		{"from a stranger", "", ""},
		{"from a stranger who guesses", "guess", ""},
		{"from the edge", shop.Settings["MERIDIAN_EDGE_SECRET"], "US"},
	} {
		poison["X-Edge-Auth"] = test.edge
		var got heard
		shop.Do(t, http.MethodGet, "/api/v1/cart", nil, &got, poison)
		if got.Header.Get("Cf-Ipcountry") != test.place {
			t.Errorf("%s: the country came as %q, want %q", test.name, got.Header.Get("Cf-Ipcountry"), test.place)
		}
		if got.Header.Get("X-Harmless") != "passes" {
			t.Errorf("%s: a harmless header got lost", test.name)
		}
		for name := range got.Header {
			bad := strings.HasPrefix(name, "X-Forwarded-") || strings.HasPrefix(name, "Cf-") && test.place == ""
			if _, sent := poison[name]; bad || sent && name != "X-Harmless" {
				t.Errorf("%s: the service heard %s: %q", test.name, name, got.Header[name])
			}
		}
		for _, name := range []string{"X-Meridian-Internal", "X-Edge-Auth", "X-Original-Url", "X-Http-Method-Override", "Te", "Cf-Connecting-Ip", "Cf-Worker", "X-Named"} {
			if value, there := got.Header[name]; there {
				t.Errorf("%s: the service heard %s: %q", test.name, name, value)
			}
		}
	}
}

func TestCheckoutNeedsItsKey(t *testing.T) {
	t.Parallel()
	shop := kittest.Start(t, gateway.Definition())
	shop.Neighbour(t, contract.ServiceOrder, echo(t, contract.ServiceOrder))
	missing := problem(t, shop.Do(t, http.MethodPost, "/api/v1/checkout", map[string]string{}, nil), http.StatusBadRequest)
	if missing.Code() != contract.CodeKeyMissing {
		t.Errorf("the problem is %s", missing.Type)
	}
	long := map[string]string{"Idempotency-Key": strings.Repeat("k", 256)}
	problem(t, shop.Do(t, http.MethodPost, "/api/v1/checkout", map[string]string{}, nil, long), http.StatusBadRequest)
	var got heard
	shop.Do(t, http.MethodPost, "/api/v1/checkout", map[string]string{}, &got, map[string]string{"Idempotency-Key": "k1"})
	if got.Header.Get("Idempotency-Key") != "k1" {
		t.Error("the key did not reach the order service")
	}
}

func TestBodiesAreBounded(t *testing.T) {
	t.Parallel()
	shop := kittest.Start(t, gateway.Definition())
	shop.Neighbour(t, contract.ServiceCart, echo(t, contract.ServiceCart))
	limit := []byte(strings.Repeat("a", gateway.DefaultBodyLimit))
	var got heard
	shop.Do(t, http.MethodPost, "/api/v1/cart/items", limit, &got)
	if len(got.Body) != gateway.DefaultBodyLimit {
		t.Errorf("%d bytes came", len(got.Body))
	}
	problem(t, shop.Do(t, http.MethodPost, "/api/v1/cart/items", append(limit, 'a'), nil), http.StatusRequestEntityTooLarge)
	packed := map[string]string{"Content-Encoding": "gzip"}
	problem(t, shop.Do(t, http.MethodPost, "/api/v1/cart/items", []byte("x"), nil, packed), http.StatusBadRequest)
}

func TestAMissingServiceIsNamedSoon(t *testing.T) {
	t.Parallel()
	shop := kittest.Start(t, gateway.Definition())
	response := shop.Do(t, http.MethodGet, "/api/v1/products", nil, nil)
	missing := problem(t, response, http.StatusServiceUnavailable)
	if missing.Code() != contract.CodeUnavailable || !strings.Contains(missing.Detail, "catalog") || response.Header.Get("Retry-After") != "1" {
		t.Errorf("%+v, Retry-After %q", missing, response.Header.Get("Retry-After"))
	}
	if ready := shop.Do(t, http.MethodGet, "/ready", nil, nil); ready.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("without a catalog the gateway says ready with %d", ready.StatusCode)
	}
	shop.Neighbour(t, contract.ServiceCart, echo(t, contract.ServiceCart)) // which has nothing to take in
	if ready := shop.Do(t, http.MethodGet, "/ready", nil, nil); ready.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("with a cart alone the gateway says ready with %d", ready.StatusCode)
	}
	shop.Neighbour(t, contract.ServiceCatalog, echo(t, contract.ServiceCatalog))
	kittest.Eventually(t, func() error { return status(shop.Do(t, http.MethodGet, "/ready", nil, nil), http.StatusOK) })
}

func TestASlowServiceIsGivenUpOn(t *testing.T) {
	t.Parallel()
	shop := kittest.Start(t, gateway.DefinitionOf(`
routes:
  - {path: /api/v1/cart, methods: [GET], service: cart, auth: none, timeout: 200ms}
`))
	released := make(chan struct{})
	asked := make(chan struct{}, 8)
	shop.Neighbour(t, contract.ServiceCart, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		asked <- struct{}{}
		<-released
	}))
	t.Cleanup(func() { close(released) })
	started := time.Now()
	slow := problem(t, shop.Do(t, http.MethodGet, "/api/v1/cart", nil, nil), http.StatusServiceUnavailable)
	if !strings.Contains(slow.Detail, "cart") || time.Since(started) < 200*time.Millisecond {
		t.Errorf("given up after %s: %s", time.Since(started), slow.Detail)
	}
	if len(asked) != 1 {
		t.Errorf("a service that is too slow was asked %d times", len(asked))
	}
}
