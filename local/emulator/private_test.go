package emulator_test

import (
	"fmt"
	"net/http"
	"testing"
)

// Cookies are not read on these paths, so one that is set there would be a new visitor's each time, over the one that they have.
func TestNoCookieIsSetOnACatalogPath(t *testing.T) {
	t.Parallel()
	w := start(t, []*gateway{newGateway(t, "us-east", ashburn, func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("CDN-Cache-Control", "max-age=60")
		rw.Header().Set("Set-Cookie", "cart=crt_use_1.secret")
		fmt.Fprint(rw, "page")
	})})
	for range 2 {
		if got := w.get("/api/v1/products"); got.Header.Get("Set-Cookie") != "" || got.cache() != "MISS" || got.body != "page" {
			t.Errorf("got %s with %v", got.cache(), got.Header)
		}
	}
	if got := w.get("/api/v1/cart"); got.Header.Get("Set-Cookie") == "" {
		t.Error("a shopper's own path lost its cookie")
	}
}

// Tags tell what a shop's answers are made of; browsers have no use for them, on whatever path.
func TestTagsAreNotForBrowsers(t *testing.T) {
	t.Parallel()
	w := start(t, threeGateways(t, product))
	for _, target := range []string{"/api/v1/products", "/api/v1/products?brand=%zz", "/api/v1/cart"} {
		if got := w.get(target); got.StatusCode != http.StatusOK || got.Header.Get("Cache-Tag") != "" {
			t.Errorf("%s: %d, tags %q", target, got.StatusCode, got.Header.Get("Cache-Tag"))
		}
	}
}
