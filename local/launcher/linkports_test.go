package launcher_test

import (
	"testing"

	"github.com/meridian-store/meridian/local/launcher"
	"github.com/meridian-store/meridian/regions/cluster"
)

func TestNoTwoListenersShareAPort(t *testing.T) {
	t.Parallel()
	const most = 9
	ports := launcher.Ports{Base: 20000}
	if err := ports.Validate(most); err != nil {
		t.Fatal(err)
	}
	taken := map[int]string{}
	claim := func(port int, name string) {
		if other, used := taken[port]; used || port < ports.Base {
			t.Errorf("%s and %q both listen on base+%d", name, other, port-ports.Base)
		}
		taken[port] = name
	}
	claim(ports.Edge(), "edge")
	claim(ports.EdgeAdmin(), "edge's admin")
	claim(ports.SQL(), "sql")
	claim(ports.LinksAPI(), "links' API")
	for i := range most {
		for _, engine := range []int{ports.Redis(i), ports.ConsulHTTP(i), ports.ConsulLAN(i), ports.ConsulWAN(i), ports.ConsulRPC(i), ports.Broker(i)} {
			claim(engine, "engine")
		}
		for _, service := range cluster.Names() {
			claim(ports.Service(i, service), service)
		}
		for j := range i {
			claim(ports.Link(i, j), "link")
			claim(ports.Link(j, i), "link")
			claim(ports.BrokerLink(i, j), "link to a broker")
			claim(ports.BrokerLink(j, i), "link to a broker")
		}
		if i == 2 {
			for port := range taken {
				if port >= ports.Base+100 {
					t.Errorf("three regions do not fit in a hundred ports: base+%d", port-ports.Base)
				}
			}
		}
	}
	highest := ports.BrokerLink(most-1, most-2)
	if err := (launcher.Ports{Base: 32767 - (highest - ports.Base)}).Validate(most); err != nil {
		t.Error(err)
	}
	if err := (launcher.Ports{Base: 32768 - (highest - ports.Base)}).Validate(most); err == nil {
		t.Error("a base whose last port does not exist was taken")
	}
}
