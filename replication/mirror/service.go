package mirror

import (
	"context"
	"net"
	"strings"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit"
)

// Definition is the mirror of a region: it copies into the region's own broker what each other region that it is told of writes.
func Definition() kit.Definition {
	return kit.Definition{
		Name:       contract.ServiceMirror,
		UsesBroker: true,
		Setup: func(_ context.Context, base *kit.Base) error {
			metrics := NewMetrics(base.Registry)
			target := Side{Region: base.Region.Name, Brokers: base.Env.Brokers}
			var mirrors []*Mirror
			for region, brokers := range base.Env.PeerBrokers {
				source := Side{Region: region, Brokers: strings.Split(brokers, "|"), Dial: through(base.Env.PeerBrokerLinks[region])}
				m := New(source, target, base.Log, metrics)
				mirrors = append(mirrors, m)
				base.Loop("mirror "+region, m.Run)
			}
			routes(base.API, mirrors)
			return nil
		},
	}
}

// through makes every connection to a link's near end, whatever address the broker at its far end gives; nil without a link.
func through(link string) func(context.Context, string, string) (net.Conn, error) {
	if link == "" {
		return nil
	}
	return func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, link)
	}
}
