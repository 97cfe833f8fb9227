package journeys_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/local/engine/enginetest"
	"github.com/meridian-store/meridian/local/launcher"
)

func (s *shop) show(t *testing.T, region string) (health launcher.RegionHealth, err error) {
	t.Helper()
	var out bytes.Buffer
	err = s.run(t.Context(), &out, "region", "show", region, "--json")
	if decode := json.Unmarshal(out.Bytes(), &health); decode != nil {
		t.Fatalf("region show --json: %v (%v): %s", decode, err, out.String())
	}
	return health, err
}

// The rest of a region's coming and going (a hang, a kill of everything) is shown by `make terraform-local-check`.
func TestARegionJoinsAndLeavesWhileTheShopSells(t *testing.T) {
	t.Parallel()
	s := &shop{binary: binary(t), home: filepath.Join(t.TempDir(), "home")}
	s.up(t, enginetest.Ports(t, 100), "--region", "eu-west")
	t.Cleanup(func() { s.must(t, "down") })
	s.must(t, "seed", "--products", "20")
	var page struct {
		Items []contract.Summary `json:"items"`
	}
	p := &shopper{shop: s, location: "IAD"}
	p.ask(t, http.MethodGet, "/api/v1/products?limit=1", nil, &page).want(t, http.StatusOK)
	if len(page.Items) != 1 {
		t.Fatal("the shop with one region sells nothing")
	}

	if health, err := s.show(t, "us-east"); err == nil || health.Started || !health.Running {
		t.Fatalf("before it has joined, us-east is shown as %+v", health)
	}
	s.must(t, "region", "start", "us-east")
	s.must(t, "region", "start", "us-east") // nothing is left to do
	if health, err := s.show(t, "us-east"); err != nil || !health.Ready {
		t.Fatalf("after it has joined, us-east is shown as %+v: %v", health, err)
	}
	s.must(t, "region", "stop", "eu-west")
	s.refresh(t)
	if !s.status.Ready || len(s.status.Regions) != 1 {
		t.Fatalf("with eu-west gone the copy is %+v", s.status)
	}
	p = &shopper{shop: s, location: "DUB"}
	product := p.ask(t, http.MethodGet, "/api/v1/products/"+page.Items[0].Slug, nil, nil)
	product.want(t, http.StatusOK)
	if by := product.header.Get(contract.HeaderRegion); by != "us-east" {
		t.Errorf("with eu-west gone, a shopper in Dublin is served by %q", by)
	}
	s.must(t, "region", "start", "eu-west")
	if health, err := s.show(t, "eu-west"); err != nil || !health.Ready {
		t.Fatalf("after it has come back, eu-west is shown as %+v: %v", health, err)
	}
	var out bytes.Buffer
	if err := s.run(t.Context(), &out, "region", "start", "atlantis"); err == nil || !strings.Contains(err.Error(), "ap-southeast") {
		t.Errorf("to start a region that does not exist says %v", err)
	}
}
