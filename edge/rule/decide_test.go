package rule_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/meridian-store/meridian/edge/rule"
)

const (
	cached   = "cached"
	bypassed = "bypassed"
	refused  = "refused" // as odd, with 400
	absent   = "absent"  // with 404
)

func judge(rules *rule.Rules, method, target string) (verdict, canonical string) {
	decision, err := rules.Decide(method, target)
	switch {
	case err != nil:
		return refused, ""
	case decision.Refuse:
		return absent, ""
	case decision.Cache != nil:
		return cached, decision.Target
	default:
		return bypassed, decision.Target
	}
}

func TestDecide(t *testing.T) {
	t.Parallel()
	rules := shippedRules(t)
	long := strings.Repeat("a", 129)
	for _, tc := range []struct{ method, target, verdict, canonical string }{
		{"GET", "/api/v1/products", cached, "/api/v1/products"},
		{"HEAD", "/api/v1/products", cached, "/api/v1/products"},
		{"GET", "/api/v1/products?", cached, "/api/v1/products"},
		{"GET", "/api/v1/products/blue-shirt", cached, "/api/v1/products/blue-shirt"},
		{"GET", "/api/v1/products/prd_use_01ARZ3NDEKTSV4RRFFQ69G5FAV", cached, "/api/v1/products/prd_use_01ARZ3NDEKTSV4RRFFQ69G5FAV"},
		{"GET", "/api/v1/categories", cached, "/api/v1/categories"},

		// The key is what the origin sees: known parameters, sorted, in one spelling.
		{"GET", "/api/v1/products?limit=20&category=shirts", cached, "/api/v1/products?category=shirts&limit=20"},
		{"GET", "/api/v1/products?utm_source=mail&limit=20&_=123", cached, "/api/v1/products?limit=20"},
		{"GET", "/api/v1/products?c%61tegory=%73hirts", cached, "/api/v1/products?category=shirts"},
		{"GET", "/api/v1/products?brand=a+b&brand=c%2Fd", cached, "/api/v1/products?brand=a+b&brand=c%2Fd"},
		{"GET", "/api/v1/products?brand=b&brand=a", cached, "/api/v1/products?brand=b&brand=a"},
		{"GET", "/api/v1/products?brand=a%26limit%3D9", cached, "/api/v1/products?brand=a%26limit%3D9"},
		{"GET", "/api/v1/products?&&limit=&", cached, "/api/v1/products?limit="},
		{"GET", "/api/v1/products?Limit=20", cached, "/api/v1/products"},
		{"GET", "/api/v1/products/x?currency=EUR&limit=9", cached, "/api/v1/products/x?currency=EUR"},
		{"GET", "/api/v1/products/x?region=eu-west&currency=EUR", cached, "/api/v1/products/x?currency=EUR&region=eu-west"},
		{"GET", "/api/v1/categories?currency=EUR", cached, "/api/v1/categories"},

		// Queries that servers read differently are forwarded as they are.
		{"GET", "/api/v1/products?limit=1;category=x", bypassed, "/api/v1/products?limit=1;category=x"},
		{"GET", "/api/v1/products?limit=%zz", bypassed, "/api/v1/products?limit=%zz"},
		{"GET", "/api/v1/products?brand=" + strings.Repeat("a", 3000), bypassed, ""},
		{"GET", "/api/v1/products?" + strings.Repeat("x&", 65), bypassed, ""},

		// Other methods.
		{"POST", "/api/v1/products", bypassed, ""},
		{"OPTIONS", "/api/v1/products", bypassed, ""},
		{"get", "/api/v1/products", bypassed, ""},

		// Private paths, and paths near a cached one.
		{"GET", "/", absent, ""},
		{"GET", "/api/v1/cart", bypassed, ""},
		{"GET", "/api/v1/me", bypassed, ""},
		{"GET", "/api/v1/orders/ord_use_01ARZ3NDEKTSV4RRFFQ69G5FAV", bypassed, ""},
		{"GET", "/api/v1/admin/products", bypassed, ""},
		{"GET", "/api/v1/products/x/recommendations", bypassed, ""},
		{"GET", "/api/v1/search?sort=newest&q=Blue+shirt&option.size=M", cached, "/api/v1/search?option.size=M&q=Blue+shirt&sort=newest"},
		{"GET", "/api/v1/search/suggest?q=bl", cached, "/api/v1/search/suggest?q=bl"},
		{"POST", "/api/v1/search", bypassed, ""},
		{"GET", "/api/v1/products/", bypassed, ""},
		{"GET", "/api/v1/categories/", bypassed, ""},
		{"GET", "/API/v1/products", absent, ""},
		{"GET", "/api/v1/Products", bypassed, ""},
		{"GET", "/api/v1/productsx", bypassed, ""},
		{"GET", "/x/api/v1/products", absent, ""},
		{"GET", "/api/v1/products.", bypassed, ""},
		{"GET", "/api/v1/products;a=b", bypassed, ""},
		{"GET", "/api/v1/%70roducts", bypassed, ""},
		{"GET", "/api/v1/products/" + long, bypassed, ""},
		{"GET", "/api/v1/products/x.", bypassed, ""},
		{"GET", "/api/v1/products/.x", bypassed, ""},
		{"GET", "/api/v1/products/-x", bypassed, ""},
		{"GET", "/api/v1/products/x;jsessionid=1", bypassed, ""},
		{"GET", "/api/v1/products/x%20y", bypassed, ""},
		{"GET", "/api/v1/products/%252e%252e", bypassed, ""},
		{"GET", "/api/v1/products/x%3f", bypassed, ""},
		{"GET", "/api/v1/cart/x.css", bypassed, ""},
		{"GET", "/api/v1/me/avatar.jpg", bypassed, ""},
		{"GET", "/api/v1/products/...;x/", refused, ""},

		// A SKU may hold a slash, a space and a percent sign.
		{"DELETE", "/api/v1/cart/items/Red%2FWhite%20100%25", bypassed, ""},
		{"GET", "/api/v1/products%2Fx", bypassed, ""},
		{"GET", "/api/v1/products/a%2Fb", bypassed, ""},

		// What operators ask of a gateway is not for shoppers, however it is written.
		{"GET", "/metrics", absent, ""},
		{"GET", "/Metrics", absent, ""},
		{"GET", "/metrics/", absent, ""},
		{"GET", "/%6detrics", absent, ""},
		{"GET", "/ready", absent, ""},
		{"GET", "/openapi.json", absent, ""},
		{"GET", "/internal/v1/skus", absent, ""},
		{"GET", "/.well-known/jwks.json", bypassed, ""},

		// Paths that two servers could read as two different ones.
		{"GET", "", refused, ""},
		{"GET", "*", refused, ""},
		{"GET", "api/v1/products", refused, ""},
		{"GET", "http://shop/api/v1/products", refused, ""},
		{"GET", "//api/v1/products", refused, ""},
		{"GET", "/api/v1//products", refused, ""},
		{"GET", "/api/v1/products//", refused, ""},
		{"GET", "/api/v1/./products", refused, ""},
		{"GET", "/api/v1/products/.", refused, ""},
		{"GET", "/api/v1/products/..", refused, ""},
		{"GET", "/api/v1/products/../me", refused, ""},
		{"GET", "/api/v1/me/../products", refused, ""},
		{"GET", "/api/v1/products/..;/me", refused, ""},
		{"GET", "/api/v1/products/%2e%2e/me", refused, ""},
		{"GET", "/api/v1/products/%2E./me", refused, ""},
		{"GET", "/api/v1/products%2f..%2fme", refused, ""},
		{"GET", "/api/v1/cart/items/..%2Fme", refused, ""},
		{"GET", "/api/v1/products\\x", refused, ""},
		{"GET", "/api/v1/products/%5cx", refused, ""},
		{"GET", "/api/v1/products/x%00", refused, ""},
		{"GET", "/api/v1/products/x%0d%0aX-Evil:1", refused, ""},
		{"GET", "/api/v1/products/%zz", refused, ""},
		{"GET", "/api/v1/products/%2", refused, ""},
		{"GET", "/api/v1/products#/me", refused, ""},
		{"GET", "/api/v1/me /api/v1/products", refused, ""},
		{"GET", "/api/v1/products/caf\u00e9", refused, ""},
		{"GET", "/" + strings.Repeat("a", 9000), refused, ""},
	} {
		verdict, canonical := judge(rules, tc.method, tc.target)
		if verdict != tc.verdict {
			t.Errorf("%s %.60s is %s, want %s", tc.method, tc.target, verdict, tc.verdict)
			continue
		}
		if verdict == bypassed && canonical != tc.target {
			t.Errorf("%s %.60s was rewritten to %s", tc.method, tc.target, canonical)
		}
		if verdict == cached && canonical != tc.canonical {
			t.Errorf("%s %s is keyed by %s, want %s", tc.method, tc.target, canonical, tc.canonical)
		}
	}
}

