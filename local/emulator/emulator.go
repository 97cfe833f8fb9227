// Package emulator is an edge on this machine: what a CDN does for Meridian, done by one process.
// It stands at twenty places at once (a request picks one with X-Edge-Location), keeps a cache for
// each, and sends the rest to the nearest healthy region's gateway that serves the shopper's country
// (which a request names with X-Edge-Country, when it is not the location's).
//
// The rules it enforces are those of edge/rule, the same that drive a real edge.
package emulator

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/meridian-store/meridian/geo"
)

// Config says what an edge is made of. Listen is needed; the rest has a good zero value.
type Config struct {
	Listen      string // where shoppers connect, as in "127.0.0.1:8080"; port 0 picks a free one
	AdminListen string // where /health, /ready and /metrics are; empty: nowhere
	Profiling   bool   // serve CPU profiles at AdminListen, below /debug/pprof/profile

	// Rules and Origins are enforced from the start, steered by Nearest. Without them the edge answers 503 until
	// Configure tells it what to do.
	Rules   Rules
	Origins []Origin

	// Links are where the ways between regions begin, as host:port, by the region that a location belongs to and the
	// origin's. A location asks an origin of another region through its link; where there is none, directly.
	Links map[string]map[string]string
	// Distant makes the way between a location and its own region, or another location, as long as the distance asks.
	Distant bool

	// OriginSecret is sent to origins as X-Edge-Auth, so that they believe this edge's word on where
	// a shopper is. Empty: not sent.
	OriginSecret string
	// DefaultLocation is the IATA code of the location of requests that name none. Empty: the one
	// nearest to the first origin.
	DefaultLocation string

	MaxBytes        int64 // all that the cache may hold; default 256 MiB
	MaxRequestBody  int   // larger bodies get 413; default 8 MiB
	MaxResponseBody int   // larger answers get 502; default 16 MiB

	// ReturnProbes is how many good probes in a row bring an origin back that was down; default 3. It
	// doubles, twice at most, for one that falls again before it was up for SteadyAfter; default 1 min.
	ReturnProbes int
	SteadyAfter  time.Duration

	ProbeInterval time.Duration // between probes of an origin; default 1 s
	ProbeTimeout  time.Duration // of one probe; default 500 ms
	DialTimeout   time.Duration // of one connection to an origin; default 500 ms
	ReadTimeout   time.Duration // of one origin's answer to a GET or HEAD; default 3 s
	WriteTimeout  time.Duration // of one origin's answer to any other method; default 30 s

	Log      *slog.Logger         // default: slog.Default()
	Registry *prometheus.Registry // default: one of its own
	Clock    func() time.Time     // judges freshness, and how long an origin is up; default: time.Now
}

func (c Config) withDefaults() Config {
	setDefault(&c.MaxBytes, 256<<20)
	setDefault(&c.MaxRequestBody, 8<<20)
	setDefault(&c.MaxResponseBody, 16<<20)
	setDefault(&c.ReturnProbes, 3)
	setDefault(&c.SteadyAfter, time.Minute)
	setDefault(&c.ProbeInterval, time.Second)
	setDefault(&c.ProbeTimeout, 500*time.Millisecond)
	setDefault(&c.DialTimeout, 500*time.Millisecond)
	setDefault(&c.ReadTimeout, 3*time.Second)
	setDefault(&c.WriteTimeout, 30*time.Second)
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Registry == nil {
		c.Registry = prometheus.NewRegistry()
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	return c
}

func setDefault[T int | int64 | time.Duration](field *T, value T) {
	if *field == 0 {
		*field = value
	}
}

func (c Config) validate() error {
	var problems []error
	report := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if c.Listen == "" {
		report("Listen is empty")
	}
	if c.Rules != nil || len(c.Origins) > 0 {
		setup := Nearest(c.Rules, c.Origins)
		if err := setup.validate(); err != nil {
			problems = append(problems, err)
		}
	}
	if c.MaxBytes < 0 || c.MaxRequestBody < 0 || c.MaxResponseBody < 0 {
		report("a size limit (MaxBytes, MaxRequestBody, MaxResponseBody) is negative")
	}
	if min(c.SteadyAfter, c.ProbeInterval, c.ProbeTimeout, c.DialTimeout, c.ReadTimeout, c.WriteTimeout) < 0 {
		report("an interval or timeout (SteadyAfter, ProbeInterval, ProbeTimeout, DialTimeout, ReadTimeout, " +
			"WriteTimeout) is negative")
	}
	if _, ok := geo.FindLocation(c.DefaultLocation); !ok && c.DefaultLocation != "" {
		report("DefaultLocation %q is not an edge location", c.DefaultLocation)
	}
	if c.ReturnProbes < 0 {
		report("ReturnProbes is negative")
	}
	if len(problems) > 0 {
		return fmt.Errorf("edge: %w", errors.Join(problems...))
	}
	return nil
}

// originAddress gives the host:port of an origin's URL.
func originAddress(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil {
		return "", fmt.Errorf("URL: %w", err)
	}
	if u.Scheme != "http" || u.Hostname() == "" || u.User != nil || (u.Path != "" && u.Path != "/") || u.RawQuery != "" {
		return "", fmt.Errorf("URL %q is not of the form http://host:port", u.Redacted())
	}
	if u.Port() == "" {
		return net.JoinHostPort(u.Hostname(), "80"), nil
	}
	return u.Host, nil
}
