package search

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strconv"
)

type callerKey struct{}

// caller is who asks: the key that was presented, and, when it is a scoped one, its parameters, which win over the caller's.
type caller struct {
	key      string
	embedded parameters
}

func withCaller(ctx context.Context, by caller) context.Context {
	return context.WithValue(ctx, callerKey{}, by)
}

func callerIn(ctx context.Context) caller {
	by, _ := ctx.Value(callerKey{}).(caller)
	return by
}

// scoped lays a scoped key's parameters over the caller's. Both filters have to let a document through; each is read by itself, for a
// caller's could close a bracket and go on with "or".
func scoped(in, embedded parameters) parameters {
	own := in["filter_by"]
	delete(in, fixedFilter)
	maps.Copy(in, embedded)
	in[fixedFilter], in["filter_by"] = embedded["filter_by"], own
	return in
}

// fixedFilter is where the filter of a scoped key stands among the parameters.
const fixedFilter = "the key's filter_by"

func (s *server) getSearch(r *http.Request) (int, any, error) {
	c, err := s.collection(r.PathValue("c"))
	if err != nil {
		return 0, nil, err
	}
	in := parameters{}
	for name, values := range r.URL.Query() {
		in[name] = values[0]
	}
	answer, err := c.search(scoped(in, callerIn(r.Context()).embedded))
	return http.StatusOK, answer, err
}

const maxSearches = 50

// multiSearch answers several searches, each by itself: one that is wrong is told so in its place.
func (s *server) multiSearch(r *http.Request) (int, any, error) {
	sent, err := read[struct {
		Searches []map[string]any `json:"searches"`
	}](r)
	if err != nil {
		return 0, nil, err
	}
	if len(sent.Searches) > maxSearches {
		return 0, nil, badRequest("Number of multi searches exceeds `limit_multi_searches` parameter.")
	}
	results := make([]any, 0, len(sent.Searches))
	for _, search := range sent.Searches {
		in := parameters{}
		for name, values := range r.URL.Query() {
			in[name] = values[0]
		}
		maps.Copy(in, asParameters(search))
		answer, err := s.searchOne(r, in)
		var refused *failure
		switch {
		case errors.As(err, &refused):
			results = append(results, map[string]any{"code": refused.status, "error": refused.message})
		case err != nil:
			return 0, nil, err
		default:
			results = append(results, answer)
		}
	}
	return http.StatusOK, map[string]any{"results": results}, nil
}

func (s *server) searchOne(r *http.Request, in parameters) (map[string]any, error) {
	// A key that is for some collections is asked about each.
	if _, admitted := s.admit(callerIn(r.Context()).key, "documents:search", in["collection"]); !admitted {
		return nil, &failure{http.StatusUnauthorized, "Forbidden - a valid `x-typesense-api-key` header must be sent."}
	}
	c, err := s.collection(in["collection"])
	if err != nil {
		return nil, err
	}
	return c.search(scoped(in, callerIn(r.Context()).embedded))
}

// asParameters writes JSON values as a query string has them.
func asParameters(members map[string]any) parameters {
	in := parameters{}
	for name, value := range members {
		switch v := value.(type) {
		case nil:
		case string:
			in[name] = v
		case float64:
			in[name] = strconv.FormatFloat(v, 'f', -1, 64)
		default:
			in[name] = fmt.Sprint(v)
		}
	}
	return in
}

func keyName(id int64) string { return strconv.FormatInt(id, 10) }
