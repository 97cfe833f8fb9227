package purge

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/meridian-store/meridian/contract"
)

// sparing is an edge that purges, spares or fails, and notes when it was asked.
type sparing struct {
	begun  time.Time
	at     []time.Duration
	spares bool
	failed error
}

func (s *sparing) SpareTags(_ context.Context, tags ...string) (bool, error) {
	if !slices.Equal(tags, []string{contract.TagSearch}) {
		panic(tags)
	}
	s.at = append(s.at, time.Since(s.begun))
	return !s.spares && s.failed == nil, s.failed
}

func TestSearchesArePurgedAtOnceAndThenSeldom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		edge := &sparing{begun: time.Now()}
		registry := prometheus.NewRegistry()
		s := newSearches(edge, slog.New(slog.DiscardHandler), registry)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- s.run(ctx) }()
		tell := func() {
			t.Helper()
			if _, err := s.post(ctx, nil); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		tell()
		for range 10 { // while the first one is not long ago
			time.Sleep(searchesEvery / 20)
			tell()
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		edge.spares = true
		tell()
		time.Sleep(time.Minute)
		synctest.Wait()
		edge.spares, edge.failed = false, errors.New("refused")
		tell()
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		begun := searchesEvery/2 + time.Minute
		if want := []time.Duration{0, searchesEvery, begun, begun + time.Minute}; !slices.Equal(edge.at, want) {
			t.Errorf("purged after %v, want %v", edge.at, want)
		}
		families, err := registry.Gather()
		if err != nil || len(families) != 1 {
			t.Fatalf("%v (%v)", families, err)
		}
		counted := map[string]float64{}
		for _, metric := range families[0].GetMetric() {
			counted[metric.GetLabel()[0].GetValue()] = metric.GetCounter().GetValue()
		}
		if want := map[string]float64{"done": 2, "spared": 1, "failed": 1}; !maps.Equal(counted, want) {
			t.Errorf("counted %v, want %v", counted, want)
		}
	})
}
