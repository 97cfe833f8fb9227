package gateway_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/discovery"
	"github.com/meridian-store/meridian/local/kittest"
	"github.com/meridian-store/meridian/services/gateway"
)

func TestRegionsAreListedWithTheCallersDistance(t *testing.T) {
	t.Parallel()
	shop := kittest.Start(t, gateway.Definition())
	type list struct{ Items []gateway.RegionStatus }
	ask := func(headers map[string]string) []gateway.RegionStatus {
		var got list
		response := shop.Do(t, http.MethodGet, "/api/v1/regions", nil, &got, headers)
		if err := status(response, http.StatusOK); err != nil {
			t.Fatal(err)
		}
		if response.Header.Get("Cache-Control") != "private, no-store" {
			t.Errorf("Cache-Control is %q", response.Header.Get("Cache-Control"))
		}
		return got.Items
	}
	tokyo := map[string]string{"CF-IPLatitude": "35.68", "CF-IPLongitude": "139.69", "Authorization": "Bearer expired"}
	all := ask(tokyo)
	if len(all) != len(shop.Regions) || all[0].Name != "us-east" || all[0].Code != "use" || all[0].Currency != "USD" || all[0].City == "" {
		t.Fatalf("the regions are %+v", all)
	}
	for _, region := range all {
		if region.Healthy != (region.Name == shop.Region.Name) {
			t.Errorf("%s is healthy: %t; only this one can be known here", region.Name, region.Healthy)
		}
		if region.DistanceKM != nil || region.SteeringPlace != nil {
			t.Errorf("a stranger's word on its place was believed: %+v", region)
		}
	}
	tokyo["X-Edge-Auth"] = shop.Settings["MERIDIAN_EDGE_SECRET"]
	for _, region := range ask(tokyo) {
		if region.DistanceKM == nil || *region.DistanceKM < 5000 || *region.DistanceKM > 12000 {
			t.Errorf("Tokyo is %v km from %s", region.DistanceKM, region.City)
		}
		if first := region.SteeringPlace != nil && *region.SteeringPlace == 1; first != region.Healthy {
			t.Errorf("%s is healthy: %t, tried first: %t", region.Name, region.Healthy, first)
		}
	}
	tokyo["CF-IPLatitude"] = "north"
	if all := ask(tokyo); all[0].DistanceKM != nil {
		t.Error("a place that makes no sense gave a distance")
	}
}

func TestACountryThatTheRegionRefusesIsNotServed(t *testing.T) {
	t.Parallel()
	shop := kittest.Start(t, gateway.Definition())
	shop.Neighbour(t, contract.ServiceCatalog, echo(t, contract.ServiceCatalog))
	fromCuba := map[string]string{"CF-IPCountry": "CU"}
	if response := shop.Do(t, http.MethodGet, "/api/v1/regions", nil, nil, fromCuba); response.StatusCode != http.StatusOK {
		t.Errorf("a stranger's word on its country was believed: %d", response.StatusCode)
	}
	fromCuba["X-Edge-Auth"] = shop.Settings["MERIDIAN_EDGE_SECRET"]
	for _, path := range []string{"/api/v1/products", "/api/v1/cart", "/api/v1/regions", "/.well-known/jwks.json"} {
		response := shop.Do(t, http.MethodGet, path, nil, nil, fromCuba)
		found := problem(t, response, http.StatusUnavailableForLegalReasons)
		if found.Type != "https://meridian.store/problems/not-served" || response.Header.Get("Cache-Control") != "no-store" || response.Header.Get("Link") == "" {
			t.Errorf("%s: %+v %v", path, found, response.Header)
		}
	}
	if response := shop.Do(t, http.MethodGet, "/health", nil, nil, fromCuba); response.StatusCode != http.StatusOK {
		t.Errorf("/health answered %d", response.StatusCode)
	}
}

func TestAnotherDatacenterIsAskedByName(t *testing.T) {
	t.Parallel()
	shop := kittest.Start(t, gateway.Definition())
	shop.Neighbour(t, contract.ServiceCart, echo(t, contract.ServiceCart))
	consul, err := discovery.New(shop.Env.ConsulAddress, shop.Env.Namespace, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(consul.Close)
	// The tests' Consul is the datacenter "test".
	found, _, err := consul.InstancesIn(t.Context(), "test", contract.ServiceCart, 0, time.Minute)
	if err != nil || len(found) != 1 {
		t.Errorf("found %v (%v)", found, err)
	}
	if found, _, err := consul.InstancesIn(t.Context(), "test", "nobody", 0, time.Minute); err != nil || len(found) != 0 {
		t.Errorf("found %v of a service that is not there (%v)", found, err)
	}
	if _, _, err := consul.InstancesIn(t.Context(), "atlantis", contract.ServiceCart, 0, time.Minute); err == nil {
		t.Error("a datacenter that is not there answered")
	}
}
