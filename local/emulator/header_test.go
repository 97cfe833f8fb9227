package emulator_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/meridian-store/meridian/edge/rule"
	"github.com/meridian-store/meridian/local/emulator"
)

// seen is what the origin got.
func seen(t *testing.T, method, target, body string, headers ...string) (*http.Request, string, reply) {
	t.Helper()
	type arrival struct {
		request *http.Request
		body    string
	}
	arrivals := make(chan arrival, 10)
	w := start(t, []*gateway{newGateway(t, "us-east", ashburn, func(w http.ResponseWriter, r *http.Request) {
		content, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		arrivals <- arrival{r, string(content)}
		w.Header().Set("X-Kept", "yes")
		w.Header().Set("X-Hop", "secret of this connection")
		w.Header().Set("Connection", "X-Hop")
		w.Header().Add("Set-Cookie", "a=1; Path=/")
		w.Header().Add("Set-Cookie", "b=2; HttpOnly")
		w.Header().Set("CDN-Cache-Control", "no-store")
		w.WriteHeader(http.StatusCreated)
		fmt.Fprint(w, "created")
	})})
	answer := w.do(method, target, body, headers...)
	select {
	case a := <-arrivals:
		return a.request, a.body, answer
	default:
		t.Fatalf("nothing reached the origin; the edge answered %d %s", answer.StatusCode, answer.body)
		return nil, "", reply{}
	}
}

func TestForwardedRequestsArriveAsTheyWere(t *testing.T) {
	t.Parallel()
	target := "/api/v1/cart/items?b=2&a=%31&a=x+y&flag"
	got, body, answer := seen(t, http.MethodPost, target, `{"sku":"A"}`,
		"Cookie: cart=c.secret; theme=dark", "Authorization: Bearer t", "Idempotency-Key: k1", "Content-Type: application/json",
		"Traceparent: "+unluckyTrace, "Accept-Encoding: br", "User-Agent: shopper/1")
	if got.RequestURI != target || body != `{"sku":"A"}` || got.Method != http.MethodPost {
		t.Errorf("got %s %s %q", got.Method, got.RequestURI, body)
	}
	for name, want := range map[string]string{
		"Cookie": "cart=c.secret; theme=dark", "Authorization": "Bearer t", "Idempotency-Key": "k1", "Content-Type": "application/json",
		"Traceparent": unluckyTrace, "Accept-Encoding": "br", "User-Agent": "shopper/1",
		"Cf-Ipcountry": "US", "Cf-Iplatitude": "38.944", "Cf-Iplongitude": "-77.456", "X-Edge-Location": "IAD",
		"X-Edge-Auth": "only-the-edge-knows", "X-Forwarded-For": "127.0.0.1",
	} {
		if values := got.Header.Values(name); len(values) != 1 || values[0] != want {
			t.Errorf("%s arrived as %q, want %q", name, values, want)
		}
	}
	if answer.StatusCode != http.StatusCreated || answer.body != "created" || answer.cache() != "BYPASS" ||
		answer.Header.Get("X-Kept") != "yes" || len(answer.Header.Values("Set-Cookie")) != 2 {
		t.Errorf("the answer came back as %d %q %v", answer.StatusCode, answer.body, answer.Header)
	}
	if answer.Header.Get("X-Hop") != "" || answer.Header.Get("Cdn-Cache-Control") != "" {
		t.Errorf("the answer kept what is not the browser's: %v", answer.Header)
	}
}

func TestWhatAShopperMayNotSay(t *testing.T) {
	t.Parallel()
	lies := []string{
		"CF-IPCountry", "cf-iplatitude", "cf-iplongitude", "CF-Ray", "CF-Connecting-IP", "X-Forwarded-For", "X-Forwarded-Host",
		"X-Forwarded-Proto", "X-Forwarded-Prefix", "X-Real-IP", "True-Client-IP", "Forwarded", "Via", "X-Original-URL", "X-Rewrite-URL",
		"X-HTTP-Method-Override", "X-Host", "X-Edge-Auth", "X-Edge-Anything", "X-Meridian-Internal", "X_Forwarded_For",
		"Te", "Upgrade", "Proxy-Authorization", "Keep-Alive", "X-Listed",
	}
	headers := []string{"Connection: X-Listed, Upgrade"}
	for _, name := range lies {
		headers = append(headers, name+": lie")
	}
	got, _, _ := seen(t, http.MethodGet, "/api/v1/cart", "", headers...)
	for name, values := range got.Header {
		for _, value := range values {
			if value == "lie" {
				t.Errorf("%s reached the origin", name)
			}
		}
	}
	if strings.Contains(got.Host, "lie") {
		t.Errorf("Host is %s", got.Host)
	}
}

