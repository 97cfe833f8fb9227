// Package discovery is how services find each other: each registers in its region's Consul with a health check and watches the
// others there. Nobody waits for Consul to make a call: picks are answered from what the watch last learned.
package discovery

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/hashicorp/consul/api"
)

const (
	// callTimeout bounds every call but a watch: a hung Consul blocks its callers for half a minute otherwise.
	callTimeout = 300 * time.Millisecond
	// watchWait is how long Consul may hold a watch open; watchTimeout is when we stop believing that it will answer.
	watchWait    = 10 * time.Second
	watchTimeout = watchWait + 2*time.Second
	// reregisterEvery mends a Consul that lost its state.
	reregisterEvery = 5 * time.Second
	checkInterval   = "1s"
	checkTimeout    = "1s"
	forgetAfter     = "1m"
	retryAfter      = 250 * time.Millisecond
)

// Instance is one running copy of a service.
type Instance struct {
	Service string
	// Host and Port are where it listens; /ready there is its health check.
	Host string
	Port int
}

// ID names the instance in Consul.
func (i Instance) ID() string { return fmt.Sprintf("%s-%s-%d", i.Service, i.Host, i.Port) }

// Consul is a region's own datacenter.
type Consul struct {
	client    *api.Client
	address   string
	namespace string
	log       *slog.Logger

	mu      sync.Mutex
	watches map[string]*watch
	ctx     context.Context
	cancel  context.CancelFunc
	done    sync.WaitGroup
}

// New makes the client of the Consul at an address (host:port). It does not wait for it. The namespace leads every name.
func New(address, namespace string, log *slog.Logger) (*Consul, error) {
	client, err := api.NewClient(&api.Config{Address: address})
	if err != nil {
		return nil, fmt.Errorf("make a Consul client for %s: %w", address, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	return &Consul{client: client, address: address, namespace: namespace, log: log, watches: map[string]*watch{}, ctx: ctx, cancel: cancel}, nil
}

// Close ends the watches; closing twice is fine.
func (c *Consul) Close() {
	c.cancel()
	c.done.Wait()
}

// Register announces an instance once. Its check passes when its /ready answers.
func (c *Consul) Register(ctx context.Context, instance Instance) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	registration := &api.AgentServiceRegistration{
		ID: instance.ID(), Name: c.namespace + instance.Service, Address: instance.Host, Port: instance.Port,
		Check: &api.AgentServiceCheck{
			CheckID: "service:" + instance.ID(), HTTP: fmt.Sprintf("http://%s:%d/ready", instance.Host, instance.Port), Interval: checkInterval, Timeout: checkTimeout,
			DeregisterCriticalServiceAfter: forgetAfter,
		},
	}
	if err := c.client.Agent().ServiceRegisterOpts(registration, api.ServiceRegisterOpts{}.WithContext(ctx)); err != nil {
		return fmt.Errorf("register %s in Consul: %w", instance.Service, err)
	}
	return nil
}

// KeepRegistered registers an instance again and again until the context ends, so that a Consul that was killed or wiped
// learns of it within seconds.
func (c *Consul) KeepRegistered(ctx context.Context, instance Instance) {
	every(ctx, reregisterEvery, func() {
		if err := c.Register(ctx, instance); err != nil && ctx.Err() == nil {
			c.log.WarnContext(ctx, "Consul could not be told of this service; it will be tried again.", "error", err.Error())
		}
	})
}

// every does something at once and then again and again, until the context ends.
func every(ctx context.Context, pause time.Duration, do func()) {
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	for {
		do()
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// Deregister withdraws an instance, so that no new call is sent to it.
func (c *Consul) Deregister(ctx context.Context, instance Instance) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
	defer cancel()
	if err := c.client.Agent().ServiceDeregisterOpts(instance.ID(), (&api.QueryOptions{}).WithContext(ctx)); err != nil {
		return fmt.Errorf("deregister %s: %w", instance.Service, err)
	}
	return nil
}
