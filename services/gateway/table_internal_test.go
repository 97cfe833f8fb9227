package gateway

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/meridian-store/meridian/contract"
)

// shipped is the table that shoppers meet.
func shipped(t testing.TB) (Table, *matcher) {
	t.Helper()
	table, err := ShippedTable()
	if err != nil {
		t.Fatal(err)
	}
	matcher, err := newMatcher(table)
	if err != nil {
		t.Fatal(err)
	}
	return table, matcher
}

func TestTheShippedTableServesThePublicAPI(t *testing.T) {
	t.Parallel()
	_, matcher := shipped(t)
	writers := []string{contract.RoleMerchandiser, contract.RoleAdmin}
	for _, want := range []struct {
		methods, path, service, auth string
		key                          bool
		limits                       int
	}{
		{"GET HEAD", "/api/v1/products", "catalog", "none", false, 0},
		{"GET HEAD", "/api/v1/products/prd_use_1", "catalog", "none", false, 0},
		{"GET HEAD", "/api/v1/categories", "catalog", "none", false, 0},
		{"GET HEAD", "/api/v1/inventory/SKU-1", "inventory", "none", false, 0},
		{"POST", "/api/v1/auth/login", "identity", "optional", false, 1},
		{"GET PATCH DELETE", "/api/v1/me", "identity", "shopper support merchandiser admin", false, 1},
		{"PUT DELETE", "/api/v1/me/addresses/adr_use_1", "identity", "shopper support merchandiser admin", false, 1},
		{"PUT", "/api/v1/admin/users/usr_use_1/role", "identity", "admin", false, 1},
		{"GET HEAD", "/.well-known/jwks.json", "identity", "none", false, 0},
		{"GET DELETE", "/api/v1/cart", "cart", "optional", false, 1},
		{"POST", "/api/v1/cart/items", "cart", "optional", false, 1},
		{"PUT DELETE", "/api/v1/cart/items/SKU-1", "cart", "optional", false, 1},
		{"POST", "/api/v1/cart/promotions", "cart", "optional", false, 1},
		{"POST", "/api/v1/checkout/quote", "order", "optional", false, 1},
		{"POST", "/api/v1/checkout", "order", "optional", true, 2},
		{"GET", "/api/v1/orders", "order", "optional", false, 1},
		{"GET", "/api/v1/orders/ord_use_1", "order", "optional", false, 1},
		{"POST", "/api/v1/orders/ord_use_1/cancel", "order", "optional", true, 1},
		{"POST", "/api/v1/orders/ord_use_1/returns", "order", "optional", true, 1},
		{"POST", "/api/v1/orders/lookup", "order", "optional", false, 1},
		{"GET", "/api/v1/admin/orders", "order", "support admin", false, 1},
		{"POST", "/api/v1/admin/orders/ord_use_1/fulfilments", "order", "support admin", true, 1},
		{"POST", "/api/v1/admin/orders/ord_use_1/returns/ret_use_1/receive", "order", "support admin", true, 1},
		{"POST", "/api/v1/admin/products", "catalog", "writers", false, 1},
		{"PUT PATCH DELETE", "/api/v1/admin/products/prd_use_1", "catalog", "writers", false, 1},
		{"POST", "/api/v1/admin/categories", "catalog", "writers", false, 1},
		{"PUT", "/api/v1/admin/inventory/SKU-1", "inventory", "writers", false, 1},
		{"POST", "/api/v1/admin/inventory", "inventory", "writers", false, 1},
		{"GET", "/api/v1/regions", "gateway", "none", false, 0},
		{"GET", "/api/openapi.json", "gateway", "none", false, 0},
		{"GET", "/api/docs", "gateway", "none", false, 0},
	} {
		for method := range strings.FieldsSeq(want.methods) {
			route, _ := matcher.find(method, want.path)
			if route == nil {
				t.Errorf("%s %s has no route", method, want.path)
				continue
			}
			auth := "none"
			switch {
			case route.Auth.Optional:
				auth = "optional"
			case slices.Equal(route.Auth.Roles, writers):
				auth = "writers"
			default:
				auth = cmp.Or(strings.Join(route.Auth.Roles, " "), auth)
			}
			if route.Service != want.service || auth != want.auth || (route.Idempotency == idempotencyRequired) != want.key || len(route.limits) != want.limits {
				t.Errorf("%s %s leads to %s, auth %s, key %q, limits %v; want %+v", method, want.path, route.Service, auth, route.Idempotency, route.Route.Limits, want)
			}
		}
	}
	if checkout, _ := matcher.find(http.MethodPost, "/api/v1/checkout"); checkout.Timeout != 20*time.Second {
		t.Errorf("checkout has %s", checkout.Timeout)
	}
	if list, _ := matcher.find(http.MethodGet, "/api/v1/products"); list.Timeout != DefaultTimeout || list.BodyLimit != DefaultBodyLimit {
		t.Errorf("a route without its own bounds has %s and %d", list.Timeout, list.BodyLimit)
	}
}

