// Package sandbox is a payment provider that moves no money: a server that speaks the part of Stripe's API which payment uses, with
// Stripe's objects, errors, idempotency keys and signed webhooks, on a durable ledger of its own. It runs outside every region, as
// Stripe does, so that an audit compares two ledgers and a region's end takes nothing of it along.
//
// Its subset: PaymentIntents of cards, created without a means of payment and confirmed with a token, captured at once or by hand;
// refunds; both retrieved and listed. A parameter that it does not know is refused, never passed over.
package sandbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// SlowConfirm is how long the confirmation with TokenSlow takes.
const SlowConfirm = 10 * time.Second

// Config is what a sandbox needs. All but Now and Wait are required, Webhook.URL excepted.
type Config struct {
	// Path is the ledger's file; its folder must exist.
	Path string
	// SecretKey is what clients present.
	SecretKey string
	Webhook   Webhook
	Log       *slog.Logger
	// Now is the clock, time.Now when nil. Wait is how TokenSlow takes its time; it ends early with its context.
	Now  func() time.Time
	Wait func(ctx context.Context, how time.Duration) error
}

// Webhook says where events are sent; nowhere when URL is empty.
type Webhook struct {
	URL string
	// Secret signs each of them.
	Secret string
}

// Server is a running sandbox, an http.Handler.
type Server struct {
	config Config
	ledger *ledger
	mux    *http.ServeMux
	sender *sender

	// closing ends what waits: slow confirmations, and answers that never come.
	closing context.Context //nolint:containedctx // it is the server's own life, not a call's
	end     context.CancelFunc
	once    sync.Once
	closed  error

	mu sync.Mutex
	// busy holds the idempotency keys and the intents of confirmations under way.
	busy map[string]bool
}

// Open opens the ledger and begins to send the events that are due.
func Open(config Config) (*Server, error) {
	if config.SecretKey == "" || (config.Webhook.URL != "" && config.Webhook.Secret == "") {
		return nil, errors.New("the payment sandbox needs a secret key, and a webhook secret when it sends webhooks")
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Wait == nil {
		config.Wait = wait
	}
	books, err := openLedger(config.Path)
	if err != nil {
		return nil, err
	}
	s := &Server{config: config, ledger: books, mux: http.NewServeMux(), busy: map[string]bool{}}
	s.closing, s.end = context.WithCancel(context.Background())
	s.sender = startSender(s.closing, books, config)
	s.routes()
	return s, nil
}

// Close ends what waits and closes the ledger. Requests must have ended or be ending; closing twice is fine.
func (s *Server) Close() error {
	s.once.Do(func() {
		s.end()
		s.sender.wait()
		s.closed = s.ledger.close()
	})
	return s.closed
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

func wait(ctx context.Context, how time.Duration) error {
	timer := time.NewTimer(how)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// claim takes names that nobody else may hold at once; false when one is taken.
func (s *Server) claim(names ...string) (release func(), free bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range names {
		if s.busy[name] {
			return nil, false
		}
	}
	for _, name := range names {
		s.busy[name] = true
	}
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, name := range names {
			delete(s.busy, name)
		}
	}, true
}

func (s *Server) isBusy(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.busy[name]
}

const (
	headerTimeout = 5 * time.Second
	// drainTimeout is how long requests under way may take at the end.
	drainTimeout = 3 * time.Second
)

// Run serves at an address, host:port, until the context ends.
func Run(ctx context.Context, address string, config Config) (err error) {
	s, err := Open(config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("listen for payments: %w", err)
	}
	server := &http.Server{Handler: s, ReadHeaderTimeout: headerTimeout}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	config.Log.InfoContext(ctx, "The payment sandbox is up.", "address", listener.Addr().String())
	select {
	case err := <-served:
		return fmt.Errorf("serve payments: %w", err)
	case <-ctx.Done():
	}
	s.end() // what waits for ever must not hold the end up
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	return server.Shutdown(stopping)
}
