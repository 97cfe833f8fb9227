package emulator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/meridian-store/meridian/kit/httpclient"
)

const (
	maxOriginConnections = 512
	// Shorter than any server keeps an idle connection, so that a POST never goes out on one that
	// the origin is just closing: it could not be told whether that POST was read.
	originIdleTimeout = 5 * time.Second
)

type origin struct {
	Origin
	// from is the region whose edge locations reach the origin this way; its own for the direct way, which all take that have no link.
	from          string
	address       string
	stopProbes    context.CancelFunc
	client        *fasthttp.HostClient
	prober        *http.Client
	probeInterval time.Duration
	vigil         vigil // the probe loop's alone
	now           func() time.Time
	log           *slog.Logger
	metrics       originMetrics
	state         atomic.Uint32
	silent        atomic.Bool // its last probe got no answer, as opposed to one that says it is not ready
}

// dialError marks a request of which not a byte was sent.
type dialError struct{ err error }

func (e *dialError) Error() string { return fmt.Sprintf("connect: %v", e.err) }
func (e *dialError) Unwrap() error { return e.err }

func (e *Edge) newOrigin(o Origin, from, address string) *origin {
	cfg := e.cfg
	if own, err := originAddress(o.URL); err == nil && own == address {
		from = o.Region
	}
	dialer := net.Dialer{Timeout: cfg.DialTimeout}
	return &origin{
		Origin: o, from: from, address: address, stopProbes: func() {},
		metrics: e.metrics.forOrigin(o.Region, from),
		client: httpclient.NewHost(httpclient.HostOptions{
			Address: address,
			Dial: func(addr string, _ time.Duration) (net.Conn, error) {
				// fasthttp has no context to give; the dialer's timeout bounds this.
				conn, err := dialer.DialContext(context.Background(), "tcp", addr)
				if err != nil {
					return nil, &dialError{err}
				}
				return conn, nil
			},
			MaxConns:       maxOriginConnections,
			MaxConnWait:    cfg.DialTimeout,
			IdleTimeout:    originIdleTimeout,
			Timeout:        cfg.WriteTimeout,
			MaxHeaderBytes: maxHeaderBytes,
			MaxBodyBytes:   cfg.MaxResponseBody,
			// Trying another origin is attempt's decision; see retryHere for trying this one again.
			MaxAttempts: 2,
			RetryIf:     retryHere,
			Forward:     true,
		}),
		prober:        newProber(cfg.ProbeTimeout),
		probeInterval: cfg.ProbeInterval,
		vigil:         vigil{returnProbes: cfg.ReturnProbes, steadyAfter: cfg.SteadyAfter},
		now:           cfg.Clock,
		log:           cfg.Log,
	}
}

func compareOrigins(a, b *origin) int {
	return cmp.Or(strings.Compare(a.Region, b.Region), strings.Compare(a.from, b.from), strings.Compare(a.address, b.address))
}

// direct says whether this is the way of the origin's own locations: what others see may be a link that is cut.
func (o *origin) direct() bool { return o.from == o.Region }

func (o *origin) health() health { return health(o.state.Load()) }

// setHealth records a probe's verdict.
func (o *origin) setHealth(now health, why error) {
	before := health(o.state.Swap(uint32(now)))
	if before == now {
		return
	}
	o.metrics.setUp(now == up)
	switch now {
	case up:
		o.log.Info("An origin is healthy.", "region", o.Region, "from", o.from, "url", o.URL)
		return
	case returning:
		o.log.Info("An origin answers again; it gets shoppers when it has done so for a while.", "region", o.Region, "from", o.from, "url", o.URL, "good_probes", o.vigil.needed())
		return
	}
	// Connections of a dead process would each fail one more request.
	o.client.CloseIdleConnections()
	o.log.Warn("An origin is down.", "region", o.Region, "from", o.from, "url", o.URL, "error", why)
}

// suspectIt records that a connection to a healthy origin failed. The next probe judges.
func (o *origin) suspectIt(why error) {
	if !o.state.CompareAndSwap(uint32(up), uint32(suspect)) {
		return
	}
	o.client.CloseIdleConnections()
	o.log.Warn("An origin failed a request and is tried last until its next probe.", "region", o.Region, "from", o.from, "url", o.URL, "error", why)
}

func (o *origin) close() {
	o.client.CloseIdleConnections()
	o.prober.CloseIdleConnections()
}

// retryHere repeats a request once at the same origin when it met a connection that the origin was
// just closing, which says nothing about the origin's health. Only what may be done twice is.
func retryHere(request *fasthttp.Request, _ int, err error) (resetTimeout, retry bool) {
	closed := errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
	return false, closed && idempotent(string(request.Header.Method()))
}

func nothingSent(err error) bool {
	var dial *dialError
	return errors.As(err, &dial) || errors.Is(err, fasthttp.ErrNoFreeConns)
}