func TestATableThatWouldNotServeIsRefused(t *testing.T) {
	t.Parallel()
	const good = "routes: [{path: /api/v1/cart, methods: [GET], service: cart, auth: none}]"
	if _, err := ReadTable([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for fault, table := range map[string]string{
		"unknown key":       "surprise: 1\n" + good,
		"unknown route key": strings.Replace(good, "auth: none", "auth: none, cache: 5s", 1),
		"no route":          "routes: []",
		"unknown service":   strings.Replace(good, "service: cart", "service: carts", 1),
		"unknown method":    strings.Replace(good, "[GET]", "[FETCH]", 1),
		"no method":         strings.Replace(good, "[GET]", "[]", 1),
		"no auth":           strings.Replace(good, ", auth: none", "", 1),
		"unknown auth":      strings.Replace(good, "auth: none", "auth: maybe", 1),
		"unknown role":      strings.Replace(good, "auth: none", "auth: [king]", 1),
		"empty roles":       strings.Replace(good, "auth: none", "auth: []", 1),
		"internal":          strings.Replace(good, "/api/v1/cart", "/api/internal/cart", 1),
		"outside":           strings.Replace(good, "/api/v1/cart", "/internal/v1/cart", 1),
		"rest inside":       strings.Replace(good, "/api/v1/cart", "\"/api/**/cart\"", 1),
		"empty segment":     strings.Replace(good, "/api/v1/cart", "/api//cart", 1),
		"upper case":        strings.Replace(good, "/api/v1/cart", "/api/v1/Cart", 1),
		"unknown limit":     strings.Replace(good, "auth: none", "auth: none, limits: [x]", 1),
		"bad limit":         "limits: {x: {per_second: 3, burst: 10, by: client}}\n" + good,
		"limit by whom":     "limits: {x: {per_second: 3, burst: 9, by: name}}\n" + good,
		"zero limit":        "limits: {x: {per_second: 0, burst: 9, by: client}}\n" + good,
		"long timeout":      strings.Replace(good, "auth: none", "auth: none, timeout: 1h", 1),
		"idempotency":       strings.Replace(good, "auth: none", "auth: none, idempotency: please", 1),
		"unknown need":      "needs: [order]\n" + good,
		"ambiguous":         strings.Replace(good, "[{", "[{path: /api/v1/cart, methods: [POST, GET], service: order, auth: none}, {", 1),
		"ambiguous names":   `routes: [{path: "/api/{a}/b", methods: [GET], service: cart, auth: none}, {path: "/api/{c}/b", methods: [GET], service: order, auth: none}]`,
	} {
		if _, err := ReadTable([]byte(table)); err == nil {
			t.Errorf("%s: the table was accepted:\n%s", fault, table)
		}
	}
}

func TestTheMostSpecificPatternWins(t *testing.T) {
	t.Parallel()
	table, err := ReadTable([]byte(`
routes:
  - {path: "/api/a/**", methods: [GET, POST], service: catalog, auth: none}
  - {path: "/api/a/{x}", methods: [GET], service: cart, auth: none}
  - {path: "/api/a/b", methods: [GET], service: order, auth: none}
  - {path: "/api/{x}/b/c", methods: [GET], service: inventory, auth: none}
  - {path: "/api/a/b/c/d", methods: [PUT], service: payment, auth: none}
`))
	if err != nil {
		t.Fatal(err)
	}
	matcher, err := newMatcher(table)
	if err != nil {
		t.Fatal(err)
	}
	for request, service := range map[string]string{
		"GET /api/a": "catalog", "GET /api/a/b": "order", "GET /api/a/x": "cart", "GET /api/a/b/c": "catalog", "GET /api/x/b/c": "inventory",
		"POST /api/a/b": "catalog", "PUT /api/a/b/c/d": "payment", "GET /api/a/b/c/d": "catalog", "HEAD /api/a/b": "order",
	} {
		method, path, _ := strings.Cut(request, " ")
		if route, _ := matcher.find(method, path); route == nil || route.Service != service {
			t.Errorf("%s leads to %v, want %s", request, route, service)
		}
	}
	for request, want := range map[string]string{"DELETE /api/a/b": "GET HEAD POST", "DELETE /api/x/b/c": "GET HEAD", "GET /api/x/b": "", "GET /api": ""} {
		method, path, _ := strings.Cut(request, " ")
		if route, allowed := matcher.find(method, path); route != nil || strings.Join(allowed, " ") != want {
			t.Errorf("%s leads to %v and allows %q, want %q", request, route, allowed, want)
		}
	}
}

// Whatever path is asked for, the tree gives what reading the table from its most specific line to its least would.
func TestTheTreeAgreesWithReadingTheTable(t *testing.T) {
	t.Parallel()
	table, matcher := shipped(t)
	segments := []string{"api", "v1", "products", "cart", "items", "checkout", "quote", "orders", "admin", "inventory", "categories", "regions", "x", "docs", "openapi.json"}
	rapid.Check(t, func(t *rapid.T) {
		tail := rapid.SliceOfN(rapid.SampledFrom(segments), 0, 4).Draw(t, "tail")
		path := append([]string{"api"}, tail...)
		method := rapid.SampledFrom(append([]string{http.MethodHead}, methods...)).Draw(t, "method")
		var best *Route
		for i, route := range table.Routes {
			if slices.Contains(route.answered(), method) && fits(route.Path, path) && (best == nil || moreSpecific(route.Path, best.Path)) {
				best = &table.Routes[i]
			}
		}
		found, _ := matcher.find(method, "/"+strings.Join(path, "/"))
		if (found == nil) != (best == nil) || found != nil && found.Path != best.Path {
			t.Fatalf("%s %v: the tree gives %v, the table %v", method, path, found, best)
		}
	})
}

func fits(pattern string, path []string) bool {
	for i, segment := range strings.Split(pattern[1:], "/") {
		if segment == restSegment {
			return true
		}
		if i >= len(path) || segment != path[i] && segment[0] != '{' {
			return false
		}
	}
	return strings.Count(pattern, "/") == len(path)
}

// moreSpecific compares two patterns that fit the same path, segment by segment: literal, then name, then the end of the rest.
func moreSpecific(a, b string) bool {
	rank := func(pattern string) (ranks []int) {
		for segment := range strings.SplitSeq(pattern[1:], "/") {
			switch segment[0] {
			case '*':
				ranks = append(ranks, 0)
			case '{':
				ranks = append(ranks, 1)
			default:
				ranks = append(ranks, 2)
			}
		}
		return append(ranks, 1)
	}
	return slices.Compare(rank(a), rank(b)) > 0
}
