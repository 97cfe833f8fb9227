package gateway

import (
	"net/url"
	"strings"
	"testing"
)

func FuzzCheckPath(f *testing.F) {
	for _, seed := range []string{"/api/v1/products", "/a/%2e%2e/b", "/a/..%2Fb", "/a%", "/%zz", "//", "/a\\b", "/é", "/a%C3%A9", "", "/a/./b", "/%00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		if checkPath(raw) != nil {
			return
		}
		parsed, err := url.ParseRequestURI(raw)
		if err != nil {
			t.Fatalf("%q was accepted, but Go's parser refuses it: %v", raw, err)
		}
		if len(raw) > maxPath || strings.Contains(raw, "//") || strings.ContainsAny(parsed.Path, "\\\x00\r\n\x7f") {
			t.Fatalf("%q was accepted", raw)
		}
		for segment := range strings.SplitSeq(parsed.Path, "/") {
			if segment == "." || segment == ".." {
				t.Fatalf("%q was accepted, and reads as %q", raw, parsed.Path)
			}
		}
	})
}

func FuzzReadTable(f *testing.F) {
	f.Add(shippedTable)
	f.Add([]byte("routes: [{path: /api/a, methods: [GET], service: cart, auth: [admin], timeout: 3s}]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		table, err := ReadTable(data)
		if err != nil {
			return
		}
		if err := table.Validate(); err != nil {
			t.Fatalf("a table that was accepted is not valid: %v", err)
		}
	})
}

func TestTheMatcherSurvivesAnyCheckedPath(t *testing.T) {
	t.Parallel()
	_, matcher := shipped(t)
	for _, path := range []string{"/", "/a/", "/api/", "/api/v1/cart/", "/api/v1/cart/items/%2F", "/api/v1/inventory/", "/api/v1/inventory"} {
		if err := checkPath(path); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		route, _ := matcher.find("GET", path)
		if (route != nil) != (path == "/api/v1/cart/items/%2F") {
			t.Errorf("%s leads to %v", path, route)
		}
	}
}
