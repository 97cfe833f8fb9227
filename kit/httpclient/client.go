// Package httpclient constructs every HTTP client of the module, for net/http and for fasthttp, so that each has a
// timeout and TLS can be configured in one place. A test in the repository root forbids constructing one elsewhere.
// Clients that third-party SDKs construct for themselves (Consul's) are not covered.
package httpclient

import (
	"cmp"
	"context"
	"net"
	"net/http"
	"time"
)

const (
	// DefaultTimeout bounds an exchange when the options name no timeout. The gateway's longest route takes 25 s.
	DefaultTimeout = time.Minute
	// DefaultDialTimeout bounds opening a TCP connection when the options name no timeout.
	DefaultDialTimeout = 10 * time.Second
	// CallerDeadline as a timeout means that the client has none: the caller sets a deadline on every request.
	CallerDeadline time.Duration = -1

	idleTimeout         = 90 * time.Second
	tlsHandshakeTimeout = 10 * time.Second
	continueTimeout     = time.Second
)

// Default is the client for occasional requests, with the default options. It is shared, like http.DefaultClient.
var Default = New(Options{})

// Options configures New. The zero value is usable.
type Options struct {
	// Timeout bounds an exchange from dialing to the end of the response body; DefaultTimeout when 0. An earlier
	// deadline of the request's context takes precedence and costs nothing more. May be CallerDeadline.
	Timeout time.Duration
	// DialTimeout bounds opening a TCP connection; DefaultDialTimeout when 0. Not used with DialContext.
	DialTimeout time.Duration
	// LocalIP is the source address of connections; the system chooses when nil. Not used with DialContext.
	LocalIP net.IP
	// DialContext replaces the dialer.
	DialContext func(ctx context.Context, network, address string) (net.Conn, error)
	// MaxConnsPerHost limits the connections to one host; no limit when 0.
	MaxConnsPerHost int
	// MaxIdleConnsPerHost limits the idle connections kept to one host; 2 when 0.
	MaxIdleConnsPerHost int
	// IdleTimeout is how long an idle connection is kept; 90 s when 0.
	IdleTimeout time.Duration
	// MaxHeaderBytes limits a response's header; 10 MiB when 0.
	MaxHeaderBytes int64
	// DisableKeepAlives opens a new connection for each request.
	DisableKeepAlives bool
	// DisableCompression neither requests gzip nor decodes it.
	DisableCompression bool
	// DisableRedirects returns a redirect response instead of following it.
	DisableRedirects bool
	// Proxy uses the proxy of HTTP_PROXY, HTTPS_PROXY and NO_PROXY, for servers outside the region.
	Proxy bool
	// Wrap returns the round tripper to use instead of the given one, which it may call; nil for none.
	Wrap func(http.RoundTripper) http.RoundTripper
}

// New returns a net/http client with a connection pool of its own.
func New(options Options) *http.Client {
	transport := &http.Transport{
		DialContext:            options.DialContext,
		MaxConnsPerHost:        options.MaxConnsPerHost,
		MaxIdleConnsPerHost:    options.MaxIdleConnsPerHost,
		IdleConnTimeout:        cmp.Or(options.IdleTimeout, idleTimeout),
		MaxResponseHeaderBytes: options.MaxHeaderBytes,
		DisableKeepAlives:      options.DisableKeepAlives,
		DisableCompression:     options.DisableCompression,
		TLSHandshakeTimeout:    tlsHandshakeTimeout,
		ExpectContinueTimeout:  continueTimeout,
		ForceAttemptHTTP2:      true,
	}
	if transport.DialContext == nil {
		transport.DialContext = dialer(options.DialTimeout, options.LocalIP).DialContext
	}
	if options.Proxy {
		transport.Proxy = http.ProxyFromEnvironment
	}
	client := &http.Client{Transport: transport, Timeout: timeout(options.Timeout)}
	if options.Wrap != nil {
		client.Transport = options.Wrap(transport)
	}
	if options.DisableRedirects {
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	return client
}

// timeout applies the default and returns 0, "none" to both libraries, for CallerDeadline.
func timeout(configured time.Duration) time.Duration {
	return max(0, cmp.Or(configured, DefaultTimeout))
}

func dialer(timeout time.Duration, local net.IP) *net.Dialer {
	d := &net.Dialer{Timeout: cmp.Or(timeout, DefaultDialTimeout)}
	if local != nil {
		d.LocalAddr = &net.TCPAddr{IP: local}
	}
	return d
}
