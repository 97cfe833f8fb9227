package gateway

import (
	"fmt"
	"net/url"

	"github.com/meridian-store/meridian/kit/secret"
)

// Config is the gateway's own configuration.
type Config struct {
	// EdgeSecret proves that a request came through the edge. It is given to the process that runs the gateway and to no other; without
	// it no edge is trusted.
	EdgeSecret secret.Secret `env:"MERIDIAN_EDGE_SECRET"`
	// Peers are where the links to the other regions' gateways begin: region=url, comma-separated. A region without one is judged by
	// Consul alone.
	Peers map[string]string `env:"MERIDIAN_PEERS, separator=="`

	// table replaces the route table that ships; nil outside tests.
	table *Table
	// ask replaces Consul's answers on the health of other regions; nil outside tests.
	ask askRegion
}

// routeTable returns the route table, by default the one that this program was built with.
func (c Config) routeTable() (Table, error) {
	if c.table != nil {
		return *c.table, nil
	}
	return ShippedTable()
}

// Validate returns an error that names the variable at fault.
func (c Config) Validate() error {
	for region, link := range c.Peers {
		if link == "" {
			continue // as a region without a link
		}
		at, err := url.Parse(link)
		if err != nil || at.Host == "" || (at.Scheme != "http" && at.Scheme != "https") {
			return fmt.Errorf("MERIDIAN_PEERS: the link to %s must be an http or https URL", region)
		}
	}
	return nil
}
