package discovery

import (
	"context"
	"fmt"

	"github.com/hashicorp/consul/api"
)

// InstancesIn asks another region's Consul, over the link between the two, for the healthy instances (host:port) of a service; a
// region's datacenter bears the region's name. The context must have a deadline: a hung datacenter answers after half a minute
// or never. Nobody who serves a request should wait for it.
func (c *Consul) InstancesIn(ctx context.Context, datacenter, service string) ([]string, error) {
	options := (&api.QueryOptions{Datacenter: datacenter}).WithContext(ctx)
	entries, _, err := c.client.Health().Service(c.namespace+service, "", true, options)
	if err != nil {
		return nil, fmt.Errorf("ask the Consul of %s for %s: %w", datacenter, service, err)
	}
	addresses := make([]string, 0, len(entries))
	for _, entry := range entries {
		addresses = append(addresses, fmt.Sprintf("%s:%d", entry.Service.Address, entry.Service.Port))
	}
	return addresses, nil
}
