package search

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
)

// curated is a kind of thing that a collection holds by id: synonyms or overrides.
type curated[T any] struct {
	bucket []byte
	of     func(*collection) map[string]T
	name   string // of the list in an answer
}

var (
	synonymKind  = curated[synonym]{bucketSynonyms, func(c *collection) map[string]synonym { return c.synonyms }, "synonyms"}
	overrideKind = curated[override]{bucketOverrides, func(c *collection) map[string]override { return c.overrides }, "overrides"}
)

func (k curated[T]) list(s *server, r *http.Request) (int, any, error) {
	c, err := s.collection(r.PathValue("c"))
	if err != nil {
		return 0, nil, err
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	all := []T{}
	for _, id := range slices.Sorted(maps.Keys(k.of(c))) {
		all = append(all, k.of(c)[id])
	}
	return http.StatusOK, map[string]any{k.name: all}, nil
}

func (k curated[T]) get(s *server, r *http.Request) (int, any, error) {
	c, err := s.collection(r.PathValue("c"))
	if err != nil {
		return 0, nil, err
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	found, there := k.of(c)[r.PathValue("id")]
	if !there {
		return 0, nil, notFound("Could not find that `id`.")
	}
	return http.StatusOK, found, nil
}

func (k curated[T]) put(s *server, r *http.Request, value T) (int, any, error) {
	c, err := s.collection(r.PathValue("c"))
	if err != nil {
		return 0, nil, err
	}
	text, err := json.Marshal(value)
	if err != nil {
		return 0, nil, err
	}
	if err := c.beginWrite(); err != nil {
		return 0, nil, err
	}
	defer c.writing.Unlock()
	if err := s.store.write(change{k.bucket, c.Name, r.PathValue("id"), text}); err != nil {
		return 0, nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	k.of(c)[r.PathValue("id")] = value
	return http.StatusOK, value, nil
}

func (k curated[T]) remove(s *server, r *http.Request) (int, any, error) {
	c, err := s.collection(r.PathValue("c"))
	if err != nil {
		return 0, nil, err
	}
	id := r.PathValue("id")
	if err := c.beginWrite(); err != nil {
		return 0, nil, err
	}
	defer c.writing.Unlock()
	if _, there := k.of(c)[id]; !there {
		return 0, nil, notFound("Could not find that `id`.")
	}
	if err := s.store.write(change{k.bucket, c.Name, id, nil}); err != nil {
		return 0, nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(k.of(c), id)
	return http.StatusOK, map[string]any{"id": id}, nil
}

func (s *server) getSynonyms(r *http.Request) (int, any, error)    { return synonymKind.list(s, r) }
func (s *server) getSynonym(r *http.Request) (int, any, error)     { return synonymKind.get(s, r) }
func (s *server) deleteSynonym(r *http.Request) (int, any, error)  { return synonymKind.remove(s, r) }
func (s *server) getOverrides(r *http.Request) (int, any, error)   { return overrideKind.list(s, r) }
func (s *server) getOverride(r *http.Request) (int, any, error)    { return overrideKind.get(s, r) }
func (s *server) deleteOverride(r *http.Request) (int, any, error) { return overrideKind.remove(s, r) }

func (s *server) putSynonym(r *http.Request) (int, any, error) {
	sent, err := read[synonym](r)
	if err == nil {
		sent.ID = r.PathValue("id")
		err = sent.check()
	}
	if err != nil {
		return 0, nil, err
	}
	return synonymKind.put(s, r, sent)
}

func (s *server) putOverride(r *http.Request) (int, any, error) {
	sent, err := read[override](r)
	if err == nil {
		sent.ID = r.PathValue("id")
		err = sent.check()
	}
	if err != nil {
		return 0, nil, err
	}
	return overrideKind.put(s, r, sent)
}

func (s *server) getKeys(*http.Request) (int, any, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := []map[string]any{}
	for _, id := range slices.Sorted(maps.Keys(s.keys)) {
		all = append(all, s.keys[id].shown())
	}
	return http.StatusOK, map[string]any{"keys": all}, nil
}

// postKey makes a key. Its value is told here and never again.
func (s *server) postKey(r *http.Request) (int, any, error) {
	sent, err := read[apiKey](r)
	if err == nil {
		err = sent.check()
	}
	if err == nil && sent.Value == "" {
		sent.Value, err = randomKey()
	}
	if err != nil {
		return 0, nil, err
	}
	if len(sent.Value) < prefixLength {
		return 0, nil, badRequest("Key `value` is too short.")
	}
	if sent.ExpiresAt == 0 {
		sent.ExpiresAt = never
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, k := range s.keys {
		if same(k.Value, sent.Value) {
			return 0, nil, conflict("API key generation conflict.")
		}
		sent.ID = max(sent.ID, id+1)
	}
	text, err := json.Marshal(sent)
	if err != nil {
		return 0, nil, err
	}
	if err := s.store.write(change{bucket: bucketKeys, key: keyName(sent.ID), value: text}); err != nil {
		return 0, nil, err
	}
	s.keys[sent.ID] = sent
	answer := sent.shown()
	delete(answer, "value_prefix")
	answer["value"] = sent.Value
	return http.StatusCreated, answer, nil
}

func (s *server) getKey(r *http.Request) (int, any, error) {
	id, err := pathNumber(r, "id")
	if err != nil {
		return 0, nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	k, there := s.keys[id]
	if !there {
		return 0, nil, notFound("Not found.")
	}
	return http.StatusOK, k.shown(), nil
}

func (s *server) deleteKey(r *http.Request) (int, any, error) {
	id, err := pathNumber(r, "id")
	if err != nil {
		return 0, nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, there := s.keys[id]; !there {
		return 0, nil, notFound("Not found.")
	}
	if err := s.store.write(change{bucket: bucketKeys, key: keyName(id)}); err != nil {
		return 0, nil, err
	}
	delete(s.keys, id)
	return http.StatusOK, map[string]any{"id": id}, nil
}
