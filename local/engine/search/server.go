package search

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
)

const (
	maxBody   = 64 << 20
	keyHeader = "X-TYPESENSE-API-KEY"
)

// server answers Typesense's HTTP API over an engine.
type server struct {
	*Engine
	log *slog.Logger
}

// Handler serves the API.
func (e *Engine) Handler(log *slog.Logger) http.Handler {
	s := &server{e, log}
	routes := http.NewServeMux()
	routes.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) { s.write(w, http.StatusOK, map[string]any{"ok": true}) })
	for pattern, route := range map[string]struct {
		action string
		handle func(r *http.Request) (status int, answer any, err error)
	}{
		"GET /debug":              {"debug:list", s.debug},
		"GET /collections":        {"collections:list", s.getCollections},
		"POST /collections":       {"collections:create", s.postCollection},
		"GET /collections/{c}":    {"collections:get", s.getCollection},
		"PATCH /collections/{c}":  {"collections:update", s.patchCollection},
		"DELETE /collections/{c}": {"collections:delete", s.deleteCollectionRoute},

		"POST /collections/{c}/documents":        {"documents:create", s.postDocument},
		"PATCH /collections/{c}/documents":       {"documents:update", s.patchDocuments},
		"DELETE /collections/{c}/documents":      {"documents:delete", s.deleteDocuments},
		"GET /collections/{c}/documents/search":  {"documents:search", s.getSearch},
		"GET /collections/{c}/documents/{id}":    {"documents:get", s.getDocument},
		"PATCH /collections/{c}/documents/{id}":  {"documents:update", s.patchDocument},
		"DELETE /collections/{c}/documents/{id}": {"documents:delete", s.deleteDocument},
		"POST /multi_search":                     {"documents:search", s.multiSearch},

		"GET /collections/{c}/synonyms":          {"synonyms:list", s.getSynonyms},
		"GET /collections/{c}/synonyms/{id}":     {"synonyms:get", s.getSynonym},
		"PUT /collections/{c}/synonyms/{id}":     {"synonyms:create", s.putSynonym},
		"DELETE /collections/{c}/synonyms/{id}":  {"synonyms:delete", s.deleteSynonym},
		"GET /collections/{c}/overrides":         {"overrides:list", s.getOverrides},
		"GET /collections/{c}/overrides/{id}":    {"overrides:get", s.getOverride},
		"PUT /collections/{c}/overrides/{id}":    {"overrides:create", s.putOverride},
		"DELETE /collections/{c}/overrides/{id}": {"overrides:delete", s.deleteOverride},

		"GET /aliases":           {"aliases:list", s.getAliases},
		"GET /aliases/{name}":    {"aliases:get", s.getAlias},
		"PUT /aliases/{name}":    {"aliases:create", s.putAlias},
		"DELETE /aliases/{name}": {"aliases:delete", s.deleteAlias},

		"GET /keys":         {"keys:list", s.getKeys},
		"POST /keys":        {"keys:create", s.postKey},
		"GET /keys/{id}":    {"keys:get", s.getKey},
		"DELETE /keys/{id}": {"keys:delete", s.deleteKey},
	} {
		routes.HandleFunc(pattern, s.guarded(route.action, func(w http.ResponseWriter, r *http.Request) error {
			status, answer, err := route.handle(r)
			if err == nil {
				s.write(w, status, answer)
			}
			return err
		}))
	}
	routes.HandleFunc("POST /collections/{c}/documents/import", s.guarded("documents:create", s.importDocuments))
	routes.HandleFunc("GET /collections/{c}/documents/export", s.guarded("documents:export", s.exportDocuments))
	routes.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { s.refuse(w, notFound("Not Found")) })
	return routes
}

// guarded asks for the key first, and answers what goes wrong as Typesense does.
func (s *server) guarded(action string, handle func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		key := r.Header.Get(keyHeader)
		if key == "" {
			key = r.URL.Query().Get("x-typesense-api-key")
		}
		embedded, admitted := s.admit(key, action, r.PathValue("c"))
		if !admitted {
			s.refuse(w, &failure{http.StatusUnauthorized, "Forbidden - a valid `x-typesense-api-key` header must be sent."})
			return
		}
		if err := handle(w, r.WithContext(withCaller(r.Context(), caller{key, embedded}))); err != nil {
			s.refuse(w, err)
		}
	}
}

func (s *server) refuse(w http.ResponseWriter, err error) {
	var known *failure
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		known = &failure{http.StatusRequestEntityTooLarge, "The request is too large."}
	case !errors.As(err, &known):
		s.log.Error("A request failed.", "error", err)
		known = &failure{http.StatusInternalServerError, "Internal error."}
	}
	s.write(w, known.status, map[string]any{"message": known.message})
}

func (s *server) write(w http.ResponseWriter, status int, answer any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false) // as Typesense does: whoever shows text escapes it
	if err := encoder.Encode(answer); err != nil {
		s.log.Debug("A caller went away before the answer was written.", "error", err)
	}
}

func read[T any](r *http.Request) (T, error) {
	var value T
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return value, err
	}
	if err := json.Unmarshal(text, &value); err != nil {
		return value, badRequest("Bad JSON.")
	}
	return value, nil
}

func (s *server) importDocuments(w http.ResponseWriter, r *http.Request) error {
	c, err := s.collection(r.PathValue("c"))
	if err != nil {
		return err
	}
	action := or(r.URL.Query().Get("action"), actionCreate)
	if action != actionCreate && action != actionUpsert && action != actionUpdate && action != actionEmplace {
		return badRequest("Parameter `action` must be a create|update|upsert|emplace.")
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	answer := bufio.NewWriter(w)
	if err := s.importLines(c, r.Body, action, answer); err != nil {
		return err
	}
	return answer.Flush()
}

func (s *server) exportDocuments(w http.ResponseWriter, r *http.Request) error {
	c, err := s.collection(r.PathValue("c"))
	if err != nil {
		return err
	}
	query := r.URL.Query()
	ids, err := c.filtered(query.Get("filter_by"))
	if err != nil {
		return err
	}
	in := parameters{"include_fields": query.Get("include_fields"), "exclude_fields": query.Get("exclude_fields")}
	include, exclude := in.list("include_fields"), in.list("exclude_fields")
	w.Header().Set("Content-Type", "application/octet-stream")
	answer := bufio.NewWriter(w)
	encoder := json.NewEncoder(answer)
	encoder.SetEscapeHTML(false)
	for _, id := range ids {
		source, err := c.get(id)
		if err != nil {
			continue // deleted meanwhile
		}
		shown, err := chosen(source, include, exclude)
		if err != nil {
			return err
		}
		if err := encoder.Encode(shown); err != nil {
			return fmt.Errorf("write an export: %w", err)
		}
	}
	return answer.Flush()
}

func pathNumber(r *http.Request, name string) (int64, error) {
	n, err := strconv.ParseInt(r.PathValue(name), 10, 64)
	if err != nil {
		return 0, badRequest("Bad `%s`.", name)
	}
	return n, nil
}
