package emulator_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// echo answers with all of what the origin was told, to be kept for long: whatever of it one shopper chose, all would be shown.
func echo(rw http.ResponseWriter, r *http.Request) {
	rw.Header().Set("CDN-Cache-Control", "max-age=3600")
	fmt.Fprintf(rw, "%s %s host=%s", r.Method, r.RequestURI, r.Host)
	for _, name := range []string{"X-Forwarded-Host", "X-Host", "X-Original-Url", "X-Rewrite-Url", "X-Http-Method-Override", "X-Forwarded-Scheme", "X-Forwarded-Prefix", "Forwarded", "Origin", "Accept-Language", "User-Agent", "Cookie", "Authorization", "X-Cart-Id", "Transfer-Encoding", "Te"} {
		if value := r.Header.Get(name); value != "" {
			fmt.Fprintf(rw, " %s=%s", name, value)
		}
	}
	if r.ContentLength > 0 {
		fmt.Fprintf(rw, " body=%d", r.ContentLength)
	}
}

// Each attack comes first and fills the cache; then an honest shopper asks.
func TestNoAttackShapesWhatOthersAreShown(t *testing.T) {
	t.Parallel()
	const page = "/api/v1/products/shirt"
	for name, attack := range map[string]func(w *world){
		"a header that no key holds": func(w *world) {
			w.get(page, "X-Forwarded-Host: evil.example", "X-Host: evil.example", "X-Original-URL: /api/v1/me", "X-Rewrite-URL: /api/v1/me",
				"X-HTTP-Method-Override: DELETE", "X-Forwarded-Scheme: nothttps", "X-Forwarded-Prefix: /evil", "Forwarded: host=evil.example")
		},
		"a cookie and a token": func(w *world) {
			w.get(page, "Cookie: cart=crt_use_1.secret", "Authorization: Bearer mine", "X-Cart-Id: crt_use_1.secret")
		},
		"a token that is declared to be of the connection": func(w *world) {
			w.get(page, "Connection: Authorization, X-Edge-Auth, CF-IPCountry", "Authorization: Bearer mine")
		},
		"a body with a GET": func(w *world) {
			w.do(http.MethodGet, page, "currency=EUR&evil=1", "Content-Type: application/x-www-form-urlencoded")
		},
		"a method in a header, by HEAD": func(w *world) { w.do(http.MethodHead, page, "", "X-Method-Override: POST") },
		"a parameter that only the origin might read": func(w *world) {
			w.get(page + "?utm_content=x;currency=EUR")
			w.get(page + "?Currency=EUR&currency[]=EUR&_method=DELETE&callback=evil")
		},
		"an encoded separator": func(w *world) { w.get(page + "%3fcurrency=EUR"); w.get(page + "%26currency=EUR") },
		"a part of the whole":  func(w *world) { w.get(page, "Range: bytes=0-2") },
		"a condition":          func(w *world) { w.get(page, `If-None-Match: *`, "If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT") },
		"a demand to fetch":    func(w *world) { w.get(page, "Cache-Control: no-store", "Pragma: no-cache") },
		"a language":           func(w *world) { w.get(page, "Accept-Language: xx", "User-Agent: evil", "Origin: https://evil.example") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			only := newGateway(t, "us-east", ashburn, echo)
			w := start(t, []*gateway{only})
			attack(w)
			got := w.get(page)
			if want := "GET " + page + " host=" + strings.TrimPrefix(only.URL, "http://"); got.body != want || got.StatusCode != 200 {
				t.Errorf("the next shopper is shown %d %q, want %q", got.StatusCode, got.body, want)
			}
		})
	}
}

