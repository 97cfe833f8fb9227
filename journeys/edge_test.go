package journeys_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/edge/cloudflare"
	"github.com/meridian-store/meridian/local/kittest"
)

// What `up` has told the edge is all that there is to tell, and an operator purges by the requests that Cloudflare takes.
func TestTheEdgeIsAsItShouldBeAndIsPurgedByHand(t *testing.T) {
	s := openShop(t)
	t.Parallel()
	var diff cloudflare.Diff
	if err := json.Unmarshal([]byte(s.must(t, "edge", "plan", "--json")), &diff); err != nil {
		t.Fatal(err)
	}
	if len(diff.Changes) < 10 || !diff.Empty() {
		t.Errorf("after `up` plan shows %v", diff.Changes)
	}
	if err := json.Unmarshal([]byte(s.must(t, "edge", "apply", "--json")), &diff); err != nil {
		t.Fatal(err)
	}
	if len(diff.Changes) < 10 || !diff.Empty() {
		t.Errorf("a second `edge apply` changes %v", diff.Changes)
	}

	// Nobody else looks at this page from there.
	var list struct {
		Items []contract.Summary `json:"items"`
	}
	s.ask(t, "EZE", http.MethodGet, "/api/v1/products?limit=1", nil, &list).want(t, http.StatusOK)
	product := list.Items[0].ID
	page := "/api/v1/products/" + product + "?currency=EUR&region=ap-southeast"
	look := func() string {
		return s.ask(t, "EZE", http.MethodGet, page, nil, nil).want(t, http.StatusOK).header.Get("X-Cache")
	}
	kittest.Eventually(t, func() error {
		if cache := look(); cache != "HIT" {
			return fmt.Errorf("X-Cache is %q", cache)
		}
		return nil
	})
	s.must(t, "edge", "purge", "--tag", contract.ProductTag(product))
	if cache := look(); cache != "MISS" {
		t.Errorf("after the purge X-Cache is %q", cache)
	}
}
