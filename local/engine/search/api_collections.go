package search

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
)

func (s *server) debug(*http.Request) (int, any, error) {
	return http.StatusOK, map[string]any{"version": Version, "state": 1}, nil
}

// Version is the one whose API this is.
const Version = "28.0"

func (s *server) getCollections(*http.Request) (int, any, error) {
	all := []map[string]any{}
	for _, c := range s.list() {
		all = append(all, c.described())
	}
	return http.StatusOK, all, nil
}

func (s *server) postCollection(r *http.Request) (int, any, error) {
	sent, err := read[schema](r)
	if err != nil {
		return 0, nil, err
	}
	c, err := s.createCollection(sent)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, c.described(), nil
}

func (s *server) getCollection(r *http.Request) (int, any, error) {
	c, err := s.collection(r.PathValue("c"))
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, c.described(), nil
}

func (s *server) patchCollection(r *http.Request) (int, any, error) {
	c, err := s.collection(r.PathValue("c"))
	if err != nil {
		return 0, nil, err
	}
	sent, err := read[struct {
		Fields []field `json:"fields"`
	}](r)
	if err != nil {
		return 0, nil, err
	}
	if err := s.alter(c, sent.Fields); err != nil {
		return 0, nil, err
	}
	return http.StatusOK, map[string]any{"fields": sent.Fields}, nil
}

func (s *server) deleteCollectionRoute(r *http.Request) (int, any, error) {
	c, err := s.deleteCollection(r.PathValue("c"))
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, c.described(), nil
}

func (s *server) postDocument(r *http.Request) (int, any, error) {
	c, err := s.collection(r.PathValue("c"))
	if err != nil {
		return 0, nil, err
	}
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return 0, nil, err
	}
	d, err := s.put(c, text, or(r.URL.Query().Get("action"), actionCreate))
	if err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, d.source, nil
}

func (s *server) patchDocument(r *http.Request) (int, any, error) {
	c, err := s.collection(r.PathValue("c"))
	if err != nil {
		return 0, nil, err
	}
	sent, err := read[map[string]json.RawMessage](r)
	if err != nil {
		return 0, nil, err
	}
	id, err := json.Marshal(r.PathValue("id"))
	if err != nil {
		return 0, nil, err
	}
	sent["id"] = id
	text, err := json.Marshal(sent)
	if err != nil {
		return 0, nil, err
	}
	d, err := s.put(c, text, actionUpdate)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, d.source, nil
}

// patchDocuments changes all that a filter lets through.
func (s *server) patchDocuments(r *http.Request) (int, any, error) {
	c, err := s.collection(r.PathValue("c"))
	if err != nil {
		return 0, nil, err
	}
	change, err := read[map[string]json.RawMessage](r)
	if err != nil {
		return 0, nil, err
	}
	ids, err := filteredBy(c, r)
	if err != nil {
		return 0, nil, err
	}
	for _, id := range ids {
		name, err := json.Marshal(id)
		if err != nil {
			return 0, nil, err
		}
		change["id"] = name
		text, err := json.Marshal(change)
		if err != nil {
			return 0, nil, err
		}
		if _, err := s.put(c, text, actionUpdate); err != nil {
			return 0, nil, err
		}
	}
	return http.StatusOK, map[string]any{"num_updated": len(ids)}, nil
}

func (s *server) deleteDocuments(r *http.Request) (int, any, error) {
	c, err := s.collection(r.PathValue("c"))
	if err != nil {
		return 0, nil, err
	}
	ids, err := filteredBy(c, r)
	if err != nil {
		return 0, nil, err
	}
	gone, err := s.remove(c, ids...)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, map[string]any{"num_deleted": len(gone)}, nil
}

// filteredBy needs a filter, or everything would be changed by a slip.
func filteredBy(c *collection, r *http.Request) ([]string, error) {
	by := r.URL.Query().Get("filter_by")
	if by == "" {
		return nil, badRequest("Parameter `filter_by` must be provided.")
	}
	return c.filtered(by)
}

func (s *server) getDocument(r *http.Request) (int, any, error) {
	c, err := s.collection(r.PathValue("c"))
	if err != nil {
		return 0, nil, err
	}
	source, err := c.get(r.PathValue("id"))
	return http.StatusOK, source, err
}

func (s *server) deleteDocument(r *http.Request) (int, any, error) {
	c, err := s.collection(r.PathValue("c"))
	if err != nil {
		return 0, nil, err
	}
	gone, err := s.remove(c, r.PathValue("id"))
	if err != nil {
		return 0, nil, err
	}
	if len(gone) == 0 {
		return 0, nil, notFound("Could not find a document with id: %s", r.PathValue("id"))
	}
	return http.StatusOK, gone[0].source, nil
}

func (s *server) getAliases(*http.Request) (int, any, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := []map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(s.aliases)) {
		all = append(all, map[string]any{"name": name, "collection_name": s.aliases[name]})
	}
	return http.StatusOK, map[string]any{"aliases": all}, nil
}

func (s *server) getAlias(r *http.Request) (int, any, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	name := r.PathValue("name")
	target, there := s.aliases[name]
	if !there {
		return 0, nil, notFound("Not Found")
	}
	return http.StatusOK, map[string]any{"name": name, "collection_name": target}, nil
}

func (s *server) putAlias(r *http.Request) (int, any, error) {
	sent, err := read[struct {
		Collection string `json:"collection_name"`
	}](r)
	if err != nil {
		return 0, nil, err
	}
	if sent.Collection == "" {
		return 0, nil, badRequest("Parameter `collection_name` is required.")
	}
	name := r.PathValue("name")
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.collections[name] != nil {
		return 0, nil, &failure{500, "Name `" + name + "` conflicts with an existing collection name."}
	}
	if err := s.store.write(change{bucket: bucketAliases, key: name, value: []byte(sent.Collection)}); err != nil {
		return 0, nil, err
	}
	s.aliases[name] = sent.Collection
	return http.StatusOK, map[string]any{"name": name, "collection_name": sent.Collection}, nil
}

func (s *server) deleteAlias(r *http.Request) (int, any, error) {
	name := r.PathValue("name")
	s.mu.Lock()
	defer s.mu.Unlock()
	target, there := s.aliases[name]
	if !there {
		return 0, nil, notFound("Not Found")
	}
	if err := s.store.write(change{bucket: bucketAliases, key: name}); err != nil {
		return 0, nil, err
	}
	delete(s.aliases, name)
	return http.StatusOK, map[string]any{"name": name, "collection_name": target}, nil
}
