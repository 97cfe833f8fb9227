package gateway

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/meridian-store/meridian/kit/httpclient"
)

const (
	dialTimeout = 500 * time.Millisecond
	// keepIdle stays below the services' own idle timeout of 75 s, so that it is us who close.
	keepIdle = 30 * time.Second
	// maxConnections bounds what one instance can be asked at once; more would only queue there.
	maxConnections = 2048
	maxAnswer      = 32 << 20
	// headerRoom holds a Cache-Tag header of the 16 KB that the edge accepts, with its neighbours.
	headerRoom = 32 << 10
	// avoidFor is how long an instance that refused is passed over: Consul's check, once a second, will have seen it by then.
	avoidFor = 2 * time.Second
	// waitForInstance bounds the wait while Consul knows none: a service that is being replaced is back within it, and one that is
	// gone is reported soon.
	waitForInstance = time.Second
	// forgetAfter is how long the connections of an instance that Consul no longer names are kept.
	forgetAfter = time.Minute
	pruneEvery  = 10 * time.Second
)

// finder is the part of discovery that finds instances: all that are healthy, or one, which is healthy if any is.
type finder interface {
	Instances(service string) []string
	Pick(ctx context.Context, service string, not ...string) (string, error)
}

// instance is one running copy of a service, with our connections to it.
type instance struct {
	address string
	client  *fasthttp.HostClient
	// avoidUntil and lastUsed are nanoseconds of the Unix epoch.
	avoidUntil, lastUsed atomic.Int64
}

// instances chooses who answers a request, and keeps the connections.
type instances struct {
	finder finder
	now    func() time.Time
	turn   atomic.Uint64

	mu    sync.RWMutex
	known map[string]*instance
}

func newInstances(finder finder, now func() time.Time) *instances {
	return &instances{finder: finder, now: now, known: map[string]*instance{}}
}

// choose gives the next instance of a service by turns. It passes over those that refused lately, and those in tried, while there
// is another; with all of them tried it gives nil. When no instance is healthy it gives one that is only announced, and with none of
// those to ask an error, after a short wait.
func (p *instances) choose(ctx context.Context, service string, tried []*instance) (*instance, error) {
	addresses := p.finder.Instances(service)
	if len(addresses) == 0 {
		ctx, cancel := context.WithTimeout(ctx, waitForInstance)
		defer cancel()
		address, err := p.finder.Pick(ctx, service, p.refusing(tried)...)
		if err != nil {
			return nil, err
		}
		addresses = []string{address}
	}
	now := p.now().UnixNano()
	first := p.turn.Add(1)
	var avoided *instance
	for i := range uint64(len(addresses)) {
		candidate := p.at(addresses[(first+i)%uint64(len(addresses))])
		switch {
		case slices.Contains(tried, candidate):
		case candidate.avoidUntil.Load() > now:
			avoided = candidate
		default:
			candidate.lastUsed.Store(now)
			return candidate, nil
		}
	}
	return avoided, nil
}

// refusing are the addresses of all instances that refused lately, and of those in tried.
func (p *instances) refusing(tried []*instance) (addresses []string) {
	for _, one := range tried {
		addresses = append(addresses, one.address)
	}
	now := p.now().UnixNano()
	p.mu.RLock()
	defer p.mu.RUnlock()
	for address, known := range p.known {
		if known.avoidUntil.Load() > now {
			addresses = append(addresses, address)
		}
	}
	return addresses
}

// avoid passes an instance over for a while.
func (p *instances) avoid(refused *instance) {
	refused.avoidUntil.Store(p.now().Add(avoidFor).UnixNano())
}

func (p *instances) at(address string) *instance {
	p.mu.RLock()
	found, ok := p.known[address]
	p.mu.RUnlock()
	if ok {
		return found
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if found, ok := p.known[address]; ok {
		return found
	}
	made := &instance{address: address, client: newClient(address, false)}
	made.lastUsed.Store(p.now().UnixNano())
	p.known[address] = made
	return made
}

// newClient makes the client of one gateway or service. Every request is sent with DoDeadline.
func newClient(address string, tls bool) *fasthttp.HostClient {
	return httpclient.NewHost(httpclient.HostOptions{
		Address: address, TLS: tls, Timeout: httpclient.CallerDeadline, Dial: dial, IdleTimeout: keepIdle,
		MaxConns: maxConnections, MaxHeaderBytes: headerRoom, MaxBodyBytes: maxAnswer, Forward: true,
		// Whether a request may be sent again is decided in forward.go, which knows what was asked.
		MaxAttempts: 1,
	})
}

// notSentError is a failure before the first byte of a request was sent.
type notSentError struct{ cause error }

func (e *notSentError) Error() string { return e.cause.Error() }
func (e *notSentError) Unwrap() error { return e.cause }

// nothingSent says that the service has not seen any of a request that failed.
func nothingSent(err error) bool {
	var notSent *notSentError
	return errors.As(err, &notSent) || errors.Is(err, errStale) || errors.Is(err, fasthttp.ErrNoFreeConns)
}

func dial(address string, timeout time.Duration) (net.Conn, error) {
	if timeout <= 0 || timeout > dialTimeout {
		timeout = dialTimeout
	}
	// fasthttp hands no context on; the dialer's own timeout bounds it.
	conn, err := (&net.Dialer{Timeout: timeout}).DialContext(context.Background(), "tcp", address)
	if err != nil {
		return nil, &notSentError{err}
	}
	return newLiveConn(conn)
}

// prune closes, again and again, what is kept for instances that are gone, and everything at the end.
func (p *instances) prune(ctx context.Context) error {
	ticker := time.NewTicker(pruneEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			p.forget(p.now().Add(time.Hour))
			return nil
		case <-ticker.C:
			p.forget(p.now().Add(-forgetAfter))
		}
	}
}

// forget drops the instances that were last used before a time.
func (p *instances) forget(before time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for address, old := range p.known {
		if old.lastUsed.Load() < before.UnixNano() {
			old.client.CloseIdleConnections()
			delete(p.known, address)
		}
	}
}

// ready says whether each of some services has a healthy instance.
func (p *instances) ready(services []string) func(context.Context) error {
	return func(context.Context) error {
		for _, service := range services {
			if len(p.finder.Instances(service)) == 0 {
				return fmt.Errorf("Consul knows no healthy %s", service) //nolint:staticcheck // a proper noun
			}
		}
		return nil
	}
}
