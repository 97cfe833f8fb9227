package discovery

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/hashicorp/consul/api"

	"github.com/meridian-store/meridian/kit/httpclient"
)

// templateKind makes one prepared query answer for every service whose name begins as the query's does.
const templateKind = "name_prefix_match"

// preparedQuery is what of a prepared query Consul of every version takes; the client's own type sends fields that an older one refuses.
type preparedQuery struct {
	Name     string
	Template struct{ Type string }
	Service  struct {
		Service     string
		OnlyPassing bool
		Failover    struct{ Datacenters []string }
	}
}

// failover is the query by which operators find any service: in the region that is asked while it has a healthy instance, and else in
// the first that has one of the others.
func (c *Consul) failover(datacenters []string) preparedQuery {
	query := preparedQuery{Name: c.namespace}
	query.Template.Type = templateKind
	query.Service.Service, query.Service.OnlyPassing = "${name.full}", true
	query.Service.Failover.Datacenters = datacenters
	return query
}

// KeepFailover keeps, until the context ends, the prepared query by which `GET /v1/query/<service>/execute` finds a healthy instance of
// any service, in this region or else in the nearest of the datacenters, which are given nearest first. It is made anew in a Consul
// that lost it. Requests do not go by it: they go by what is watched.
func (c *Consul) KeepFailover(ctx context.Context, datacenters []string) {
	wanted := c.failover(datacenters)
	every(ctx, reregisterEvery, func() {
		if err := c.prepare(ctx, wanted); err != nil && ctx.Err() == nil {
			c.log.WarnContext(ctx, "Consul could not be told where operators find services; it will be tried again.", "error", err.Error())
		}
	})
}

// prepare makes a prepared query, or makes the one of its name like it. What is right already is left as it is.
func (c *Consul) prepare(ctx context.Context, wanted preparedQuery) error {
	listing, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	existing, _, err := c.client.PreparedQuery().List((&api.QueryOptions{}).WithContext(listing))
	if err != nil {
		return fmt.Errorf("list Consul's prepared queries: %w", err)
	}
	i := slices.IndexFunc(existing, func(q *api.PreparedQueryDefinition) bool { return q.Name == wanted.Name })
	switch {
	case i < 0:
		err = c.put(ctx, http.MethodPost, "/v1/query", wanted)
		var refused *refusedError
		if errors.As(err, &refused) && strings.Contains(refused.body, "aliases an existing") {
			return nil // another instance was quicker
		}
		return err
	case wanted.sameAs(existing[i]):
		return nil
	default:
		return c.put(ctx, http.MethodPut, "/v1/query/"+existing[i].ID, wanted)
	}
}

func (q preparedQuery) sameAs(other *api.PreparedQueryDefinition) bool {
	return other.Template.Type == q.Template.Type && other.Service.Service == q.Service.Service && other.Service.OnlyPassing == q.Service.OnlyPassing &&
		other.Service.Failover.NearestN == 0 && slices.Equal(other.Service.Failover.Datacenters, q.Service.Failover.Datacenters)
}

// refusedError is an answer of Consul that is no success.
type refusedError struct {
	status int
	body   string
}

func (e *refusedError) Error() string { return fmt.Sprintf("Consul answers %d: %s", e.status, e.body) }

// maxRefusal bounds what is read of an answer, in bytes.
const maxRefusal = 4 << 10

func (c *Consul) put(ctx context.Context, method, path string, document any) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	body, err := json.Marshal(document)
	if err != nil {
		return fmt.Errorf("encode a prepared query: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, method, "http://"+c.address+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("prepare a query in Consul: %w", err)
	}
	request.Close = true // seldom enough to need no connection of its own
	response, err := httpclient.Default.Do(request)
	if err != nil {
		return fmt.Errorf("prepare a query in Consul: %w", err)
	}
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxRefusal))
	if err := errors.Join(err, response.Body.Close()); err != nil {
		return fmt.Errorf("read Consul's answer: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("prepare a query: %w", &refusedError{response.StatusCode, string(answer)})
	}
	return nil
}
