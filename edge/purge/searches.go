package purge

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/httpx"
)

const (
	// searchesEvery is the least time between two purges of searches, for all changes meanwhile.
	searchesEvery = 200 * time.Millisecond
	// searchesWithin is how long such a purge may take: after that what it would purge has passed by itself.
	searchesWithin = time.Second
)

// SparingEdge purges while that takes nothing from what must be purged; done says whether it did.
type SparingEdge interface {
	SpareTags(ctx context.Context, tags ...string) (done bool, err error)
}

// searches has the edge forget its answers to searches when the region's index has taken in a change.
type searches struct {
	edge    SparingEdge
	log     *slog.Logger
	changed chan struct{}
	purges  *prometheus.CounterVec
}

func newSearches(edge SparingEdge, log *slog.Logger, registry prometheus.Registerer) *searches {
	s := &searches{edge: edge, log: log, changed: make(chan struct{}, 1), purges: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "meridian_purge_searches_total", Help: "Changes of the index after which searches were purged, were spared for the plan's rate, or could not be."}, []string{"outcome"})}
	registry.MustRegister(s.purges)
	return s
}

func (s *searches) routes(to *httpx.API) {
	httpx.Handle(to, huma.Operation{OperationID: "purge-searches", Method: http.MethodPost, Path: contract.PathPurgeSearches, Hidden: true,
		Summary: "Have the edge forget its answers to searches", Tags: []string{"internal"}, DefaultStatus: http.StatusNoContent}, s.post)
}

func (s *searches) post(context.Context, *struct{}) (*struct{}, error) {
	select {
	case s.changed <- struct{}{}:
	default: // the purge that is due is after this change, too
	}
	return nil, nil
}

// run purges until the context ends, once for all changes that came while it waited.
func (s *searches) run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.changed:
		}
		s.purge(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(searchesEvery):
		}
	}
}

func (s *searches) purge(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, searchesWithin)
	defer cancel()
	outcome := "done"
	switch done, err := s.edge.SpareTags(ctx, contract.TagSearch); {
	case err != nil:
		outcome = "failed"
		s.log.WarnContext(ctx, "Searches could not be purged; the edge keeps them for a second.", "error", err.Error())
	case !done:
		outcome = "spared"
	}
	s.purges.WithLabelValues(outcome).Inc()
}
