// Package k8s stands in for go-discover's Kubernetes provider, which Consul names
// apart from the others. See the parent package.
package k8s

import (
	"errors"
	"log"
)

// Provider knows no cluster.
type Provider struct{}

// Addrs always fails.
func (*Provider) Addrs(map[string]string, *log.Logger) ([]string, error) {
	return nil, errors.New("this Consul is built without cloud discovery")
}

// Help says that there is nothing to configure.
func (*Provider) Help() string { return "not built in" }
