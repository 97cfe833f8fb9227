package mirror

import (
	"context"
	"fmt"
	"net"
	"strings"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit"
	"github.com/meridian-store/meridian/kit/httpx"
)

// Definition describes the mirror of a region: it copies into the region's own broker what each other region writes.
func Definition() kit.Definition {
	return kit.Definition{Name: contract.ServiceMirror, Broker: kit.Required, New: kit.Configured(NewService)}
}

// Config is where the other regions' brokers are.
type Config struct {
	// PeerBrokers are region=host:port|host:port, comma-separated.
	PeerBrokers map[string]string `env:"MERIDIAN_PEER_BROKERS, separator=="`
	// PeerBrokerLinks are where connections to them go instead, when they have to go through a link: region=host:port.
	PeerBrokerLinks map[string]string `env:"MERIDIAN_PEER_BROKER_LINKS, separator=="`
}

// Validate returns an error that names the variable at fault.
func (c Config) Validate() error {
	for region, brokers := range c.PeerBrokers {
		if brokers == "" {
			return fmt.Errorf("MERIDIAN_PEER_BROKERS names no broker of %s", region)
		}
	}
	return nil
}

// Service runs a region's mirrors, one for each other region.
type Service struct{ mirrors []*Mirror }

// NewService makes the mirrors of a region.
func NewService(base *kit.Base, config Config) (*Service, error) {
	s, metrics := &Service{}, NewMetrics(base.Registry)
	target := Side{Region: base.Region.Name, Brokers: base.Env.Brokers}
	for region, brokers := range config.PeerBrokers {
		source := Side{Region: region, Brokers: strings.Split(brokers, "|"), Dial: through(config.PeerBrokerLinks[region])}
		s.mirrors = append(s.mirrors, New(source, target, base.Log, metrics))
	}
	return s, nil
}

// Routes declares the service's HTTP operations.
func (s *Service) Routes(api *httpx.API) { routes(api, s.mirrors) }

// Loops returns the service's background work.
func (s *Service) Loops() []kit.Loop {
	var loops []kit.Loop
	for _, m := range s.mirrors {
		loops = append(loops, kit.Loop{Name: "mirror " + m.source.Region, Run: m.Run})
	}
	return loops
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
