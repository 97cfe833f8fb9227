package control_test

import (
	"errors"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/meridian-store/meridian/edge/cloudflare"
	"github.com/meridian-store/meridian/kit/httpclient"
	"github.com/meridian-store/meridian/kit/secret"
)

// zoneUnderTest is what the conformance suite talks to.
type zoneUnderTest struct {
	access cloudflare.Access
	shop   cloudflare.Shop
}

// conforming gives the edge on this machine, or the zone that the environment names: MERIDIAN_TEST_CLOUDFLARE_URL (https://api.cloudflare.com),
// _TOKEN, _ZONE, _ACCOUNT, _HOSTNAME and _PLAN. The zone keeps what the suite has brought to it.
func conforming(t *testing.T) zoneUnderTest {
	t.Helper()
	url := os.Getenv("MERIDIAN_TEST_CLOUDFLARE_URL")
	if url == "" {
		w := open(t, cloudflare.Pro)
		return zoneUnderTest{w.access, shop(t, cloudflare.Pro)}
	}
	given := func(name string) string {
		value := os.Getenv("MERIDIAN_TEST_CLOUDFLARE_" + name)
		if value == "" {
			t.Fatalf("MERIDIAN_TEST_CLOUDFLARE_URL is set and MERIDIAN_TEST_CLOUDFLARE_%s is not", name)
		}
		return value
	}
	plan, err := cloudflare.ParsePlan(given("PLAN"))
	if err != nil {
		t.Fatal(err)
	}
	s := shop(t, plan)
	s.Hostname = given("HOSTNAME")
	for i, region := range s.Regions {
		s.Regions[i].Origin = "https://" + region.Name + "." + s.Hostname
	}
	return zoneUnderTest{cloudflare.Access{URL: url, Token: secret.New(given("TOKEN")), Zone: given("ZONE"), Account: given("ACCOUNT"), HTTP: document.Client(t)}, s}
}

// What Meridian relies on in Cloudflare's API. Its subtests work on one zone, one after the other.
func TestConformance(t *testing.T) {
	t.Parallel()
	z := conforming(t)
	client, err := cloudflare.NewClient(z.access)
	if err != nil {
		t.Fatal(err)
	}
	diffOf := func(t *testing.T, s cloudflare.Shop) *cloudflare.Diff {
		t.Helper()
		desired, err := cloudflare.Desired(s)
		if err != nil {
			t.Fatal(err)
		}
		diff, err := client.Diff(t.Context(), desired)
		if err != nil {
			t.Fatal(err)
		}
		return diff
	}
	t.Run("what is applied is found again", func(t *testing.T) {
		if err := client.Apply(t.Context(), diffOf(t, z.shop)); err != nil {
			t.Fatal(err)
		}
		if again := diffOf(t, z.shop); !again.Empty() {
			t.Errorf("applied, and still %v", again.Changes)
		}
	})
	t.Run("a region leaves and comes back", func(t *testing.T) {
		fewer := z.shop
		fewer.Regions = slices.Clone(z.shop.Regions[:len(z.shop.Regions)-1])
		for _, s := range []cloudflare.Shop{fewer, z.shop} {
			if err := client.Apply(t.Context(), diffOf(t, s)); err != nil {
				t.Fatal(err)
			}
			if again := diffOf(t, s); !again.Empty() {
				t.Errorf("with %d regions, applied, and still %v", len(s.Regions), again.Changes)
			}
		}
	})
	t.Run("purges are taken", func(t *testing.T) {
		purger, err := cloudflare.NewPurger(z.access, z.shop.Plan, 1, cloudflare.NewPurgeMetrics(prometheus.NewRegistry()))
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(purger.Tags(t.Context(), "list:categories"), purger.URLs(t.Context(), "https://"+z.shop.Hostname+"/api/v1/products"), purger.Everything(t.Context())); err != nil {
			t.Error(err)
		}
	})
	t.Run("a token that is none is refused, and not repeated", func(t *testing.T) {
		access := z.access
		access.Token, access.HTTP = secret.New("0000000000000000000000000000000000000000"), httpclient.Default
		stranger, err := cloudflare.NewClient(access)
		if err != nil {
			t.Fatal(err)
		}
		desired, err := cloudflare.Desired(z.shop)
		if err != nil {
			t.Fatal(err)
		}
		_, err = stranger.Diff(t.Context(), desired)
		var refused *cloudflare.RefusedError
		if !errors.As(err, &refused) || refused.Status != http.StatusForbidden && refused.Status != http.StatusUnauthorized && refused.Status != http.StatusBadRequest {
			t.Errorf("a wrong token: %v", err)
		}
		if err != nil && strings.Contains(err.Error(), access.Token.Current()) {
			t.Errorf("the error shows the token: %v", err)
		}
	})
}
