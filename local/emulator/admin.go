package emulator

import (
	"encoding/json"
	"net/http"
	"net/http/pprof"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// originStatus is an origin as /health and /ready show it.
type originStatus struct {
	Region string `json:"region"`
	From   string `json:"from"` // the region whose edge locations see it so
	URL    string `json:"url"`
	Health string `json:"health"` // up, suspect, returning or down
}

type status struct {
	Status  string         `json:"status"` // ok, or unavailable
	Origins []originStatus `json:"origins"`
}

// adminRoutes are on a listener of their own, so that they shadow nothing of the shop's API.
func (e *Edge) adminRoutes() http.Handler {
	routes := http.NewServeMux()
	routes.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) { e.writeStatus(w, true) })
	routes.HandleFunc("GET /ready", func(w http.ResponseWriter, _ *http.Request) { e.writeStatus(w, e.Ready()) })
	routes.Handle("GET /metrics", promhttp.HandlerFor(e.cfg.Registry, promhttp.HandlerOpts{}))
	if e.cfg.Profiling {
		routes.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	}
	return routes
}

// ways gives every way to an origin, by region.
func (e *Edge) ways() []*origin {
	if w := e.world.Load(); w != nil {
		return w.origins
	}
	return nil
}

// Ready reports whether at least one origin is healthy, or about to be.
func (e *Edge) Ready() bool {
	for _, o := range e.ways() {
		if h := o.health(); h == up || h == returning {
			return true
		}
	}
	return false
}

func (e *Edge) writeStatus(w http.ResponseWriter, ok bool) {
	s, code := status{Status: "ok"}, http.StatusOK
	if !ok {
		s.Status, code = "unavailable", http.StatusServiceUnavailable
	}
	for _, o := range e.ways() {
		s.Origins = append(s.Origins, originStatus{Region: o.Region, From: o.from, URL: o.URL, Health: o.health().String()})
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	if err := json.NewEncoder(w).Encode(s); err != nil {
		e.cfg.Log.Debug("An operator went away before the answer was written.", "error", err)
	}
}

// Health gives what the edge thinks of each origin, by region, as its own region's locations see it: up, suspect, returning or down.
func (e *Edge) Health() map[string]string {
	healths := make(map[string]string)
	for _, o := range e.ways() {
		if o.direct() {
			healths[o.Region] = o.health().String()
		}
	}
	return healths
}
