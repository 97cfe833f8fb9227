// Package broker runs a region's local broker: kfake, a Kafka server in Go, with its
// data on disk. The launcher runs it as a child process by way of `meridian engine broker`.
//
// It serves Redpanda's place on one machine and is one node: no replication, no quorum.
package broker

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
)

const (
	defaultRetention      = 24 * time.Hour
	defaultRetentionBytes = 64 << 20
	// kfake compacts all topics in one go, on the goroutine that serves, and writes them anew: after thirty thousand carts that is a
	// fifth of a second of one core, which shoppers feel when there are two.
	defaultCleanEvery = 10 * time.Minute
	segmentBytes      = 8 << 20
)

// Config says where the broker listens and keeps its data.
type Config struct {
	// Address is host:port to listen on. Clients are told the same.
	Address string
	// DataDir is made at the first start. Empty keeps everything in memory.
	DataDir string
	// Retention and RetentionBytes bound what a partition keeps, where its topic does
	// not say otherwise: by default a day and 64 MiB. kfake loads at its start all that
	// it keeps. It applies them to compacted topics as well, so that those must be
	// created with retention.ms and retention.bytes of -1.
	Retention      time.Duration
	RetentionBytes int64
	// CleanEvery is how often old records are dropped and compacted topics compacted;
	// by default every ten minutes.
	CleanEvery time.Duration
	// Logger gets kfake's warnings and errors; nil means the default logger.
	Logger *slog.Logger
	// Started, when set, is called once clients can connect.
	Started func()
}

func (c Config) withDefaults() Config {
	if c.Retention <= 0 {
		c.Retention = defaultRetention
	}
	if c.RetentionBytes <= 0 {
		c.RetentionBytes = defaultRetentionBytes
	}
	if c.CleanEvery <= 0 {
		c.CleanEvery = defaultCleanEvery
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}

// Run serves until the context ends, then writes its state and returns nil. Topics are
// not made by being named: whoever needs one creates it, with its partitions.
//
// Produced records are on disk when they are acknowledged. A broker that was killed
// keeps them and the committed offsets, yet forgets what it knew of idempotent
// producers, so that a retry across its death may write a record twice.
func Run(ctx context.Context, config Config) error {
	config = config.withDefaults()
	cluster, err := start(ctx, config)
	if err != nil {
		return err
	}
	defer cluster.Close()
	if config.Started != nil {
		config.Started()
	}
	// kfake has a clock for this, which runs only while a topic of its own sets a
	// retention or compaction: the limits above would never be applied.
	clean := time.NewTicker(config.CleanEvery)
	defer clean.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-clean.C:
			cluster.Compact()
		}
	}
}

func start(ctx context.Context, config Config) (*kfake.Cluster, error) {
	_, portText, err := net.SplitHostPort(config.Address)
	if err != nil {
		return nil, fmt.Errorf("broker address %q: %w", config.Address, err)
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil || port == 0 {
		return nil, fmt.Errorf("broker address %q: no port number", config.Address)
	}
	options := []kfake.Opt{
		kfake.Ports(int(port)),
		// By itself it listens on 127.0.0.1 whatever the host.
		kfake.ListenFn(func(network, _ string) (net.Listener, error) {
			var listen net.ListenConfig
			return listen.Listen(ctx, network, config.Address)
		}),
		kfake.ClusterID("meridian"),
		kfake.WithLogger(logAdapter{config.Logger}),
		kfake.BrokerConfigs(map[string]string{
			"log.retention.ms":    strconv.FormatInt(config.Retention.Milliseconds(), 10),
			"log.retention.bytes": strconv.FormatInt(config.RetentionBytes, 10),
			"log.segment.bytes":   strconv.Itoa(segmentBytes),
			// Clients ask for the default replication; there is one node.
			"default.replication.factor": "1",
		}),
	}
	if config.DataDir != "" {
		if err := os.MkdirAll(config.DataDir, 0o700); err != nil {
			return nil, fmt.Errorf("broker data folder: %w", err)
		}
		options = append(options, kfake.DataDir(config.DataDir), kfake.SyncWrites())
	}
	cluster, err := kfake.NewCluster(options...)
	if err != nil {
		return nil, fmt.Errorf("start broker on %s: %w", config.Address, err)
	}
	return cluster, nil
}
