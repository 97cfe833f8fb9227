// Package consul runs a region's local Consul server: one server is one datacenter,
// and the datacenters know each other by WAN gossip.
//
// install.sh builds the server from the Go module in the server folder.
package consul

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"

	"github.com/hashicorp/consul/api"

	"github.com/meridian-store/meridian/local/engine"
	"github.com/meridian-store/meridian/local/process"
)

// Ports of one server, all on 127.0.0.1 and all different. They must stay the same over
// the life of a data folder: the other datacenters remember them.
type Ports struct {
	HTTP, SerfLAN, SerfWAN, Server int
}

// Config says where the server keeps its data and how it is reached. Name, Datacenter,
// DataDir and Ports are required.
type Config struct {
	// Name is the process's name, such as "us-east/consul".
	Name string
	// Datacenter is the region's name.
	Datacenter string
	// DataDir is an absolute path. It is made at the first start.
	DataDir string
	Ports   Ports
	// JoinWAN are the SerfWAN addresses (host:port) of the other datacenters. They are
	// tried every second until they answer, so that regions start in any order.
	JoinWAN []string
	LogFile string
	// DieWithParent is that of [process.Spec].
	DieWithParent bool
}

// Address is host:port of the HTTP API and the UI.
func (c Config) Address() string { return loopback(c.Ports.HTTP) }

// SerfWANAddress is what other datacenters join.
func (c Config) SerfWANAddress() string { return loopback(c.Ports.SerfWAN) }

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// Spec returns what to run. The error is [engine.MissingError] when the machine has no
// Consul.
func Spec(ctx context.Context, config Config) (process.Spec, error) {
	program, err := engine.Find(engine.Consul)
	if err != nil {
		return process.Spec{}, err
	}
	if !filepath.IsAbs(config.DataDir) {
		return process.Spec{}, fmt.Errorf("consul data folder %q is not an absolute path", config.DataDir)
	}
	release, err := readRelease(ctx, program)
	if err != nil {
		return process.Spec{}, err
	}
	content, err := json.MarshalIndent(settings(config, release), "", "  ")
	if err != nil {
		return process.Spec{}, fmt.Errorf("consul settings: %w", err)
	}
	file := filepath.Join(config.DataDir, "consul.json")
	return process.Spec{
		Name:          config.Name,
		Path:          program.Path,
		Args:          []string{"agent", "-config-file=" + file},
		Env:           program.Env,
		LogFile:       config.LogFile,
		DieWithParent: config.DieWithParent,
		Prepare:       func(context.Context) error { return engine.WriteSettings(file, content) },
		Ready:         func(ctx context.Context) error { return Ready(ctx, config.Address()) },
	}, nil
}

// Ready returns nil when the server at host:port knows its datacenter's leader.
func Ready(ctx context.Context, address string) error {
	config := api.DefaultNonPooledConfig()
	config.Address = address
	client, err := api.NewClient(config)
	if err != nil {
		return fmt.Errorf("connect to Consul: %w", err)
	}
	leader, err := client.Status().LeaderWithQueryOptions((&api.QueryOptions{}).WithContext(ctx))
	if err != nil {
		return fmt.Errorf("ask Consul for its leader: %w", err)
	}
	if leader == "" {
		return errors.New("consul has no leader yet")
	}
	return nil
}
