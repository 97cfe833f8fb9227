package purge

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/httpx"
)

// dropTimeout bounds one gateway's answer. One that does not answer in time is no longer served from by the time that Consul has seen it,
// and hears of the same events by itself.
const dropTimeout = 500 * time.Millisecond

// gateways are the region's, as Consul knows them.
type gateways struct {
	// instances gives the host:port of each healthy one.
	instances func() []string
	client    *httpx.Client
	log       *slog.Logger
	metrics   *metrics
}

// Drop tells all at once.
func (g *gateways) Drop(ctx context.Context, what contract.AnswersPurge) {
	ctx, cancel := context.WithTimeout(ctx, dropTimeout)
	defer cancel()
	var told sync.WaitGroup
	for _, address := range g.instances() {
		told.Go(func() {
			if err := g.drop(ctx, address, what); err != nil && ctx.Err() != context.Canceled { //nolint:errorlint // only the caller cancels
				g.metrics.missed.Inc()
				g.log.WarnContext(ctx, "A gateway did not drop what it keeps; it hears of the change by its event.", "gateway", address, "error", httpx.ErrorChain(err))
			}
		})
	}
	told.Wait()
}

func (g *gateways) drop(ctx context.Context, address string, what contract.AnswersPurge) error {
	call := httpx.Call{
		Service: contract.ServiceGateway, Method: http.MethodPost, Path: contract.PathPurgeAnswers, In: what,
	}
	return g.client.At(address).Do(ctx, call)
}
