// Package control is the part of Cloudflare's API that tells an edge its rules and what to purge, before the edge on this machine: what
// `meridian edge apply` and the purgers send to Cloudflare, they send here.
//
// It evaluates the rules as Cloudflare does, in the expression language that it is sent; see docs/cloudflare.md for what it does not know.
package control

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/meridian-store/meridian/edge/cloudflare"
	"github.com/meridian-store/meridian/local/emulator"
)

// Edge is what is told.
type Edge interface {
	Configure(setup emulator.Setup) error
	PurgeTags(tags ...string)
	PurgeTargets(targets ...string)
	PurgePrefixes(prefixes ...string)
	PurgeEverything()
}

// Config says whose zone this is.
type Config struct {
	// Token is what callers present as a bearer. Zone and Account are their ids: 32 hexadecimal digits.
	Token, Zone, Account string
	Plan                 cloudflare.Plan
	// StateFile keeps what the API was told, so that an edge that was killed comes back with it. Empty: nothing is kept.
	StateFile string
	Edge      Edge
	Now       func() time.Time
	Log       *slog.Logger
}

// Server answers the API. Make one with New.
type Server struct {
	cfg     Config
	limiter *rate.Limiter

	mu    sync.Mutex // writes come one after the other
	state state
}

// maxBody bounds a request: a ruleset of a thousand rules is below it.
const maxBody = 4 << 20

// New reads what was kept and has the edge enforce it.
func New(cfg Config) (*Server, error) {
	if cfg.Token == "" || cfg.Zone == "" || cfg.Account == "" || cfg.Edge == nil {
		return nil, fmt.Errorf("control: a token, a zone, an account and an edge are needed")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	limits := cfg.Plan.Limits()
	if limits.PurgeBurst == 0 {
		return nil, fmt.Errorf("control: %q is not one of Cloudflare's plans", cfg.Plan)
	}
	s := &Server{cfg: cfg, limiter: rate.NewLimiter(rate.Limit(limits.PurgesPerSecond), limits.PurgeBurst), state: newState()}
	if err := s.state.read(cfg.StateFile); err != nil {
		return nil, err
	}
	if setup, complete, err := s.state.setup(); err != nil {
		return nil, err
	} else if complete {
		if err := cfg.Edge.Configure(setup); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Handler serves the API below /client/v4.
func (s *Server) Handler() http.Handler {
	zone, account := "/client/v4/zones/{zone}", "/client/v4/accounts/{account}/load_balancers"
	routes := http.NewServeMux()
	for pattern, handle := range map[string]func(*http.Request) (any, error){
		"GET " + zone + "/rulesets/phases/{phase}/entrypoint": s.getPhase,
		"PUT " + zone + "/rulesets/phases/{phase}/entrypoint": s.putPhase,
		"POST " + zone + "/purge_cache":                       s.purge,
		"GET " + zone + "/argo/tiered_caching":                s.getTiers(func(t *cloudflare.Tiers) *bool { return &t.Smart }, "tiered_caching"),
		"PATCH " + zone + "/argo/tiered_caching":              s.setTiers(func(t *cloudflare.Tiers) *bool { return &t.Smart }, "tiered_caching"),
		"GET " + zone + "/cache/regional_tiered_cache":        s.getTiers(func(t *cloudflare.Tiers) *bool { return &t.Regional }, "regional_tiered_cache"),
		"PATCH " + zone + "/cache/regional_tiered_cache":      s.setTiers(func(t *cloudflare.Tiers) *bool { return &t.Regional }, "regional_tiered_cache"),
	} {
		routes.HandleFunc(pattern, s.answer(handle))
	}
	for base, kind := range map[string]kind{account + "/monitors": monitors, account + "/pools": pools, zone + "/load_balancers": balancers} {
		routes.HandleFunc("GET "+base, s.answer(s.list(kind)))
		routes.HandleFunc("POST "+base, s.answer(s.create(kind)))
		routes.HandleFunc("GET "+base+"/{id}", s.answer(s.get(kind)))
		routes.HandleFunc("PUT "+base+"/{id}", s.answer(s.replace(kind)))
		routes.HandleFunc("DELETE "+base+"/{id}", s.answer(s.remove(kind)))
	}
	routes.HandleFunc("/", s.answer(func(r *http.Request) (any, error) { return nil, noRoute(r.URL.Path) }))
	return routes
}

// answer checks who asks and for what, and wraps what is answered in Cloudflare's envelope.
func (s *Server) answer(handle func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		result, err := any(nil), s.admit(r)
		if err == nil {
			result, err = handle(r)
		}
		status := http.StatusOK
		body := envelope{Success: err == nil, Errors: []message{}, Messages: []message{}, Result: result}
		if listed, ok := result.([]any); ok && err == nil {
			body.Info = &info{Page: 1, PerPage: max(len(listed), 1), Count: len(listed), TotalCount: len(listed)}
		}
		if err != nil {
			refused := asRefusal(err)
			status, body.Result = refused.status, nil
			body.Errors = append(body.Errors, message{Code: refused.code, Message: refused.reason})
			if refused.retryAfter > 0 {
				w.Header().Set("Retry-After", fmt.Sprint(refused.retryAfter))
			}
			if status >= http.StatusInternalServerError {
				s.cfg.Log.Error("The edge could not be told.", "path", r.URL.Path, "error", err)
			}
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		if err := json.NewEncoder(w).Encode(body); err != nil {
			s.cfg.Log.Debug("A caller went away before the answer was written.", "error", err)
		}
	}
}

func (s *Server) admit(r *http.Request) error {
	given, isBearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	// Hashed first, so that not even the length shows in the time.
	is, want := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(s.cfg.Token))
	if !isBearer || subtle.ConstantTimeCompare(is[:], want[:]) != 1 {
		return &refusal{status: http.StatusForbidden, code: 10000, reason: "Authentication error"}
	}
	if zone := r.PathValue("zone"); zone != "" && zone != s.cfg.Zone {
		return noRoute("/zones/" + zone)
	}
	if account := r.PathValue("account"); account != "" && account != s.cfg.Account {
		return noRoute("/accounts/" + account)
	}
	return nil
}

type envelope struct {
	Success  bool      `json:"success"`
	Errors   []message `json:"errors"`
	Messages []message `json:"messages"`
	Result   any       `json:"result"`
	Info     *info     `json:"result_info,omitempty"`
}

type message struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

type info struct {
	Page       int `json:"page"`
	PerPage    int `json:"per_page"`
	Count      int `json:"count"`
	TotalCount int `json:"total_count"`
}

// decode reads a request's body.
func decode(r *http.Request, into any) error {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return &refusal{status: http.StatusRequestEntityTooLarge, code: 10413, reason: "the request is too large"}
	}
	if err := json.Unmarshal(text, into); err != nil {
		return &refusal{status: http.StatusBadRequest, code: 9207, reason: "Request body is invalid: " + err.Error()}
	}
	return nil
}
