// Package gateway is the one door of a region: every request of a shopper or an operator enters here. It decides by a table which
// service answers, who may ask, how often, and with how large a body; it keeps nothing of its own but caches.
//
// Services verify tokens themselves: what the gateway refuses, it refuses early, never instead of them.
package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/meridian-store/meridian/contract"
)

// Table is the route table: all that the gateway answers for.
type Table struct {
	// Needs names the services without which a region cannot show its shop: while one has no healthy instance the gateway is not
	// ready, and the edge takes shoppers to the next region.
	Needs []string `yaml:"needs"`
	// Rejoins names the services that have to take in what other regions did before a region that comes back is ready.
	Rejoins []string `yaml:"rejoins"`
	// Limits are the rates that routes name.
	Limits map[string]Limit `yaml:"limits"`
	// Routes may overlap: the most specific pattern that serves the method wins, segment by segment from the left: a literal before
	// {name} before **.
	Routes []Route `yaml:"routes"`
}

// Route says which requests go to which service, and what is asked of them first.
type Route struct {
	// Path is segments: a literal; {name}, which is any one segment; and at the end ** for any number of segments, none included.
	Path string `yaml:"path"`
	// Methods that the service answers. GET brings HEAD with it, except for the gateway's own paths.
	Methods []string `yaml:"methods"`
	// Service is the name in Consul; contract.ServiceGateway for what the gateway answers itself.
	Service string `yaml:"service"`
	Auth    Auth   `yaml:"auth"`
	// Idempotency is "required" where a request without Idempotency-Key is refused; the service does the rest.
	Idempotency string `yaml:"idempotency"`
	// BodyLimit is the largest body in bytes; DefaultBodyLimit when 0.
	BodyLimit int `yaml:"body_limit"`
	// Timeout bounds the whole answer, retries included; DefaultTimeout when 0.
	Timeout time.Duration `yaml:"timeout"`
	// Cache keeps what the service says in the gateway's memory, for as long as it allows and until an event makes it untrue. Only for GET
	// by anyone: what is kept is shown to all.
	Cache bool `yaml:"cache"`
	// Limits names rates of the table. Each costs a Redis round trip: catalog reads, which the edge answers, have none.
	Limits []string `yaml:"limits"`
}

const (
	// DefaultTimeout stands where a route names none.
	DefaultTimeout = 5 * time.Second
	// DefaultBodyLimit is in bytes and stands where a route names none: many times the largest thing that a shopper sends.
	DefaultBodyLimit = 64 << 10
	// maxTimeout stays below the server's own write timeout, or an answer would be cut off instead of refused.
	maxTimeout = 25 * time.Second
	// maxBody is what the server itself accepts.
	maxBody = 16 << 20

	idempotencyRequired = "required"
)

// Limit is a rate of requests: Burst of them at once, PerSecond on average.
type Limit struct {
	PerSecond int `yaml:"per_second"`
	// Burst is a whole multiple of PerSecond: the counters in Redis are windows of Burst/PerSecond seconds.
	Burst int `yaml:"burst"`
	// By says whose requests are counted together.
	By LimitBy `yaml:"by"`
}

// LimitBy is whose requests a limit counts together.
type LimitBy string

// A client is an IPv4 address or an IPv6 /64. A cart is named by its caller, who can make names up: a limit by cart keeps one cart
// from many requests, and stands beside a limit by client, never instead of it.
const (
	ByClient LimitBy = "client"
	ByCart   LimitBy = "cart"
)

// Window is the time in which Burst requests may be made.
func (l Limit) Window() time.Duration { return time.Duration(l.Burst/l.PerSecond) * time.Second }

func (l Limit) validate() error {
	switch {
	case l.PerSecond < 1:
		return fmt.Errorf("per_second is %d, not positive", l.PerSecond)
	case l.Burst < l.PerSecond || l.Burst%l.PerSecond != 0:
		return fmt.Errorf("burst %d is not a whole multiple of per_second %d", l.Burst, l.PerSecond)
	case l.By != ByClient && l.By != ByCart:
		return fmt.Errorf("by %q is not client or cart", l.By)
	}
	return nil
}

var methods = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

// Validate reports everything wrong with the table at once.
func (t Table) Validate() error {
	var problems []error
	for name, limit := range t.Limits {
		if err := limit.validate(); err != nil {
			problems = append(problems, fmt.Errorf("limit %s: %w", name, err))
		}
	}
	for key, names := range map[string][]string{"needs": t.Needs, "rejoins": t.Rejoins} {
		for _, name := range names {
			if !slices.Contains(t.services(), name) {
				problems = append(problems, fmt.Errorf("%s %q, which no route leads to", key, name))
			}
		}
	}
	for _, route := range t.Routes {
		if err := route.validate(t.Limits); err != nil {
			problems = append(problems, fmt.Errorf("route %s %s: %w", strings.Join(route.Methods, ","), route.Path, err))
		}
	}
	if len(t.Routes) == 0 {
		problems = append(problems, errors.New("there is no route"))
	}
	return errors.Join(problems...)
}

func (r Route) validate(limits map[string]Limit) error {
	var problems []error
	refuse := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if err := checkPattern(r.Path); err != nil {
		problems = append(problems, err)
	}
	if len(r.Methods) == 0 {
		refuse("names no method")
	}
	for i, method := range r.Methods {
		if !slices.Contains(methods, method) || slices.Contains(r.Methods[:i], method) {
			refuse("method %q is unknown or named twice", method)
		}
	}
	if !slices.Contains(contract.ServiceNames(), r.Service) {
		refuse("service %q is not one of %s", r.Service, strings.Join(contract.ServiceNames(), ", "))
	}
	if err := r.Auth.validate(); err != nil {
		problems = append(problems, err)
	}
	if r.Idempotency != "" && r.Idempotency != idempotencyRequired {
		refuse("idempotency %q is not %q", r.Idempotency, idempotencyRequired)
	}
	if r.BodyLimit < 0 || r.BodyLimit > maxBody {
		refuse("body_limit %d is not between 0 and %d", r.BodyLimit, maxBody)
	}
	if r.Timeout < 0 || r.Timeout > maxTimeout {
		refuse("timeout %s is not between 0 and %s", r.Timeout, maxTimeout)
	}
	if r.Cache && (!slices.Equal(r.Methods, []string{http.MethodGet}) || !r.Auth.Anonymous()) {
		refuse("cache is for GET by anyone")
	}
	for _, name := range r.Limits {
		if _, ok := limits[name]; !ok {
			refuse("limit %q is not in the table", name)
		}
	}
	return errors.Join(problems...)
}

// services lists the neighbours that the table leads to, in order of name.
func (t Table) services() []string {
	var names []string
	for _, route := range t.Routes {
		if route.Service != contract.ServiceGateway && !slices.Contains(names, route.Service) {
			names = append(names, route.Service)
		}
	}
	slices.Sort(names)
	return names
}
