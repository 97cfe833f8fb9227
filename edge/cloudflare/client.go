package cloudflare

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/cloudflare/cloudflare-go/v7/argo"
	"github.com/cloudflare/cloudflare-go/v7/cache"
	"github.com/cloudflare/cloudflare-go/v7/load_balancers"
	"github.com/cloudflare/cloudflare-go/v7/option"
	"github.com/cloudflare/cloudflare-go/v7/rulesets"

	"github.com/meridian-store/meridian/kit/httpclient"
	"github.com/meridian-store/meridian/kit/secret"
)

// Access says where the API is and what to present there.
type Access struct {
	// URL is the API's, without /client/v4; Cloudflare's own when empty.
	URL string
	// Token is presented with each request.
	Token         secret.Secret
	Zone, Account string
	// HTTP sends the requests; a client that uses the proxy of the environment when nil.
	HTTP *http.Client
}

// DefaultURL is Cloudflare's API.
const DefaultURL = "https://api.cloudflare.com"

func (a Access) options() []option.RequestOption {
	base := a.URL
	if base == "" {
		base = DefaultURL
	}
	client := a.HTTP
	if client == nil {
		client = httpclient.New(httpclient.Options{Proxy: true})
	}
	return []option.RequestOption{
		option.WithBaseURL(strings.TrimSuffix(base, "/") + "/client/v4/"), option.WithMiddleware(a.authorize),
		option.WithHTTPClient(client),
	}
}

// authorize presents the token that is current when the request is sent.
func (a Access) authorize(request *http.Request, next option.MiddlewareNext) (*http.Response, error) {
	request.Header.Set("Authorization", "Bearer "+a.Token.Current())
	return next(request)
}

// Client reads and writes what Meridian keeps in a zone and its account.
type Client struct {
	access   Access
	phases   *rulesets.PhaseService
	monitors *load_balancers.MonitorService
	pools    *load_balancers.PoolService
	balancer *load_balancers.LoadBalancerService
	tiers    *argo.TieredCachingService
	regional *cache.RegionalTieredCacheService
}

// NewClient makes a client; it sends nothing yet.
func NewClient(access Access) (*Client, error) {
	if !access.Token.IsSet() || access.Zone == "" || access.Account == "" {
		return nil, errors.New("a token, a zone and an account are needed")
	}
	options := access.options()
	return &Client{
		access: access, phases: rulesets.NewPhaseService(options...), monitors: load_balancers.NewMonitorService(options...),
		pools: load_balancers.NewPoolService(options...), balancer: load_balancers.NewLoadBalancerService(options...),
		tiers: argo.NewTieredCachingService(options...), regional: cache.NewRegionalTieredCacheService(options...),
	}, nil
}

// set gives a parameter. cloudflare.F would do it in fewer words and bring all of the SDK along.
func set[T any](value *T, present *bool, to T) { *value, *present = to, true }

// found is what there is now, with the ids that the API gave.
type found struct {
	State
	// foreign are the rules of each phase that are not ours, as they came.
	foreign map[string][]json.RawMessage
	// hostname is whose monitors and pools they are.
	hostname   string
	balancerID string            // empty when there is none
	monitorIDs map[string]string // by description
	poolIDs    map[string]string // by name
}

