package search

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/httpx"
)

// tellTimeout is how long a purger may take to say that it has heard: by then what it would purge has passed by itself.
const tellTimeout = time.Second

// herald tells the region's purger that the index has taken in a change, once for all that came while it was told of the one before. Who
// does not hear it is not told again: without a purge the edge shows an older answer for a second at most.
type herald struct {
	client  *httpx.Client
	log     *slog.Logger
	changed chan struct{}
}

func (h *herald) indexed() {
	select {
	case h.changed <- struct{}{}:
	default: // it will be told of this one, too
	}
}

// run tells until the context ends.
func (h *herald) run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-h.changed:
		}
		call := httpx.Call{Service: contract.ServicePurge, Method: http.MethodPost, Path: contract.PathPurgeSearches, Timeout: tellTimeout}
		if err := h.client.Do(ctx, call); err != nil && ctx.Err() == nil {
			h.log.DebugContext(ctx, "The purger did not hear that searches have changed; the edge keeps them for a second.", "error", err.Error())
		}
	}
}
