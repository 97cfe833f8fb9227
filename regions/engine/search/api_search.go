package search

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strconv"
)

type embeddedKey struct{}

func withEmbedded(ctx context.Context, embedded parameters) context.Context {
	return context.WithValue(ctx, embeddedKey{}, embedded)
}

// embeddedIn gives the parameters of a scoped key, which win over the caller's.
func embeddedIn(ctx context.Context) parameters {
	embedded, _ := ctx.Value(embeddedKey{}).(parameters)
	return embedded
}

// scoped lays a scoped key's parameters over the caller's. Both filters have to let a document through.
func scoped(in, embedded parameters) parameters {
	own := in["filter_by"]
	maps.Copy(in, embedded)
	if fixed := embedded["filter_by"]; fixed != "" && own != "" {
		in["filter_by"] = "(" + fixed + ") && (" + own + ")"
	}
	return in
}

func (s *server) getSearch(r *http.Request) (int, any, error) {
	c, err := s.collection(r.PathValue("c"))
	if err != nil {
		return 0, nil, err
	}
	in := parameters{}
	for name, values := range r.URL.Query() {
		in[name] = values[0]
	}
	answer, err := c.search(scoped(in, embeddedIn(r.Context())))
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
	if _, admitted := s.admit(r.Header.Get(keyHeader), "documents:search", in["collection"]); !admitted {
		return nil, &failure{http.StatusUnauthorized, "Forbidden - a valid `x-typesense-api-key` header must be sent."}
	}
	c, err := s.collection(in["collection"])
	if err != nil {
		return nil, err
	}
	return c.search(scoped(in, embeddedIn(r.Context())))
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
