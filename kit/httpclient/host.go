package httpclient

import (
	"cmp"
	"context"
	"net"
	"time"

	"github.com/valyala/fasthttp"
)

// HostOptions configures NewHost. Address is required.
type HostOptions struct {
	// Address is the server's host:port.
	Address string
	// TLS connects with TLS.
	TLS bool
	// Timeout bounds writing a request, and again reading its response; DefaultTimeout when 0. An earlier deadline of
	// DoDeadline or DoTimeout takes precedence. May be CallerDeadline.
	Timeout time.Duration
	// DialTimeout bounds opening a TCP connection; DefaultDialTimeout when 0. Not used with Dial.
	DialTimeout time.Duration
	// LocalIP is the source address of connections; the system chooses when nil. Not used with Dial.
	LocalIP net.IP
	// Dial replaces the dialer. It receives the time left for the request, 0 when that has no deadline.
	Dial func(address string, left time.Duration) (net.Conn, error)
	// MaxConns limits the connections; 512 when 0.
	MaxConns int
	// MaxConnWait is how long a request waits for a free connection; without a wait it fails when 0.
	MaxConnWait time.Duration
	// IdleTimeout is how long an idle connection is kept; 10 s when 0.
	IdleTimeout time.Duration
	// MaxHeaderBytes limits a response's header; 4096 when 0.
	MaxHeaderBytes int
	// MaxBodyBytes limits a response's body; no limit when 0.
	MaxBodyBytes int
	// MaxAttempts is how often a request is sent at most after failures for which RetryIf is true; 1 when 0.
	MaxAttempts int
	RetryIf     fasthttp.RetryIfErrFunc
	// Forward sends requests as received, for proxies: the path is not normalized, and no User-Agent is added.
	Forward bool
}

// NewHost returns a fasthttp client of one server, for paths on which net/http is too slow.
func NewHost(options HostOptions) *fasthttp.HostClient {
	limit := timeout(options.Timeout)
	client := &fasthttp.HostClient{
		Addr: options.Address, IsTLS: options.TLS, ReadTimeout: limit, WriteTimeout: limit,
		DialTimeout:               options.Dial,
		MaxConns:                  options.MaxConns,
		MaxConnWaitTimeout:        options.MaxConnWait,
		MaxIdleConnDuration:       options.IdleTimeout,
		ReadBufferSize:            options.MaxHeaderBytes,
		MaxResponseBodySize:       options.MaxBodyBytes,
		MaxIdemponentCallAttempts: cmp.Or(options.MaxAttempts, 1),
		RetryIfErr:                options.RetryIf,
		DisablePathNormalizing:    options.Forward,
		NoDefaultUserAgentHeader:  options.Forward,
	}
	if client.DialTimeout == nil {
		// Not fasthttp's own dialer, which keeps a goroutine for the life of the process.
		client.DialTimeout = func(address string, left time.Duration) (net.Conn, error) {
			d := dialer(options.DialTimeout, options.LocalIP)
			if left > 0 {
				d.Timeout = min(d.Timeout, left)
			}
			return d.DialContext(context.Background(), "tcp", address) // fasthttp passes no context
		}
	}
	return client
}