func TestRefusalsAreTyped(t *testing.T) {
	t.Parallel()
	_, err := shippedRules(t).Decide("GET", "/api/v1//secret-looking")
	var oddTarget *rule.OddTargetError
	if !errors.As(err, &oddTarget) || strings.Contains(err.Error(), "secret-looking") {
		t.Errorf("got %v, want an OddTargetError that does not repeat the target", err)
	}
}

func TestFirstMatchWins(t *testing.T) {
	t.Parallel()
	rules, err := rule.Parse([]byte(`rules:
  - {name: first, match: {methods: [GET], paths: ["/a/{x}"]}, action: bypass}
` + strings.TrimPrefix(strings.Replace(soundRule, "/api/v1/things/{id}", "/a/{x}", 1), "rules:\n")))
	if err != nil {
		t.Fatal(err)
	}
	decision, err := rules.Decide("GET", "/a/b")
	if err != nil || decision.Rule != "first" || decision.Cache != nil {
		t.Errorf("got %+v, %v; want the first rule's bypass", decision, err)
	}
	decision, err = rules.Decide("HEAD", "/a/b")
	if err != nil || decision.Rule != "things" || decision.Cache == nil {
		t.Errorf("got %+v, %v; want the second rule, the first is not about HEAD", decision, err)
	}
}

