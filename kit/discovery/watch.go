package discovery

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/hashicorp/consul/api"

	"github.com/meridian-store/meridian/kit/retry"
)

// watch keeps the instances of one service, as Consul last told them.
type watch struct {
	turn atomic.Uint64

	mu    sync.Mutex
	known instances
	// changed is closed and replaced whenever known changes.
	changed chan struct{}
}

// instances are the addresses (host:port) of those whose check passes, and of those that are announced and fail theirs.
type instances struct{ passing, failing []string }

// candidates are those to ask, best first: who passes and is not in not, or else who passes, or else who fails and is not in not.
func (i instances) candidates(not []string) []string {
	others := func(of []string) []string {
		return slices.DeleteFunc(slices.Clone(of), func(a string) bool { return slices.Contains(not, a) })
	}
	if passing := others(i.passing); len(passing) > 0 {
		return passing
	}
	if len(i.passing) > 0 {
		return i.passing
	}
	return others(i.failing)
}

// Pick gives the host:port of an instance, taking turns. It is a healthy one, outside of not while there is another. When none is
// healthy, those that are announced are asked all the same, but for those in not: where all fail their check at once it tells more of
// the load than of them, and to ask nobody would make an outage of it. Only with nobody to ask it waits, until the context ends.
func (c *Consul) Pick(ctx context.Context, service string, not ...string) (string, error) {
	w := c.watch(service)
	for {
		known, changed := w.now()
		if addresses := known.candidates(not); len(addresses) > 0 {
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
	known, _ := c.watch(service).now()
	return slices.Clone(known.passing)
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

func (w *watch) now() (instances, <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.known, w.changed
}

func (w *watch) set(told instances) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if slices.Equal(w.known.passing, told.passing) && slices.Equal(w.known.failing, told.failing) {
		return
	}
	w.known = told
	close(w.changed)
	w.changed = make(chan struct{})
}

// follow asks Consul with blocking queries. When one fails the last answer stands, and the index starts anew, because a Consul
// that came back counts from the beginning.
func (c *Consul) follow(service string, w *watch) {
	var index uint64
	for c.ctx.Err() == nil {
		told, next, err := c.ask(service, index)
		if err != nil {
			index = 0
			_ = retry.Pause(c.ctx, retryAfter) // the loop's condition sees the end
			continue
		}
		if next < index {
			next = 0
		}
		index = next
		w.set(told)
	}
}

func (c *Consul) ask(service string, index uint64) (told instances, next uint64, err error) {
	ctx, cancel := context.WithTimeout(c.ctx, watchTimeout)
	defer cancel()
	options := (&api.QueryOptions{WaitIndex: index, WaitTime: watchWait}).WithContext(ctx)
	entries, meta, err := c.client.Health().Service(c.namespace+service, "", false, options)
	if err != nil {
		return instances{}, 0, err
	}
	for _, entry := range entries {
		address := addressOf(entry)
		switch entry.Checks.AggregatedStatus() {
		case api.HealthPassing:
			told.passing = append(told.passing, address)
		case api.HealthMaint: // an operator's word, not a check's
		default:
			told.failing = append(told.failing, address)
		}
	}
	slices.Sort(told.passing)
	slices.Sort(told.failing)
	return told, meta.LastIndex, nil
}

func addressOf(entry *api.ServiceEntry) string {
	return fmt.Sprintf("%s:%d", entry.Service.Address, entry.Service.Port)
}
