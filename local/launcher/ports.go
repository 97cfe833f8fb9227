package launcher

import "fmt"

// DefaultBasePort is where the edge listens unless --base-port says otherwise.
const DefaultBasePort = 8080

const (
	linksOffset   = 3
	edgeAPIOffset = 17
	gatewayOffset = 21
	regionOffset  = 30
	regionBlock   = 23
	// maxRegions is how many gateways fit between the first one and the first region's block.
	maxRegions = regionOffset - gatewayOffset
	// linksBelow is how many links four regions have.
	linksBelow = 4 * 3
	// The last places of a region's block are those of its links to others' brokers.
	firstBrokerLink    = 19
	brokerLinksInBlock = regionBlock - firstBrokerLink
)

// Ports lays every listener of one running copy out above its base port: the edge on it, the links between the first four regions
// from 3 on, the payment provider on 16, the edge's own API on 17, the gateways from 21 on, and a block of 23 for each region from 30 on. Three regions fit in a hundred, so copies a
// hundred apart do not meet.
type Ports struct{ Base int }

// Validate refuses a base whose ports would not all exist.
func (p Ports) Validate(regions int) error {
	if regions > maxRegions {
		return fmt.Errorf("one machine runs at most %d regions; there are %d region files", maxRegions, regions)
	}
	last := p.Base + regionOffset + regionBlock*regions
	for i := range regions {
		for j := range regions {
			if i != j {
				last = max(last, p.Link(i, j), p.BrokerLink(i, j))
			}
		}
	}
	if p.Base < 1024 || last > 32767 {
		return fmt.Errorf("--base-port %d: it and the %d ports above it must lie between 1024 and 32767", p.Base, last-p.Base)
	}
	return nil
}

// Edge is where shoppers connect.
func (p Ports) Edge() int { return p.Base }

// EdgeAdmin is where the edge answers operators.
func (p Ports) EdgeAdmin() int { return p.Base + 1 }

// EdgeAPI is where the edge is told its rules and what to purge, as Cloudflare's API is.
func (p Ports) EdgeAPI() int { return p.Base + edgeAPIOffset }

// SQL is where the one SQL server listens.
func (p Ports) SQL() int { return p.Base + 2 }

// Gateway is the listener of the i-th region's gateway.
func (p Ports) Gateway(i int) int { return p.Base + gatewayOffset + i }

// Redis is the i-th region's Redis.
func (p Ports) Redis(i int) int { return p.inRegion(i, 0) }

// ConsulHTTP is the API and the UI of the i-th region's Consul.
func (p Ports) ConsulHTTP(i int) int { return p.inRegion(i, 1) }

// ConsulLAN is its gossip inside the region.
func (p Ports) ConsulLAN(i int) int { return p.inRegion(i, 2) }

// ConsulWAN is its gossip between regions.
func (p Ports) ConsulWAN(i int) int { return p.inRegion(i, 3) }

// ConsulRPC is where other Consul servers forward requests.
func (p Ports) ConsulRPC(i int) int { return p.inRegion(i, 4) }

// Broker is the i-th region's event broker.
func (p Ports) Broker(i int) int { return p.inRegion(i, 5) }

// Search is the i-th region's search engine.
func (p Ports) Search(i int) int { return p.inRegion(i, 6) }

// servicePlaces keeps a service's place in its region's block when others are added.
var servicePlaces = []string{"catalog", "cart", "inventory", "payment", "order", "identity", "imports", "mirror", "search", "purge"}

const firstService = 8

// Service is the listener of a service of the i-th region.
func (p Ports) Service(i int, service string) int {
	if service == "gateway" {
		return p.Gateway(i)
	}
	for place, name := range servicePlaces {
		if name == service {
			return p.inRegion(i, firstService+place)
		}
	}
	panic("local: no port is laid out for the service " + service)
}

func (p Ports) inRegion(i, offset int) int { return p.Base + regionOffset + regionBlock*i + offset }