func (c *Client) read(ctx context.Context, hostname string) (*found, error) {
	f := &found{
		State: State{Phases: map[string][]Rule{}}, foreign: map[string][]json.RawMessage{},
		hostname: hostname, monitorIDs: map[string]string{}, poolIDs: map[string]string{},
	}
	for _, step := range []func(context.Context, *found) error{c.readPhases, c.readMonitors, c.readPools, c.readBalancer, c.readTiers} {
		if err := step(ctx, f); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func (c *Client) readPhases(ctx context.Context, f *found) error {
	for _, phase := range Phases() {
		var query rulesets.PhaseGetParams
		set(&query.ZoneID.Value, &query.ZoneID.Present, c.access.Zone)
		got, err := c.phases.Get(ctx, rulesets.Phase(phase), query)
		if isNotFound(err) {
			continue // a phase without rules has no ruleset
		}
		if err != nil {
			return told("read the rules of "+phase, err)
		}
		var ruleset struct {
			Rules []json.RawMessage `json:"rules"`
		}
		if err := json.Unmarshal([]byte(got.JSON.RawJSON()), &ruleset); err != nil {
			return fmt.Errorf("read the rules of %s: %w", phase, err)
		}
		for _, text := range ruleset.Rules {
			var r Rule
			if err := json.Unmarshal(text, &r); err != nil {
				return fmt.Errorf("read a rule of %s: %w", phase, err)
			}
			if strings.HasPrefix(r.Ref, Owned) {
				f.Phases[phase] = append(f.Phases[phase], r)
			} else {
				f.foreign[phase] = append(f.foreign[phase], text)
			}
		}
	}
	return nil
}

// reread turns an answer of the SDK into one of our types, by the JSON that came.
func reread[T any](text string) (T, error) {
	var into T
	err := json.Unmarshal([]byte(text), &into)
	return into, err
}

func (c *Client) readPools(ctx context.Context, f *found) error {
	var query load_balancers.PoolListParams
	set(&query.AccountID.Value, &query.AccountID.Present, c.access.Account)
	page, err := c.pools.List(ctx, query)
	if err != nil {
		return told("list pools", err)
	}
	for _, p := range page.Result {
		if !strings.HasPrefix(p.Name, poolPrefix(f.hostname)) {
			continue
		}
		pool, err := reread[Pool](p.JSON.RawJSON())
		if err != nil {
			return err
		}
		for description, id := range f.monitorIDs {
			if id == pool.Monitor {
				pool.Monitor = description
			}
		}
		f.poolIDs[p.Name] = p.ID
		f.Pools = append(f.Pools, pool)
	}
	return nil
}

func (c *Client) readBalancer(ctx context.Context, f *found) error {
	var query load_balancers.LoadBalancerListParams
	set(&query.ZoneID.Value, &query.ZoneID.Present, c.access.Zone)
	page, err := c.balancer.List(ctx, query)
	if err != nil {
		return told("list load balancers", err)
	}
	names := make(map[string]string, len(f.poolIDs))
	for name, id := range f.poolIDs {
		names[id] = name
	}
	for _, b := range page.Result {
		if b.Description != Owned+"storefront" {
			continue
		}
		f.balancerID = b.ID
		if f.Balancer, err = reread[Balancer](b.JSON.RawJSON()); err != nil {
			return err
		}
		f.Balancer = f.Balancer.renamed(names)
	}
	return nil
}

// renamed gives the balancer with other names for its pools; one that is not among them keeps its name.
func (b Balancer) renamed(names map[string]string) Balancer {
	other := func(name string) string {
		if known, there := names[name]; there {
			return known
		}
		return name
	}
	list := func(pools []string) []string {
		renamed := make([]string, 0, len(pools))
		for _, name := range pools {
			renamed = append(renamed, other(name))
		}
		return renamed
	}
	byKey := func(pools map[string][]string) map[string][]string {
		renamed := make(map[string][]string, len(pools))
		for key, names := range pools {
			renamed[key] = list(names)
		}
		return renamed
	}
	b.DefaultPools, b.FallbackPool = list(b.DefaultPools), other(b.FallbackPool)
	b.RegionPools, b.CountryPools = byKey(b.RegionPools), byKey(b.CountryPools)
	return b
}

func (c *Client) readTiers(ctx context.Context, f *found) error {
	var query argo.TieredCachingGetParams
	set(&query.ZoneID.Value, &query.ZoneID.Present, c.access.Zone)
	smart, err := c.tiers.Get(ctx, query)
	if err != nil && !isNotFound(err) {
		return told("read tiered cache", err)
	}
	f.Tiers.Smart = err == nil && smart.Value == argo.TieredCachingGetResponseValueOn
	var regionalQuery cache.RegionalTieredCacheGetParams
	set(&regionalQuery.ZoneID.Value, &regionalQuery.ZoneID.Present, c.access.Zone)
	regional, err := c.regional.Get(ctx, regionalQuery)
	// A plan without it answers that it may not be read.
	if err != nil && !isNotFound(err) && !isForbidden(err) {
		return told("read regional tiered cache", err)
	}
	f.Tiers.Regional = err == nil && regional.Value == cache.RegionalTieredCacheGetResponseValueOn
	return nil
}

func isNotFound(err error) bool  { return hasStatus(err, http.StatusNotFound) }
func isForbidden(err error) bool { return hasStatus(err, http.StatusForbidden) }

func hasStatus(err error, statuses ...int) bool {
	var refused *rulesets.Error
	return errors.As(err, &refused) && slices.Contains(statuses, refused.StatusCode)
}

// told says what Cloudflare refused, without the request's headers, in which the SDK's own text shows the token.
func told(what string, err error) error {
	var refused *rulesets.Error
	if !errors.As(err, &refused) {
		return fmt.Errorf("%s: %w", what, err)
	}
	var reasons []string
	for _, e := range refused.Errors {
		reasons = append(reasons, fmt.Sprintf("%s (%d)", e.Message, e.Code))
	}
	return &RefusedError{What: what, Status: refused.StatusCode, Reasons: reasons}
}

// RefusedError is an answer of the API that says no.
type RefusedError struct {
	What    string
	Status  int
	Reasons []string
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("%s: Cloudflare's API answers %d: %s", e.What, e.Status, strings.Join(e.Reasons, "; "))
}