func TestKeyDoesNotDependOnTheOrderOfParameters(t *testing.T) {
	t.Parallel()
	rules := shippedRules(t)
	rapid.Check(t, func(t *rapid.T) {
		names := []string{"brand", "category", "currency", "cursor", "limit", "region"}
		value := rapid.StringMatching(`[a-zA-Z0-9_.-]{0,8}`)
		var pairs []string
		for _, name := range names {
			if rapid.Bool().Draw(t, "with "+name) {
				pairs = append(pairs, name+"="+value.Draw(t, name))
			}
		}
		want := strings.Join(pairs, "&")
		noise := rapid.SliceOfN(rapid.StringMatching(`utm_[a-z]{1,5}=[a-z]{0,5}`), 0, 3).Draw(t, "noise")
		shuffled := rapid.Permutation(append(pairs, noise...)).Draw(t, "order")
		decision, err := rules.Decide("GET", "/api/v1/products?"+strings.Join(shuffled, "&"))
		if err != nil || decision.Cache == nil {
			t.Fatalf("got %+v, %v", decision, err)
		}
		if got := strings.TrimPrefix(strings.TrimPrefix(decision.Target, "/api/v1/products"), "?"); got != want {
			t.Fatalf("keyed by %q, want %q", got, want)
		}
	})
}

var onlyCatalog = regexp.MustCompile(`^/api/v1/(products(/[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?)?|categories|search(/suggest)?)(\?[A-Za-z0-9%=&+._~-]*)?$`)

func FuzzDecide(f *testing.F) {
	for _, target := range []string{
		"/api/v1/products?limit=1&brand=x", "/api/v1/products/%2e%2e/me", "/api/v1/categories?", "/api/v1/me/..;/products", "//", "/%",
	} {
		f.Add("GET", target)
	}
	rules := shippedRules(f)
	f.Fuzz(func(t *testing.T, method, target string) {
		decision, err := rules.Decide(method, target)
		if err != nil || decision.Cache == nil {
			return
		}
		if !onlyCatalog.MatchString(decision.Target) {
			t.Errorf("%q is cached as %q", target, decision.Target)
		}
		path, _, _ := strings.Cut(target, "?")
		if keyed, _, _ := strings.Cut(decision.Target, "?"); keyed != path {
			t.Errorf("%q was rewritten to another path, %q", target, decision.Target)
		}
		again, err := rules.Decide(method, decision.Target)
		if err != nil || again.Target != decision.Target || again.Cache != decision.Cache {
			t.Errorf("%q is canonical as %q, which is canonical as %q (%v)", target, decision.Target, again.Target, err)
		}
	})
}
