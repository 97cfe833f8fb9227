package gateway

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit"
	"github.com/meridian-store/meridian/kit/httpx"
)

const (
	rejoinPoll = 200 * time.Millisecond
	// rejoinWithin bounds the wait for services that give no answer. Those that answer have a bound of their own, below this one.
	rejoinWithin = 40 * time.Second
)

// rejoining keeps the gateway from being ready until some services have taken in what other regions did while this one was away. What
// they have said once holds for as long as the gateway runs: later it is their own affair.
type rejoining struct {
	ask func(ctx context.Context, service string) error
	log *slog.Logger

	mu   sync.Mutex
	left []string
}

func newRejoining(base *kit.Base, services []string) *rejoining {
	return &rejoining{left: services, log: base.Log, ask: func(ctx context.Context, service string) error {
		return base.Client.Do(ctx, httpx.Call{Service: service, Method: http.MethodGet, Path: contract.PathRejoined, Timeout: time.Second})
	}}
}

// follow asks until all have rejoined or the time is over, and then waits for the context's end.
func (r *rejoining) follow(ctx context.Context) error {
	ticker := time.NewTicker(rejoinPoll)
	defer ticker.Stop()
	overdue := time.NewTimer(rejoinWithin)
	defer overdue.Stop()
	for {
		next := r.next()
		if next == "" {
			<-ctx.Done()
			return nil
		}
		err := r.ask(ctx, next)
		if err == nil {
			r.strike()
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-overdue.C:
			r.log.WarnContext(ctx, "A service never said that it has taken in what other regions did meanwhile; the region serves all the same.",
				"of", next, "error", httpx.ErrorChain(err))
			r.strike()
		case <-ticker.C:
		}
	}
}

func (r *rejoining) next() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.left) == 0 {
		return ""
	}
	return r.left[0]
}

func (r *rejoining) strike() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.left = r.left[1:]
}

func (r *rejoining) ready(context.Context) error {
	if waited := r.next(); waited != "" {
		return fmt.Errorf("%s has not taken in yet what other regions did meanwhile", waited)
	}
	return nil
}