func TestConnectionCannotRemoveWhatTheEdgeSays(t *testing.T) {
	t.Parallel()
	got, _, _ := seen(t, http.MethodGet, "/api/v1/cart", "", "Connection: X-Edge-Auth, CF-IPCountry, X-Forwarded-For")
	for _, name := range []string{"X-Edge-Auth", "Cf-Ipcountry", "X-Forwarded-For"} {
		if got.Header.Get(name) == "" {
			t.Errorf("%s was removed", name)
		}
	}
}

func TestBodilessForwards(t *testing.T) {
	t.Parallel()
	w := start(t, []*gateway{newGateway(t, "us-east", ashburn, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodDelete {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		w.Header().Set("Content-Length", "12345")
	})})
	if got := w.do(http.MethodHead, "/api/v1/orders", ""); got.ContentLength != 12345 || got.cache() != "BYPASS" {
		t.Errorf("HEAD said %d bytes, %s", got.ContentLength, got.cache())
	}
	if got := w.do(http.MethodDelete, "/api/v1/cart", ""); got.StatusCode != http.StatusNoContent || got.body != "" {
		t.Errorf("DELETE got %d %q", got.StatusCode, got.body)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	only := newGateway(t, "us-east", ashburn, func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, strings.Repeat("x", 5000))
	})
	w := start(t, []*gateway{only}, func(c *emulator.Config) { c.MaxRequestBody, c.MaxResponseBody = 1000, 4000 })
	rules, err := rule.Default()
	if err != nil {
		t.Fatal(err)
	}
	odd := func(target string) string {
		t.Helper()
		_, err := rules.Decide(http.MethodGet, target)
		if err == nil {
			t.Fatalf("%s is not refused", target)
		}
		return err.Error()
	}
	for _, tc := range []struct {
		name, raw, want string
		status          int
		reachesOrigin   bool
	}{
		{"an unknown location", "GET /api/v1/products HTTP/1.1\r\nHost: a\r\nX-Edge-Location: XXX\r\n\r\n", "X-Edge-Location", 400, false},
		{"a location in lower case", "GET /api/v1/products HTTP/1.1\r\nHost: a\r\nX-Edge-Location: dub\r\n\r\n", "X-Edge-Location", 400, false},
		{
			"a path that hides dots", "GET /api/v1/products%2f..%2fme HTTP/1.1\r\nHost: a\r\n\r\n",
			odd("/api/v1/products%2f..%2fme"), 400, false,
		},
		{
			"a path with dots", "GET /api/v1/products/../me HTTP/1.1\r\nHost: a\r\n\r\n",
			odd("/api/v1/products/../me"), 400, false,
		},
		{
			"an absolute target", "GET http://a/api/v1/products HTTP/1.1\r\nHost: a\r\n\r\n",
			odd("http://a/api/v1/products"), 400, false,
		},
		{"another method", "TRACE /api/v1/products HTTP/1.1\r\nHost: a\r\n\r\n", "problems/invalid", 405, false},
		{"no HTTP", "hello\r\n\r\n", "problems/invalid", 400, false},
		{
			"large headers", "GET / HTTP/1.1\r\nHost: a\r\nX-Large: " + strings.Repeat("x", 20000) + "\r\n\r\n",
			"problems/too-large", 431, false,
		},
		{
			"a large body", "POST /api/v1/cart HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n" + strings.Repeat("x", 1001),
			"problems/too-large", 413, false,
		},
		{"a large answer", "GET /api/v1/cart HTTP/1.1\r\nHost: a\r\n\r\n", "problems/unavailable", 502, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			before := only.requests.Load()
			response, body := w.raw(tc.raw)
			if response.StatusCode != tc.status || response.Header.Get("Content-Type") != "application/problem+json" || !strings.Contains(body, tc.want) {
				t.Errorf("got %d %s %s", response.StatusCode, response.Header.Get("Content-Type"), body)
			}
			if reached := only.requests.Load() > before; reached != tc.reachesOrigin {
				t.Errorf("reached the origin: %v", reached)
			}
		})
	}
}

// raw sends bytes as they are, which a well-behaved client would not let us.
func (w *world) raw(request string) (*http.Response, string) {
	w.t.Helper()
	conn, err := net.Dial("tcp", w.edge.Addr())
	if err != nil {
		w.t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		w.t.Fatal(err)
	}
	if _, err := io.WriteString(conn, request); err != nil {
		w.t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return response, string(body)
}
