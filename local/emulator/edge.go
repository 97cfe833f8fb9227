package emulator

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
	"golang.org/x/sync/singleflight"

	"github.com/meridian-store/meridian/kit/tagcache"
)

const (
	maxHeaderBytes = 16 << 10
	receiveTimeout = 30 * time.Second // of one whole request
	idleTimeout    = 60 * time.Second // of a connection between requests
)

// Edge is a running edge. Make one with New, then Start and Stop it once.
type Edge struct {
	cfg   Config
	world atomic.Pointer[world]   // nil until it was told what to enforce
	cache *tagcache.Cache[*entry] // of all locations: a key is the location followed by the canonical target
	fills singleflight.Group
	// contents are shared by what several locations keep.
	contents contents
	metrics  *metrics
	server   *fasthttp.Server
	admin    *http.Server

	mu          sync.Mutex
	phase       phase
	stopErr     error
	listener    net.Listener
	adminListen net.Listener
	origins     map[way]*origin
	probing     context.Context // of every origin's probes; ends with stopProbes
	stopProbes  context.CancelFunc
	loops       sync.WaitGroup
}

type phase int

const (
	phaseNew phase = iota
	phaseRunning
	phaseStopped
)

// ErrUsed is returned by Start when the edge was started or stopped before.
var ErrUsed = errors.New("edge: it was started or stopped before; make a new one")

// New makes an edge that is not yet listening. The error says all that is wrong with the config.
func New(cfg Config) (*Edge, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	e := &Edge{cfg: cfg}
	e.probing, e.stopProbes = context.WithCancel(context.Background())
	cache, err := tagcache.New[*entry](cfg.MaxBytes)
	if err != nil {
		return nil, err
	}
	e.cache = cache
	if e.metrics, err = newMetrics(cfg.Registry, e.cache); err != nil {
		cache.Close()
		return nil, err
	}
	if cfg.Rules != nil {
		if err := e.Configure(Nearest(cfg.Rules, cfg.Origins)); err != nil {
			cache.Close()
			return nil, err
		}
	}
	e.server = &fasthttp.Server{
		Handler:               e.serve,
		ErrorHandler:          refuseMalformed,
		ReadBufferSize:        maxHeaderBytes,
		MaxRequestBodySize:    cfg.MaxRequestBody,
		ReadTimeout:           receiveTimeout,
		WriteTimeout:          receiveTimeout,
		IdleTimeout:           idleTimeout,
		NoDefaultServerHeader: true,
		NoDefaultContentType:  true,
		// The body is passed on as it came.
		DisablePreParseMultipartForm: true,
		CloseOnShutdown:              true,
		Logger:                       quietLogger{cfg.Log},
	}
	e.admin = &http.Server{Handler: e.adminRoutes(), ReadHeaderTimeout: receiveTimeout, IdleTimeout: idleTimeout}
	return e, nil
}

// Start opens the listeners and begins to probe the origins; it returns when requests are
// accepted. Until it was configured, and a probe has succeeded, the edge answers 503. The context bounds only the start.
func (e *Edge) Start(ctx context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.phase != phaseNew {
		return ErrUsed
	}
	var dial net.ListenConfig
	opened, err := dial.Listen(ctx, "tcp", e.cfg.Listen)
	if err != nil {
		return fmt.Errorf("edge: listen for shoppers: %w", err)
	}
	listener := &announcing{Listener: opened, accepting: make(chan struct{})}
	if e.cfg.AdminListen != "" {
		if e.adminListen, err = dial.Listen(ctx, "tcp", e.cfg.AdminListen); err != nil {
			return fmt.Errorf("edge: listen for operators: %w", errors.Join(err, listener.Close()))
		}
	}
	e.listener, e.phase = listener, phaseRunning

	for _, o := range e.origins {
		e.watch(o)
	}
	e.loops.Go(func() {
		if err := e.server.Serve(listener); err != nil {
			e.cfg.Log.Error("The edge stopped accepting shoppers.", "address", listener.Addr().String(), "error", err)
		}
	})
	if e.adminListen != nil {
		e.loops.Go(func() {
			if err := e.admin.Serve(e.adminListen); !errors.Is(err, http.ErrServerClosed) {
				e.cfg.Log.Error("The edge stopped accepting operators.", "address", e.adminListen.Addr().String(), "error", err)
			}
		})
	}
	// Until then a Stop could overtake the server and leave it running.
	<-listener.accepting
	e.cfg.Log.Info("The edge is listening.", "address", listener.Addr().String(), "origins", len(e.origins))
	return nil
}

// Stop refuses new connections, lets running requests end until the context does, then ends
// every loop. Stopping again, or without a start, is fine: it gives the first stop's result.
func (e *Edge) Stop(ctx context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.phase == phaseStopped {
		return e.stopErr
	}
	started := e.phase == phaseRunning
	e.phase = phaseStopped
	if started {
		if err := e.server.ShutdownWithContext(ctx); err != nil {
			e.stopErr = fmt.Errorf("edge: requests were still running at the end of the drain: %w", err)
		}
		if err := e.admin.Shutdown(ctx); err != nil {
			// Past its time, so cut off: nothing an operator reads is worth waiting for.
			e.stopErr = errors.Join(e.stopErr, e.admin.Close())
		}
		e.stopProbes()
		e.loops.Wait()
		e.cfg.Log.Info("The edge has stopped.", "address", e.listener.Addr().String())
	}
	e.stopProbes()
	for _, o := range e.origins {
		o.close()
	}
	e.cache.Close()
	return e.stopErr
}

// announcing tells when its server has begun to accept connections.
type announcing struct {
	net.Listener
	once      sync.Once
	accepting chan struct{}
}

func (l *announcing) Accept() (net.Conn, error) {
	l.once.Do(func() { close(l.accepting) })
	return l.Listener.Accept()
}

// Addr is where shoppers connect, as host:port; empty before Start.
func (e *Edge) Addr() string { return e.address(func() net.Listener { return e.listener }) }

// AdminAddr is where operators connect, as host:port; empty before Start or without AdminListen.
func (e *Edge) AdminAddr() string { return e.address(func() net.Listener { return e.adminListen }) }

func (e *Edge) address(of func() net.Listener) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if l := of(); l != nil {
		return l.Addr().String()
	}
	return ""
}
