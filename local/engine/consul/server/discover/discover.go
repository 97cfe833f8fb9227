// Package discover stands in for github.com/hashicorp/go-discover when we build the
// Consul server of a local region. The original finds servers by the interfaces of 15
// clouds; their client libraries are a third of what a Consul build compiles and half
// of what it downloads. A local region is told its peers by address and never asks.
package discover

import (
	"fmt"
	"log"
)

// Provider finds the addresses of servers in one cloud.
type Provider interface {
	Addrs(args map[string]string, l *log.Logger) ([]string, error)
	Help() string
}

// Providers is empty: no cloud is known here.
var Providers = map[string]Provider{}

// Discover refuses every look-up in a cloud.
type Discover struct{}

// Option changes nothing; it is there because Consul passes some.
type Option func(*Discover) error

// New returns a Discover; it never fails.
func New(...Option) (*Discover, error) { return &Discover{}, nil }

// WithUserAgent is accepted for Consul's sake.
func WithUserAgent(string) Option { return func(*Discover) error { return nil } }

// WithProviders is accepted for Consul's sake.
func WithProviders(map[string]Provider) Option { return func(*Discover) error { return nil } }

// Names returns none: Consul asks in order to log what is built in.
func (*Discover) Names() []string { return nil }

// Addrs always fails. Consul calls it for join addresses of the form "provider=…" only.
func (*Discover) Addrs(config string, _ *log.Logger) ([]string, error) {
	return nil, fmt.Errorf("this Consul is built without cloud discovery; give addresses instead of %q", config)
}
