package discovery

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/consul/api"
)

// RemoteWait is how long another region's Consul may hold a question open until its answer is another.
const RemoteWait = 3 * time.Second

// remoteHold is what Consul makes of RemoteWait: it adds up to a sixteenth, so that not all who wait ask again at once.
const remoteHold = RemoteWait + RemoteWait/16

// InstancesIn asks another region's Consul, over the link between the two, for the healthy instances (host:port) of a service; a
// region's datacenter bears the region's name. With since 0 it answers at once; with the index of an earlier answer, when the answer is
// another or [RemoteWait] is over. Within is the time for the way there and back: a hung datacenter answers after half a minute or
// never. Nobody who serves a request should wait for it.
func (c *Consul) InstancesIn(ctx context.Context, datacenter, service string, since uint64, within time.Duration) (addresses []string, index uint64, err error) {
	options := &api.QueryOptions{Datacenter: datacenter, WaitIndex: since}
	if since > 0 {
		options.WaitTime = RemoteWait
		within += remoteHold
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	entries, meta, err := c.client.Health().Service(c.namespace+service, "", true, options.WithContext(ctx))
	if err != nil {
		return nil, 0, fmt.Errorf("ask the Consul of %s for %s: %w", datacenter, service, err)
	}
	addresses = make([]string, 0, len(entries))
	for _, entry := range entries {
		addresses = append(addresses, addressOf(entry))
	}
	if meta.LastIndex < since {
		return addresses, 0, nil // a Consul that came back counts from the beginning
	}
	return addresses, meta.LastIndex, nil
}
