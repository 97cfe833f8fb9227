package consul_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/meridian-store/meridian/kit/httpclient"
	"github.com/meridian-store/meridian/local/engine/enginetest"
)

// What Meridian relies on in Consul (MERIDIAN_TEST_CONSUL runs it on another one).

func TestConformsHealthIsWatched(t *testing.T) {
	t.Parallel()
	client := connect(t, enginetest.Consul(t))
	service := enginetest.Prefix()
	err := client.Agent().ServiceRegister(&api.AgentServiceRegistration{
		ID: service + "-1", Name: service, Address: "127.0.0.1", Port: 4711,
		Check: &api.AgentServiceCheck{CheckID: service + "-check", TTL: "10m", Status: api.HealthCritical},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.Agent().ServiceDeregister(service + "-1"); err != nil {
			t.Error(err)
		}
	})

	var index uint64
	// watch waits by blocking queries until so many instances are healthy.
	watch := func(want int) []*api.ServiceEntry {
		t.Helper()
		for {
			entries, meta, err := client.Health().Service(service, "", true,
				(&api.QueryOptions{WaitIndex: index, WaitTime: time.Minute}).WithContext(t.Context()))
			if err != nil {
				t.Fatal(err)
			}
			if len(entries) == want {
				index = meta.LastIndex
				return entries
			}
			if meta.LastIndex == index {
				t.Fatalf("%d healthy instances after a minute, want %d", len(entries), want)
			}
			index = meta.LastIndex
		}
	}
	health := func(status string) {
		t.Helper()
		if err := client.Agent().UpdateTTL(service+"-check", "", status); err != nil {
			t.Fatal(err)
		}
	}
	watch(0)
	health(api.HealthPassing)
	if got := watch(1)[0].Service; got.Address != "127.0.0.1" || got.Port != 4711 {
		t.Errorf("found at %s:%d", got.Address, got.Port)
	}
	health(api.HealthCritical)
	watch(0)
}

func TestConformsPreparedQuery(t *testing.T) {
	t.Parallel()
	address := enginetest.Consul(t)
	client := connect(t, address)
	service := enginetest.Prefix()
	if err := client.Agent().ServiceRegister(&api.AgentServiceRegistration{Name: service, Port: 4711}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.Agent().ServiceDeregister(service); err != nil {
			t.Error(err)
		}
	})
	// By hand, because Consul 1.12 refuses a field that the client sends.
	query := httpclient.Request{
		Method: http.MethodPost, URL: "http://" + address + "/v1/query",
		Header: map[string]string{"Connection": "close"},
		Body: map[string]any{
			"Name":    service,
			"Service": map[string]any{"Service": service, "OnlyPassing": true, "Failover": map[string]any{"NearestN": 2}},
		},
	}
	if err := query.Decode(t.Context(), nil); err != nil {
		t.Fatalf("create prepared query: %v", err)
	}
	eventually(t, "the query finds the service", func() bool {
		found, _, err := client.PreparedQuery().Execute(service, nil)
		return err == nil && len(found.Nodes) == 1 && found.Nodes[0].Service.Port == 4711
	})
}