// A path that two servers could read as two different ones reaches nothing private, and what is private is never kept under a public name.
func TestNothingPrivateIsKeptUnderAnotherName(t *testing.T) {
	t.Parallel()
	private := func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("CDN-Cache-Control", "max-age=3600") // even if the origin made this mistake
		rw.Header().Set("Cache-Control", "public, max-age=3600")
		fmt.Fprintf(rw, "private of %s", r.Header.Get("Authorization"))
	}
	w := start(t, []*gateway{newGateway(t, "us-east", ashburn, private)})
	for _, target := range []string{
		"/api/v1/me", "/api/v1/me/", "/api/v1/me/x.css", "/api/v1/me/..%2fproducts", "/api/v1/cart?x=/api/v1/products", "/api/v1/cart;/api/v1/products",
		"/api/v1/orders/%2e%2e/products", "/api/v1/products/../me", "/api/v1/products/..%2fme", "/api/v1/products/%2e%2e/me", "/api/v1/products/..;/me",
		"/api/v1/products%2f..%2fme", "/api/v1//products", "/api/v1/products/%00", "/api/v1/products/x%0d%0aSet-Cookie:%20a=b", "/api/v1/products/x%23", "/api/v1/admin/products",
		"/api/v1/checkout/quote", "/API/V1/PRODUCTS/x", "/api/v1/search/../me", "/api/v1/search%2f..%2fme", "/api/v1/auth/login?q=/api/v1/search",
	} {
		mine := rawGet(t, w, target, "Authorization: Bearer mine")
		other := rawGet(t, w, target, "Authorization: Bearer other")
		if strings.Contains(other, "mine") {
			t.Errorf("%s shows one shopper's to another: %s", target, other)
		}
		if strings.Contains(mine, "HIT") || strings.Contains(other, "HIT") {
			t.Errorf("%s was kept", target)
		}
	}
}

// rawGet sends a target as it is written, which net/http would tidy up, and gives the whole answer.
func rawGet(t *testing.T, w *world, target string, headers ...string) string {
	t.Helper()
	conn, err := net.Dial("tcp", w.edge.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n%s\r\n\r\n", target, strings.Join(headers, "\r\n"))
	var answer strings.Builder
	if _, err := bufio.NewReader(conn).WriteTo(&answer); err != nil {
		t.Fatal(err)
	}
	return answer.String()
}

// What an origin says of an answer can make it unfit for others, whatever else it says.
func TestAnAnswerForOneShopperIsNotKept(t *testing.T) {
	t.Parallel()
	for _, header := range []string{
		"Set-Cookie: session=1", "Cache-Control: private, max-age=60", "Cache-Control: no-store, private", "Vary: *", "Vary: Cookie", "Vary: Accept, Authorization", "Content-Encoding: br",
	} {
		if _, second := secondRead(t, 200, "CDN-Cache-Control: max-age=3600", header); second != "MISS" {
			t.Errorf("with %s the second read is a %s", header, second)
		}
	}
	for _, status := range []int{400, 401, 403, 429, 500, 502, 503} {
		if _, second := secondRead(t, status, "CDN-Cache-Control: max-age=3600"); second != "MISS" {
			t.Errorf("a %d was kept", status)
		}
	}
}

func TestHugeQueriesFillNothing(t *testing.T) {
	t.Parallel()
	w := start(t, []*gateway{newGateway(t, "us-east", ashburn, echo)})
	for _, query := range []string{"q=" + strings.Repeat("a", 3000), strings.Repeat("a=1&", 100), "q=%zz", "q=a;b=c"} {
		for range 2 {
			if got := w.get("/api/v1/search?" + query); got.cache() == "HIT" {
				t.Errorf("%.30s… was kept", query)
			}
		}
	}
	// Within the bounds, many different questions push each other out instead of filling the memory: see TestMemoryIsBounded….
}

// Two requests in one, by a body's length that is said twice or in two ways: the second must never be answered to somebody else.
func TestAHiddenSecondRequestIsNotSeen(t *testing.T) {
	t.Parallel()
	w := start(t, []*gateway{newGateway(t, "us-east", ashburn, echo)})
	for _, framing := range []string{
		"Content-Length: 0\r\nContent-Length: 44", "Content-Length: 44\r\nTransfer-Encoding: chunked", "Transfer-Encoding: xchunked", "Content-Length: +44", "Content-Length : 44",
	} {
		conn, err := net.Dial("tcp", w.edge.Addr())
		if err != nil {
			t.Fatal(err)
		}
		if err := conn.SetDeadline(time.Now().Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "POST /api/v1/cart HTTP/1.1\r\nHost: shop\r\n%s\r\n\r\n0\r\n\r\nGET /api/v1/products/evil HTTP/1.1\r\nX: ", framing)
		_, _ = http.ReadResponse(bufio.NewReader(conn), nil) // refused or not: what counts is what the next one gets
		conn.Close()
		if got := w.get("/api/v1/products/honest"); !strings.HasPrefix(got.body, "GET /api/v1/products/honest ") {
			t.Errorf("after %q the next shopper is shown %q", framing, got.body)
		}
	}
}
