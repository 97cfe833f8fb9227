package discovery

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/consul/api"
)

// watch keeps the healthy instances of one service, as Consul last told them.
type watch struct {
	turn atomic.Uint64

	mu        sync.Mutex
	addresses []string
	// changed is closed and replaced whenever addresses changes.
	changed chan struct{}
}

// Pick gives the host:port of a healthy instance, taking turns, and avoids those in not while there is another. It waits for
// one to appear until the context ends.
func (c *Consul) Pick(ctx context.Context, service string, not ...string) (string, error) {
	w := c.watch(service)
	for {
		addresses, changed := w.now()
		if others := slices.DeleteFunc(slices.Clone(addresses), func(a string) bool { return slices.Contains(not, a) }); len(others) > 0 {
			addresses = others
		}
		if len(addresses) > 0 {
			return addresses[w.turn.Add(1)%uint64(len(addresses))], nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return "", fmt.Errorf("Consul knows no healthy %s: %w", service, ctx.Err()) //nolint:staticcheck // a proper noun
		case <-c.ctx.Done():
			return "", fmt.Errorf("look for %s: %w", service, c.ctx.Err())
		}
	}
}

// Instances gives all healthy instances that are known now, without waiting.
func (c *Consul) Instances(service string) []string {
	addresses, _ := c.watch(service).now()
	return slices.Clone(addresses)
}

func (c *Consul) watch(service string) *watch {
	c.mu.Lock()
	defer c.mu.Unlock()
	w, ok := c.watches[service]
	if !ok {
		w = &watch{changed: make(chan struct{})}
		c.watches[service] = w
		c.done.Go(func() { c.follow(service, w) })
	}
	return w
}

func (w *watch) now() ([]string, <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.addresses, w.changed
}

func (w *watch) set(addresses []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if slices.Equal(w.addresses, addresses) {
		return
	}
	w.addresses = addresses
	close(w.changed)
	w.changed = make(chan struct{})
}

// follow asks Consul with blocking queries. When one fails the last answer stands, and the index starts anew, because a Consul
// that came back counts from the beginning.
func (c *Consul) follow(service string, w *watch) {
	var index uint64
	for c.ctx.Err() == nil {
		entries, next, err := c.ask(service, index)
		if err != nil {
			index = 0
			select {
			case <-c.ctx.Done():
			case <-time.After(retryAfter):
			}
			continue
		}
		if next < index {
			next = 0
		}
		index = next
		w.set(entries)
	}
}

func (c *Consul) ask(service string, index uint64) ([]string, uint64, error) {
	ctx, cancel := context.WithTimeout(c.ctx, watchTimeout)
	defer cancel()
	options := (&api.QueryOptions{WaitIndex: index, WaitTime: watchWait}).WithContext(ctx)
	entries, meta, err := c.client.Health().Service(c.namespace+service, "", true, options)
	if err != nil {
		return nil, 0, err
	}
	addresses := make([]string, 0, len(entries))
	for _, entry := range entries {
		addresses = append(addresses, fmt.Sprintf("%s:%d", entry.Service.Address, entry.Service.Port))
	}
	slices.Sort(addresses)
	return addresses, meta.LastIndex, nil
}
